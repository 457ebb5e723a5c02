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
_FORMAT = "--format=%x1e%H%n%P%n%cI%n%ct%n%an%n%ae%n%B"
_DIFF = (
    "--first-parent", "-m", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
    "--ignore-submodules=all",
)  # fmt: skip
_MERGE = re.compile(
    r"^Merge (?:pull request #\d+ from \S+|(?:remote-tracking )?(?:branch|commit|tag) '.*?'.*)$"
    r"|^(?:# )?Conflicts:\n(?:#?[ \t]+\S.*(?:\n|\Z))*",
    re.MULTILINE,
)
_REVERTS = "This reverts commit"
_MERGED_AT_MOST = 30
_PATCH_START = re.compile(rb"\x1e([0-9a-f]{40,64})\x1f\n")


@dataclass(frozen=True)
class Change:
    """One commit of the first-parent history."""

    commit: str
    parents: tuple[str, ...]
    committed_at: datetime
    author: str
    email: str
    message: str
    paths: tuple[str, ...]

    @property
    def subject(self) -> str:
        """First line of the message."""
        return self.message.strip().partition("\n")[0].strip()

    @property
    def title(self) -> str:
        """The subject; of a merge that has words of its own, their first line."""
        own = without_merge(self.message).strip().partition("\n")[0].strip()
        return own or self.subject


def without_merge(message: str) -> str:
    """A message without what git itself writes into it on a merge."""
    return _MERGE.sub("", message)


def changes(repository: Repository, revision: str = "HEAD") -> Iterator[Change]:
    """All commits of a revision's first-parent history, newest first."""
    arguments = ("log", *_DIFF, "--raw", "--no-abbrev", "-z", _FORMAT, revision, "--")
    with repository.stream(*arguments) as out:
        header: bytes | None = None
        paths: list[str] = []
        tokens = _tokens(out)
        for token in tokens:
            if token.startswith(b"\x1e"):
                if header is not None:
                    yield _change(header, paths)
                header, paths = token, []
            elif token.lstrip(b"\n").startswith(b":"):
                paths.append(os.fsdecode(next(tokens, b"")))
        if header is not None:
            yield _change(header, paths)


def reverts(repository: Repository, revision: str = "HEAD") -> Iterator[tuple[str, str]]:
    """Id and message of every commit that takes others back, merged branches included.

    Newest first: what takes a revert back comes before that revert.
    """
    arguments = ("log", "--topo-order", "--fixed-strings", f"--grep={_REVERTS}", "-z")
    for entry in repository.git(*arguments, "--format=%H%n%B", revision, "--").split(b"\0"):
        commit, _, message = entry.decode(errors="replace").partition("\n")
        if commit:
            yield commit, message


def merged_messages(repository: Repository, change: Change) -> list[str]:
    """Messages of the commits that a merge brought in, oldest first; none for other commits."""
    if len(change.parents) < 2:
        return []
    first, *others = change.parents
    text = repository.text(
        "log", "--reverse", f"--max-count={_MERGED_AT_MOST}", "--no-merges", "--format=%B%x00",
        *others, f"^{first}", "--",
    )  # fmt: skip
    return [message.strip() for message in text.split("\0") if message.strip()]


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


def _change(header: bytes, paths: Iterable[str]) -> Change:
    fields = header[1:].decode(errors="replace").split("\n", 6)
    if len(fields) < 7:
        raise RepositoryError("git log: a commit could not be read")
    commit, parents, date, seconds, author, email, message = fields
    return Change(
        commit=commit,
        parents=tuple(parents.split()),
        committed_at=_date(date, seconds),
        author=author,
        email=email,
        message=message,
        paths=tuple(paths),
    )


def _date(iso: str, seconds: str) -> datetime:
    """Old tools wrote impossible zones and years; such a date is told in UTC, or is 1970."""
    try:
        return datetime.fromisoformat(iso)
    except ValueError:
        pass
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
