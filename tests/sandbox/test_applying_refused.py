"""The ladder that applies a model's patch: what it refuses, and that nothing runs or gets out."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.patching import (
    APPLYING,
    CALC,
    CONTAINER,
    FILE,
    FILES,
    FIX,
    HUNK,
    NEW,
    PLAIN,
    apply,
    git,
    repository,
    state,
)

PARTS = ("applying", "mending", "naming", "placing", "moving")

TWICE = "--- a/calc.py\n+++ b/calc.py\n@@ -{} +{} @@\n{}-    return a - b\n+    return a + b\n"
LINK = (
    "diff --git a/{0} b/{0}\nnew file mode 120000\n--- /dev/null\n+++ b/{0}\n"
    "@@ -0,0 +1 @@\n+{1}\n\\ No newline at end of file\n"
)
BINARY = (
    "diff --git a/b.bin b/b.bin\nnew file mode 100644\nindex {0}..{1}\n"
    "GIT binary patch\nliteral 4\nLcmZQzWMT#Y01f~L\n\nliteral 0\nHcmV?d00001\n\n"
)

REFUSED = {
    "nothing": ("", "no diff"),
    "prose only": ("I cannot help with that.\n- sorry\n", "no diff"),
    "a hunk of no file": (f"```diff\n{HUNK}```\n", "belongs to no hunk"),
    "fits twice": (TWICE.format("3,1", "3,1", ""), "several places"),
    "fits twice, and only its number tells": (TWICE.format("2,1", "2,1", ""), "several places"),
    "fits twice without its outer context": (
        TWICE.format("3,3", "3,3", " # gone\n # gone too\n"),
        "several places",
    ),
    "a line of context in between is off": (
        FIX.replace(" def last(items):", " def final(items):").replace(" \n", " # x\n"),
        "no rung",
    ),
    "a removed line is off": (
        FIX.replace("-    return items[0]", "-    return item[0]"),
        "no rung",
    ),
    "nothing but an addition, in a file that is not empty": (
        "--- a/calc.py\n+++ b/calc.py\n@@ -3,0 +4 @@\n+x = 1\n",
        "no line that tells",
    ),
    "an addition whose context is all off": (
        "--- a/calc.py\n+++ b/calc.py\n@@ -3,1 +3,2 @@\n # off\n+x = 1\n",
        "too little",
    ),
    "an addition after which nothing comes, though the file goes on": (
        "--- a/pkg/util.py\n+++ b/pkg/util.py\n@@ -1,2 +1,3 @@\n one\n two\n+2.5\n",
        "too little",
    ),
    "an addition before which nothing comes, though the file has more": (
        "--- a/pkg/util.py\n+++ b/pkg/util.py\n@@ -2,2 +2,3 @@\n+1.5\n two\n three\n",
        "too little",
    ),
    "one file of two fails": (
        PLAIN + "--- a/run.sh\n+++ b/run.sh\n@@ -1,2 +1,2 @@\n #!/bin/sh\n-exit 0\n+exit 2\n",
        "no rung",
    ),
    "one hunk of two fails": (
        PLAIN + "@@ -1,1 +1,1 @@\n-def plus(a, b):\n+def add(b, a):\n",
        "no rung",
    ),
    "hunks that contradict each other": (FIX + HUNK.replace("[-1]", "[1]"), "overlap"),
    "shortened by dots": (
        FIX.replace(" def last", "...\n def last").replace("-11,4 +11,4", "-3,9 +3,9"),
        "no hunk",
    ),
    "goes on after a fence": (f"```\n{FIX}".replace(" def last", "```\n def last"), "no hunk"),
    "a second hunk in a fence of its own": (
        f"```\n{FIX}```\nand\n```\n@@ -1 +1 @@\n-a\n+b\n```\n",
        "no hunk",
    ),
    "two names": (PLAIN.replace("b/calc.py", "b/other.py"), "two files"),
    "headers that disagree": (
        FIX.replace("diff --git a/calc.py b/calc.py", "diff --git a/run.sh b/run.sh"),
        "disagree",
    ),
    "rename lines that disagree": (
        FIX.replace("index 0", "rename from run.sh\nrename to b.sh\nindex 0"),
        "disagree",
    ),
    "cut short": (
        "diff --git a/calc.py b/calc.py\nindex 1..2\n--- a/calc.py\n+++ b/calc.py\n",
        "says nothing",
    ),
    "a file that is not there": (PLAIN.replace("calc.py", "gone.py"), "no such file"),
    "creates what is there": (NEW.replace("pkg/new.py", "pkg/util.py"), "already exists"),
    "deletes less than all": (
        "--- a/pkg/util.py\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n",
        "removal patch",
    ),
    "a NUL byte": (FIX.replace("items[-1]", "items[\0]"), "NUL"),
    "a NUL byte in a name": ('--- /dev/null\n+++ "b/x\\000y"\n@@ -0,0 +1 @@\n+x\n', "unsafe path"),
    "gigantic": (FIX + "+" + "x" * 8_000_000 + "\n", "more than"),
    "more files than anyone changes": (NEW * 2001, "more than"),
    "a name longer than a path": (PLAIN.replace("calc.py", "x " * 900_000), "too long"),
    "upwards": (FILE.format("../evil", "100644"), "unsafe path"),
    "upwards, in the middle": (FILE.format("pkg/../../evil", "100644"), "unsafe path"),
    "upwards, quoted": (
        '--- /dev/null\n+++ "b/\\056\\056/evil"\n@@ -0,0 +1 @@\n+x\n',
        "unsafe path",
    ),
    "absolute": ("--- /dev/null\n+++ /evil\n@@ -0,0 +1 @@\n+x\n", "unsafe path"),
    "absolute below a prefix": (FILE.format("/evil", "100644"), "unsafe path"),
    "a hook": (FILE.format(".git/hooks/post-checkout", "100755"), "unsafe path"),
    "git's configuration, in capitals": (FILE.format(".GIT/config", "100644"), "unsafe path"),
    "git's folder by its short name": (FILE.format("GIT~1/config", "100644"), "invalid path"),
    "git's folder for another file system": (
        FILE.format(".g\u200cit/config", "100644"),
        "invalid path",
    ),
    "git's folder, nested": (FILE.format("pkg/.git/config", "100644"), "unsafe path"),
    "a submodule": (
        f"diff --git a/sub b/sub\nnew file mode 160000\n--- /dev/null\n+++ b/sub\n@@ -0,0 +1 @@\n"
        f"+Subproject commit {'1' * 40}\n",
        "mode",
    ),
    "a set-uid bit": (FILE.format("s", "104755"), "mode"),
    "a link that leads out": (LINK.format("out", "/etc/passwd"), "leads out"),
    "a link upwards": (LINK.format("pkg/out", "../../x"), "leads out"),
    "a link over a link": (
        LINK.format("here", "pkg") + LINK.format("out", "here/../../x"),
        "leads out",
    ),
    "a link into git's folder": (LINK.format("hooks", ".git/hooks"), "leads out"),
    "written through a link of its own": (
        LINK.format("l", "pkg") + FILE.format("l/f", "100644"),
        "symbolic link",
    ),
    "written through a link of the repository": (
        FILE.format("outside/f", "100644"),
        "symbolic link",
    ),
    "a file below a file": (FILE.format("calc.py/f", "100644"), "no rung"),
    "a file instead of a folder": (FILE.format("pkg", "100644"), "in the way"),
    "a file instead of a folder, after one that fits": (
        FIX + FILE.format("pkg", "100644"),
        "in the way",
    ),
    "a name that is too long": (FILE.format("n" * 300, "100644"), "in the way"),
    "a binary file that is only told of": (
        "diff --git a/b.bin b/b.bin\nindex 1..2 100644\nBinary files a/b.bin and b/b.bin differ\n",
        "binary",
    ),
    "a binary patch that is broken": (BINARY.format("0" * 40, "1" * 40), "no rung"),
    "a combined diff": (
        "diff --git a/calc.py b/calc.py\n--- a/calc.py\n+++ b/calc.py\n"
        "@@@ -1,1 -1,1 +1,1 @@@\n  x\n",
        "says nothing",
    ),
}


@pytest.mark.parametrize(("diff", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_certain_or_not_safe_is_refused(diff: str, why: str, tmp_path: Path) -> None:
    folder = repository(tmp_path / "repo", dict(FILES))
    (folder / "outside").symlink_to(tmp_path)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=y")
    told = apply(diff, folder)
    assert why in told.get("refused", told)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["repo"]


def test_what_the_repository_would_run_is_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    files = {**FILES, ".gitattributes": "* filter=evil diff=evil merge=evil text eol=crlf\n"}
    folder = repository(tmp_path / "repo", dict(files))
    command = f"sh -c 'touch {ran}; cat'"
    for key in (
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "merge.evil.driver",
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "core.editor",
    ):
        git(folder, "config", key, command)
    git(folder, "config", "apply.whitespace", "fix")
    hooks = folder / ".git/hooks"
    hooks.mkdir()
    for name in ("post-index-change", "post-checkout", "pre-commit", "fsmonitor-watchman"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    attributes = (
        "--- a/.gitattributes\n+++ b/.gitattributes\n@@ -1 +1,2 @@\n * filter=evil diff=evil"
    )
    attributes += " merge=evil text eol=crlf\n+*.c ident\n"
    diff = FIX.replace("items[-1]", "items[-1]  ") + attributes
    told = APPLYING.apply(diff.encode(), str(folder))
    assert told["rung"] == "exact"
    assert (folder / "calc.py").read_bytes().decode() == CALC.replace("items[0]", "items[-1]  ")
    assert APPLYING.apply(FIX.replace("items[0]", "item").encode(), str(folder))["refused"]
    assert not ran.exists()


def test_modes_links_binary_files_and_what_git_ignores(tmp_path: Path) -> None:
    ours: dict[str, str | bytes] = {**FILES, "data.bin": bytes(range(256)), ".gitignore": "made\n"}
    folder = repository(tmp_path / "repo", ours)
    (folder / "run.sh").chmod(0o755)
    (folder / "data.bin").write_bytes(bytes(range(255, -1, -1)))
    (folder / "link").symlink_to("pkg/util.py")
    git(folder, "add", "--all")
    diff = git(folder, "diff", "--cached", "--no-ext-diff", "--binary", "--full-index")
    wanted = state(folder)
    git(folder, "reset", "--quiet", "--hard")
    assert apply(diff, folder)["paths"] == ["data.bin", "link", "run.sh"]
    assert {k: v for k, v in wanted.items() if ".git/" not in k} == {
        k: v for k, v in state(folder).items() if ".git/" not in k
    }
    told = APPLYING.apply(FILE.format("made", "100755").encode(), str(folder))
    assert told["paths"] == ["made"]
    assert os.access(folder / "made", os.X_OK)


def test_what_git_made_must_be_what_the_diff_says() -> None:
    plan, before = SimpleNamespace(wanted={b"f": b"new"}), {b"f": ("file", b"old")}
    section = SimpleNamespace(old=b"f", new=b"f")
    APPLYING._verify(plan, [section], before, {b"f": ("file", b"new")})
    for after in ({b"f": ("file", b"other")}, {b"f": ("file", b"new"), b"g": ("file", b"")}, {}):
        with pytest.raises(APPLYING.Refused, match="git"):
            APPLYING._verify(plan, [section], before, after)


def test_nothing_is_moved_through_a_link(tmp_path: Path) -> None:
    for name in ("made/l", "folder/real"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "made/l/f").write_text("x")
    (tmp_path / "folder/l").symlink_to("real")
    made, folder = (os.fsencode(tmp_path / name) for name in ("made", "folder"))
    with pytest.raises(APPLYING.moving.InTheWay):
        APPLYING.moving.move(made, folder, {}, {b"l/f": ("file", b"x")})
    assert not any((tmp_path / "folder/real").iterdir())


def test_a_folder_that_is_no_repository_any_more(tmp_path: Path) -> None:
    (tmp_path / "calc.py").write_text(CALC)
    assert APPLYING.apply(FIX.encode(), str(tmp_path))["rung"] == "exact"
    assert "no rung" in APPLYING.apply(FIX.encode(), str(tmp_path))["refused"]
    assert [path.name for path in tmp_path.iterdir()] == ["calc.py"]


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    folder = repository(tmp_path / "repo", dict(FILES))
    (folder / "calc.py").chmod(0o640)
    apply(FIX, folder)
    assert (folder / "calc.py").stat().st_mode & 0o777 == 0o640


def test_a_file_that_git_cannot_be_asked_about_is_no_fault_of_the_patch(tmp_path: Path) -> None:
    folder = repository(tmp_path / "repo", dict(FILES))
    command = [sys.executable, "-I", str(CONTAINER / "applying.py")]

    def run(path: str) -> subprocess.CompletedProcess[bytes]:
        given = FIX.encode()
        return subprocess.run(
            command, cwd=folder, input=given, capture_output=True, env={"PATH": path}
        )

    without = run(str(tmp_path))
    assert (without.returncode, [*json.loads(without.stdout)]) == (2, ["failed"])
    done = run(os.environ["PATH"])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"rung": "exact", "mended": [], "paths": ["calc.py"]}
    again = run(os.environ["PATH"])
    assert (again.returncode, sorted(json.loads(again.stdout))) == (1, ["refused", "tried"])


@pytest.mark.parametrize("name", PARTS)
def test_the_syntax_is_that_of_python_3_5(name: str) -> None:
    tree = ast.parse((CONTAINER / f"{name}.py").read_text(), feature_version=(3, 5))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr | ast.AnnAssign)]
