"""The one place that starts git, always deaf to the repository's and the user's configuration.

The repository under test is untrusted: its hooks, attributes, filters, pagers and external
diff programs must never run in the process that holds the API keys. So git gets a clean
environment, and blobs are read raw rather than checked out.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import RepositoryError, UsageError
from core.programs import program, trusted_path

_1980 = 315_619_200
_SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.pager=cat",
    "core.quotePath=false",
    "diff.external=",
    "diff.renames=false",
    "diff.relative=false",
    "diff.context=3",
    "diff.interHunkContext=0",
    "diff.orderFile=/dev/null",
    "diff.indentHeuristic=true",
    "diff.suppressBlankEmpty=false",
    "log.diffMerges=first-parent",
    "i18n.logOutputEncoding=UTF-8",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "log.showSignature=false",
    "protocol.allow=never",
    "safe.directory=*",
)


def clean_environment() -> dict[str, str]:
    """The environment git runs in: what is trusted of PATH, and nothing else of ours."""
    return {
        "PATH": trusted_path(_path()),
        # A repository's configuration may say ~/, which without a home is a fatal error.
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        # For git before 2.44, which does not know the line above. A repository's own
        # protocol.<name>.allow would win over protocol.allow; over this nothing wins.
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _path() -> str:
    return os.environ.get("PATH", os.defpath)


def git_command(*arguments: str, directory: Path | None = None) -> list[str]:
    """The full command line of one git call. Raises FileNotFoundError where there is no git."""
    command = [program("git", _path())]
    if directory is not None:
        command += ["-C", str(directory)]
    for setting in _SAFE:
        command += ["-c", setting]
    return [*command, *arguments]


def touched_paths(diff: str) -> list[str]:
    """The paths git itself reads in a diff, old and new; none where git cannot read it at all."""
    content = diff.encode("utf-8", "surrogateescape")
    # Of a renamed file git tells the new name only; read backwards, the old one.
    lines = _numstat(content) + _numstat(content, "--reverse")
    found = [os.fsdecode(line.split(b"\t", 2)[2]) for line in lines if line.count(b"\t") >= 2]
    return list(dict.fromkeys(found))


def _numstat(diff: bytes, *options: str) -> list[bytes]:
    with tempfile.TemporaryDirectory(prefix="patchmark-") as empty:
        done = subprocess.run(
            git_command("apply", "--numstat", "-z", *options, "-", directory=Path(empty)),
            input=diff,
            capture_output=True,
            # Inside of a repository git would pass over all that is not below `empty`.
            env={**clean_environment(), "GIT_DIR": os.devnull},
            check=False,
        )
    return done.stdout.split(b"\0")


@dataclass(frozen=True)
class TreeEntry:
    """One file of a commit's tree."""

    mode: str
    blob: str
    path: str


class Repository:
    """A git repository that is only ever read."""

    def __init__(self, path: Path):
        """Open the repository at or above `path`.

        Raises RepositoryError when there is none, or it has no commit yet.
        """
        self.path = path.absolute()
        if not path.exists():
            raise RepositoryError(f"{path}: no such folder")
        try:
            self.git("rev-parse", "--git-dir")
        except FileNotFoundError as error:
            raise UsageError("git is not installed or not on PATH") from error
        except RepositoryError as error:
            known = "not a git repository" in str(error) or not path.is_dir()
            why = "not a git repository" if known else str(error)
            raise RepositoryError(f"{path}: {why}") from error
        try:
            self.head = self.resolve("HEAD")
        except RepositoryError as error:
            raise RepositoryError(f"{path}: the repository has no commit yet") from error

    def git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Run git and return what it prints. Raises RepositoryError with git's own words."""
        done = subprocess.run(
            git_command(*arguments, directory=self.path),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=clean_environment(),
            check=False,
        )
        if done.returncode != 0:
            raise RepositoryError(f"git {arguments[0]}: {_last_words(done.stderr)}")
        return done.stdout

    @contextmanager
    def stream(self, *arguments: str, stdin: bytes | None = None) -> Iterator[IO[bytes]]:
        """Run git and read what it prints while it runs. Raises like `git`, at the end."""
        with (
            tempfile.TemporaryFile() as words,
            subprocess.Popen(
                git_command(*arguments, directory=self.path),
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=words,
                env=clean_environment(),
            ) as process,
        ):
            if stdin is not None and process.stdin is not None:
                # From a thread: git starts to answer before it has read all, and both would wait.
                threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True).start()
            if process.stdout is None:
                raise RepositoryError("git gave no output pipe")
            yield process.stdout
            process.stdout.close()
            if process.wait() not in (0, -13):  # -13: we closed the pipe early
                words.seek(0)
                raise RepositoryError(f"git {arguments[0]}: {_last_words(words.read())}")

    def resolve(self, revision: str) -> str:
        """The full commit id of a revision."""
        return self.text("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()

    def text(self, *arguments: str) -> str:
        """Like `git`, decoded; bytes that are no UTF-8 are replaced."""
        return self.git(*arguments).decode(errors="replace")

    @property
    def is_shallow(self) -> bool:
        """True where history was cut off by `clone --depth`."""
        return self.text("rev-parse", "--is-shallow-repository").strip() == "true"

    @property
    def is_partial(self) -> bool:
        """True for a `clone --filter`, which lacks objects until they are fetched."""
        keys = r"^(extensions\.partialclone|remote\..*\.promisor)$"
        try:
            return bool(self.text("config", "--get-regexp", keys).strip())
        except RepositoryError:  # git's way to say that nothing matches
            return False

    def has(self, commit: str) -> bool:
        """Whether this clone holds a commit, given by its full id."""
        try:
            return self.resolve(commit) == commit
        except RepositoryError:
            return False

    def tree(self, commit: str) -> list[TreeEntry]:
        """All files of a commit; submodules are left out, links stay links."""
        entries = []
        for line in self.git("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
            if line:
                head, _, name = line.partition(b"\t")
                mode, kind, blob = head.decode().split(" ")
                if kind == "blob":
                    entries.append(TreeEntry(mode, blob, os.fsdecode(name)))
        return entries

    def read(self, commit: str, path: str) -> str | None:
        """A file's text at a commit, None where it is missing or not UTF-8 text."""
        try:
            content = self.git("cat-file", "blob", f"{commit}:{path}")
            return None if b"\0" in content[:8000] else content.decode()
        except (RepositoryError, ValueError, OSError):
            # Also a path that no command line can carry: with NUL bytes, or far too long.
            return None

    def blobs(self, ids: Sequence[str]) -> Iterator[bytes]:
        """The content of many blobs, in one git process, in the order asked for."""
        wanted = "".join(f"{blob}\n" for blob in ids).encode()
        with self.stream("cat-file", "--batch", stdin=wanted) as out:
            for blob in ids:
                header = out.readline().split()
                if len(header) != 3:
                    raise RepositoryError(f"git has no object {blob} (a partial clone?)")
                content = out.read(int(header[2]))
                if out.read(1) != b"\n":
                    raise RepositoryError(f"git cannot read object {blob} to its end")
                yield content

    def archive(self, commit: str, prefix: str, folder: str = ".") -> bytes:
        """The files of a commit's folder as a tar below `prefix`, byte for byte as committed.

        Not `git archive`: that obeys export-ignore and filters, which the repository sets.
        Files carry the commit's date: build back ends refuse what is older than 1980.
        """
        made = int(self.text("show", "-s", "--format=%ct", commit))
        at = "" if folder == "." else f"{folder}/"
        entries = [entry for entry in self.tree(commit) if entry.path.startswith(at)]
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            contents = self.blobs([entry.blob for entry in entries])
            for entry, content in zip(entries, contents, strict=True):
                info = tarfile.TarInfo(f"{prefix}/{entry.path.removeprefix(at)}".lstrip("/"))
                info.mtime = max(made, _1980)
                if entry.mode == "120000":
                    info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(content)
                    tar.addfile(info)
                    continue
                info.mode = 0o755 if entry.mode == "100755" else 0o644
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return buffer.getvalue()


def _last_words(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "failed"


def _feed(pipe: IO[bytes], content: bytes) -> None:
    with suppress(BrokenPipeError), pipe:
        pipe.write(content)


@dataclass(frozen=True)
class Snapshot:
    """The files of one commit, as a model may see them."""

    repository: Repository
    commit: str

    def files(self) -> list[str]:
        """Paths of all regular files, in git's order."""
        return [e.path for e in self.repository.tree(self.commit) if e.mode != "120000"]

    def read(self, path: str) -> str | None:
        """A file's text, None where it is missing or not UTF-8 text."""
        return self.repository.read(self.commit, path)
