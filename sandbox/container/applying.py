"""Applies a model's patch, all of it or nothing, by a ladder that says which rung held.

Run with `-I` in the repository's folder, with the diff on standard input; prints one JSON object.
Exit status 0: applied. 1: refused, the tree is as it was. 2: no fault of the patch (no git, say).

Every hunk is placed here first, and refused where its place is not certain. git then applies the
placed diff in a folder of its own, which holds the named files only and none of the repository's
configuration; and what git made there must be what was placed here, before anything is moved over.
Runs on every Python a container may have: no syntax after 3.5.
"""
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile


def _beside(name):
    """A module of this folder, which isolated mode (-I) keeps off the path."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = importlib.util.spec_from_file_location("patchmark_" + name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mending, placing, moving = _beside("mending"), _beside("placing"), _beside("moving")
mend = mending.mend

_LARGEST = 8 * 1000 * 1000
_GIT_SECONDS = 120
_MODES = (b"100644", b"100755", b"120000")
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "core.protectNTFS=true",
    "core.protectHFS=true",
    "core.symlinks=true",
    "core.fileMode=true",
    "protocol.allow=never",
)
# Whatever .gitattributes a patch or the repository brings: in the scratch folder this one wins.
_ATTRIBUTES = b"* -text -ident -filter -working-tree-encoding !merge !diff !eol\n"


class Refused(Exception):
    """The patch cannot be applied for sure."""


def apply(diff, folder):
    """Applies a diff (bytes) to a folder: {rung, mended, paths}, or {refused, tried} and no change.

    Raises OSError or subprocess.SubprocessError for what is no fault of the patch.
    """
    tried = {}
    try:
        sections, words = _read(diff)
        with _Scratch(os.fsencode(os.path.abspath(folder))) as scratch:
            scratch.lay(_named(sections))
            if placing.name_created(sections, scratch.before):
                words.add("headers")
            return _climb(scratch, sections, words, tried)
    except (Refused, mending.Unsure, placing.Ambiguous, moving.InTheWay) as why:
        return {"refused": " ".join(str(why).split())[:500], "tried": tried}


def _read(diff):
    if len(diff) > _LARGEST:
        raise Refused("the diff has more than {} bytes".format(_LARGEST))
    if b"\0" in diff:
        raise Refused("the diff has a NUL byte")
    sections, words = mending.read(diff)
    if not sections:
        raise Refused("there is no diff in it")
    for section in sections:
        for path in (section.old, section.new):
            if path is not None and not _is_safe(path):
                raise Refused("an unsafe path: {}".format(_shown(path)))
        modes = [line.split()[-1] for line in section.extended if b" mode " in line]
        if not all(mode in _MODES for mode in modes):
            raise Refused("a mode that no file of a patch may have")
    return sections, set(words)


def _named(sections):
    return {path for section in sections for path in (section.old, section.new) if path is not None}


def _is_safe(path):
    parts = path.split(b"/")
    bad = any(part.lower() in (b"", b".", b"..", b".git") for part in parts)
    return not bad and b"\0" not in path


def _shown(path):
    return path[:200].decode("utf-8", "backslashreplace")


def _climb(scratch, sections, words, tried):
    first = "recount" if "counts" in words else "exact"
    rungs = ((first, 0, None), ("3way", 0, scratch.blob), ("fuzz", placing.MOST_FUZZ, None))
    for rung, fuzz, base in rungs:
        try:
            plan = placing.Plan(sections, scratch.before, fuzz, base)
            scratch.apply(plan, ["--3way"] if base else ["--unidiff-zero"])
        except (placing.NotFound, subprocess.CalledProcessError) as error:
            tried[rung] = _message(error)
            continue
        after = scratch.after()
        _verify(plan, sections, scratch.before, after)
        paths = moving.move(scratch.tree, scratch.folder, scratch.before, after)
        named = [path.decode("utf-8", "surrogateescape") for path in paths]
        return {"rung": rung, "mended": sorted(words | plan.words), "paths": named}
    raise Refused("no rung held: {}".format(tried[first]))


def _message(error):
    if not isinstance(error, subprocess.CalledProcessError):
        return str(error)
    lines = error.output.decode("utf-8", "replace").split("\n")
    return " ".join(([line for line in lines if line.startswith("error: ")] or lines)[0].split())


def _verify(plan, sections, before, after):
    """What git made is what the diff says, file by file, and no other file."""
    named = _named(sections)
    for path in set(before) | set(after):
        mode, content = after.get(path, (None, None))
        if path in plan.wanted and plan.wanted[path] is not placing.ANY:
            if content != plan.wanted[path]:
                raise Refused("git reads the change of {} otherwise".format(_shown(path)))
        if before.get(path) != (mode, content) and path not in named:
            raise Refused("git changes {}, which the diff does not name".format(_shown(path)))
        if mode == moving.LINK and before.get(path) != (mode, content):
            if not _stays_inside(path, content):
                raise Refused("a symbolic link that leads out: {}".format(_shown(path)))


def _stays_inside(path, target):
    """Whether a link's target is inside, whatever other links it leads over."""
    parts = target.split(b"/")
    ups = 0
    while ups < len(parts) and parts[ups] == b"..":
        ups += 1
    rest = parts[ups:]
    deep = path.count(b"/") >= ups
    return deep and _is_safe(b"/".join(rest or [b"x"]).rstrip(b"/"))


class _Scratch(object):
    """A folder with copies of the files that a diff names, on the disk of the real one."""

    def __init__(self, folder):
        self.folder, self.before = folder, {}

    def __enter__(self):
        # Inside of .git it is never taken for the repository's own file, even after a crash.
        git = os.path.join(self.folder, b".git")
        inside = git if os.path.isdir(git) and not os.path.islink(git) else self.folder
        self.root = tempfile.mkdtemp(prefix=b".patchmark-", dir=inside)
        self.tree, self.home = os.path.join(self.root, b"tree"), os.path.join(self.root, b"git")
        os.mkdir(self.tree)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root, ignore_errors=True)

    def lay(self, paths):
        """Copies files, links, and whatever stands where a folder of a path should be."""
        for path in paths:
            parts = path.split(b"/")
            for length in range(1, len(parts) + 1):
                part = b"/".join(parts[:length])
                found = moving.read(os.path.join(self.folder, part))
                if found is None:
                    break
                if found[0] != moving.FOLDER:
                    self.before[part] = found
                    break

    def _fill(self):
        shutil.rmtree(self.tree)
        os.mkdir(self.tree)
        for path, found in self.before.items():
            moving.write(os.path.join(self.tree, path), found)

    def after(self):
        """What the tree holds now: path → (mode, content)."""
        held = {}
        for top, folders, files in os.walk(self.tree):
            for name in folders + files:
                path = os.path.join(top, name)
                found = moving.read(path)
                if found[0] != moving.FOLDER:
                    held[os.path.relpath(path, self.tree)] = found
        return held

    def apply(self, plan, options):
        """Lets git apply a plan to fresh copies."""
        self._fill()
        if options == ["--3way"]:
            self.git("add", "--all", "--force", ".")
        self.git("apply", "--whitespace=nowarn", *(options + ["-"]), stdin=plan.text)

    def blob(self, name):
        """An object of the repository."""
        return self.git("cat-file", "blob", name.decode("ascii"))

    def git(self, *arguments, **options):
        if not os.path.exists(self.home):
            self._make_home()
        return self._run(list(arguments), options.get("stdin", b""))

    def _make_home(self):
        """All that `git init` makes and git needs, without starting it."""
        for name in (b"objects", b"refs", b"info"):
            os.makedirs(os.path.join(self.home, name))
        for name, content in ((b"HEAD", b"ref: refs/heads/base\n"), (b"info/attributes", _ATTRIBUTES)):
            with open(os.path.join(self.home, name), "wb") as file:
                file.write(content)

    def _run(self, arguments, stdin):
        command = ["git"]
        for setting in _SETTINGS:
            command += ["-c", setting]
        tree, home = os.fsdecode(self.tree), os.fsdecode(self.home)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.devnull,
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_DIR": home,
            "GIT_WORK_TREE": tree,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.path.join(
                os.fsdecode(self.folder), ".git", "objects"
            ),
        }
        done = subprocess.Popen(
            command + arguments,
            cwd=tree,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            output, errors = done.communicate(stdin, timeout=_GIT_SECONDS)
        except subprocess.TimeoutExpired:
            done.kill()
            done.communicate()
            raise
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, "git", errors)
        return output


def main():
    """The program: see the top."""
    try:
        told = apply(sys.stdin.buffer.read(_LARGEST + 1), os.getcwd())
    except (OSError, subprocess.SubprocessError) as error:
        print(json.dumps({"failed": "{}: {}".format(type(error).__name__, error)}))
        return 2
    print(json.dumps(told, sort_keys=True))
    return 1 if "refused" in told else 0


if __name__ == "__main__":
    sys.exit(main())
