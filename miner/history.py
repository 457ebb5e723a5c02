"""Reading a git history as a stream: commits with their files first, patches only where asked.

A merge stands for its whole change to the first parent, so that merged branches, squash
merges and direct pushes are all one change each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from core.errors import RepositoryError
from core.git import Repository

# By lines: unlike any other separator, a line end cannot be in a name or an address.
_FORMAT = "--format=%x1e%H%n%P%n%cI%n%ct%n%at%n%an%n%ae%n%B"
_DIFF = (
    "--first-parent", "-m", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
    "--ignore-submodules=all",
)  # fmt: skip
_MERGE = re.compile(
    r"^Merge (?:pull request #\d+ from \S+|(?:remote-tracking )?(?:branch|commit|tag) '.*?'.*)$"
    r"|^(?:# )?Conflicts:\n(?:#?[ \t]+\S.*(?:\n|\Z))*",
    re.MULTILINE,
)
_PATCH_START = re.compile(rb"\x1e([0-9a-f]{40,64})\x1f\n")


@dataclass(frozen=True, slots=True)
class Touched:
    """One file of a change: the blobs before and after, None where there was none."""

    path: str
    before: str | None
    after: str | None
    mode: str
    """Of the file afterwards, of a deleted one before: 100644, 100755, 120000 (a link)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One commit against its first parent."""

    commit: str
    parents: tuple[str, ...]
    committed_at: datetime
    written_at: datetime
    """The author's date: when the work was done, as the author's clock had it."""
    author: str
    email: str
    message: str
    paths: tuple[str, ...]
    raw: tuple[bytes, ...]
    """What git says of each path: modes, blobs and status."""

    @property
    def subject(self) -> str:
        """First line of the message."""
        return self.message.strip().partition("\n")[0].strip()

    @property
    def title(self) -> str:
        """The subject; of a merge that has words of its own, their first line."""
        own = without_merge(self.message).strip().partition("\n")[0].strip()
        return own or self.subject

    def files(self) -> Iterator[Touched]:
        """The files that it touches, in git's order."""
        for path, raw in zip(self.paths, self.raw, strict=True):
            old_mode, new_mode, before, after, _ = raw.decode().split(" ", 4)
            mode = old_mode if new_mode == "000000" else new_mode
            yield Touched(path, _blob(before), _blob(after), mode)


def _blob(name: str) -> str | None:
    return name if name.strip("0") else None


def without_merge(message: str) -> str:
    """A message without what git itself writes into it on a merge."""
    return _MERGE.sub("", message)


def changes(
    repository: Repository, *revisions: str, without: Sequence[str] = ()
) -> Iterator[Change]:
    """All commits of the repository's first-parent history, or of other revisions, newest first.

    `without` are arguments of git log that leave some of them out.
    """
    wanted = "".join(f"{revision}\n" for revision in revisions or (repository.head,)).encode()
    arguments = ("log", *without, "--stdin", *_DIFF, "--raw", "--no-abbrev", "-z", _FORMAT)
    with repository.stream(*arguments, stdin=wanted) as out:
        header: bytes | None = None
        paths: list[str] = []
        raw: list[bytes] = []
        tokens = _tokens(out)
        for token in tokens:
            if token.startswith(b"\x1e"):
                if header is not None:
                    yield _change(header, paths, raw)
                header, paths, raw = token, [], []
            elif (entry := token.lstrip(b"\n")).startswith(b":"):
                raw.append(entry[1:])
                paths.append(os.fsdecode(next(tokens, b"")))
        if header is not None:
            yield _change(header, paths, raw)


def patches(repository: Repository, commits: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The patch of each commit against its first parent, from one git process, in order."""
    if not commits:
        return
    wanted = "".join(f"{commit}\n" for commit in commits).encode()
    arguments = (
        "log", "--no-walk=unsorted", "--stdin", *_DIFF, "-p", "--binary", "--full-index",
        "--src-prefix=a/", "--dst-prefix=b/", "--diff-algorithm=histogram",
        "--format=%x1e%H%x1f",
    )  # fmt: skip
    with repository.stream(*arguments, stdin=wanted) as out:
        commit: str | None = None
        lines: list[bytes] = []
        for line in out:
            start = _PATCH_START.fullmatch(line)
            if start is None:
                lines.append(line)
                continue
            if commit is not None:
                yield commit, b"".join(lines).lstrip(b"\n")
            commit, lines = start.group(1).decode(), []
        if commit is not None:
            yield commit, b"".join(lines).lstrip(b"\n")


def _tokens(out: IO[bytes]) -> Iterator[bytes]:
    """What is between NUL bytes, read in blocks."""
    rest = b""
    while block := out.read(1 << 16):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
    if rest:
        yield rest


def _change(header: bytes, paths: Iterable[str], raw: Iterable[bytes]) -> Change:
    fields = header[1:].decode(errors="replace").split("\n", 7)
    if len(fields) < 8:
        raise RepositoryError("git log: a commit could not be read")
    commit, parents, date, seconds, written, author, email, message = fields
    return Change(
        commit=commit,
        parents=tuple(parents.split()),
        committed_at=_date(date, seconds),
        written_at=from_seconds(written),
        author=author,
        email=email,
        message=message,
        paths=tuple(paths),
        raw=tuple(raw),
    )


def _date(iso: str, seconds: str) -> datetime:
    """Old tools wrote impossible zones and years; such a date is told in UTC, or is 1970."""
    try:
        return datetime.fromisoformat(iso)
    except ValueError:
        return from_seconds(seconds)


def from_seconds(seconds: str) -> datetime:
    """A date from seconds since 1970; what no clock can show is 1970."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
