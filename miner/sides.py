"""What a merge brought in: the commits on its side, read from one git process for all merges."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from core.errors import RepositoryError
from core.git import Repository
from core.objects import Objects
from miner.history import Change, changes, from_seconds
from miner.links import pull_number

_AT_MOST = 30
_REMEMBERED = 100_000
_LONG_LIVED = re.compile(
    r"Merge (?:remote-tracking )?(?:branch(?:es)?|commit|tag) '?(?:[\w.-]+/)?"
    r"(?:main|master|dev|devel|develop|development|trunk|default|next|stable\b[\w./-]*|"
    r"release\b[\w./-]*|maint\b[\w./-]*|v?\d+[.\d]*(?:[.-]?[xX])?(?:-[\w.-]+)?)'",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(\d+)\.(\d+)")
_PERSON = re.compile(r"(.*?) <([^>]*)> (-?\d+) ")


@dataclass(frozen=True)
class Brought:
    """One commit that a merge brought in."""

    commit: str
    parents: tuple[str, ...]
    author: str
    written_at: datetime
    message: str

    @property
    def subject(self) -> str:
        """First line of the message."""
        return self.message.strip().partition("\n")[0].strip()


class Sides:
    """Tells what merges brought. Ask for merges in the order of the history, oldest first."""

    def __init__(self, repository: Repository, objects: Objects):
        self._repository = repository
        self._objects = objects
        self._told: OrderedDict[str, None] = OrderedDict()
        self._looked_at: set[int] = set()

    @cached_property
    def main(self) -> Ids:
        """The first-parent history of HEAD."""
        return Ids(self._repository)

    def trunks(self, tips: Sequence[str], old: Sequence[str] = ()) -> Iterator[Change]:
        """The changes on long-lived branches down to where they left the main line.

        No commit is given twice, over all calls, and none that the revisions `old` leave out.
        """
        for change in changes(self._repository, *tips, without=old or self._excluded):
            if not self._is_trunk(change.commit):
                self._looked_at.add(_number(change.commit))
                yield change

    @cached_property
    def _excluded(self) -> tuple[str, ...]:
        """Where git can leave out the main line alone, it need not be read once more."""
        version = _VERSION.search(self._repository.text("version"))
        able = version is not None and (int(version[1]), int(version[2])) >= (2, 36)
        return ("--exclude-first-parent-only", "^HEAD") if able else ()

    def _is_trunk(self, commit: str) -> bool:
        return commit in self.main or _number(commit) in self._looked_at

    def of(self, change: Change) -> list[Brought]:
        """The commits that a merge brought, oldest first, at most the newest 30 of each side.

        A side is followed by first parents to where it left the main line, or to what an
        older merge had brought before.
        """
        found: list[Brought] = []
        for tip in change.parents[1:]:
            found += reversed(list(self._side(tip)))
        for brought in found:
            self._told[brought.commit] = None
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return found

    def between(self, base: str, head: str) -> list[Brought]:
        """The commits on the way from one to another, oldest first, at most the newest 30."""
        way = ("rev-list", "--first-parent", f"--max-count={_AT_MOST}", f"{base}..{head}")
        commits = reversed(self._repository.text(*way).split())
        read = [(commit, self._objects.read(commit)) for commit in commits]
        return [_read(commit, content) for commit, content in read if content is not None]

    def subject(self, commit: str) -> str:
        """First line of a commit's message; empty where this clone lacks it."""
        content = self._objects.read(commit)
        return _read(commit, content).subject if content is not None else ""

    def _side(self, tip: str) -> Iterator[Brought]:
        commit: str | None = tip
        for _ in range(_AT_MOST):
            if commit is None or commit in self._told or self._is_trunk(commit):
                return
            content = self._objects.read(commit)
            if content is None:
                return
            brought = _read(commit, content)
            yield brought
            commit = brought.parents[0] if brought.parents else None


def is_shared(change: Change, brought: list[Brought]) -> bool:
    """Whether a merge brought a long-lived branch: the work of many, in changes of their own.

    So it is where two or more pull requests lie on the side, and where the branch has the
    name of such a one and several people's commits. One person's branch is one change,
    whatever its name.
    """
    pulls = {number for one in brought if (number := pull_number(one.message)) is not None}
    if len(pulls) >= 2:
        return True
    named = _LONG_LIVED.match(change.subject) is not None
    return named and len({one.author for one in brought}) >= 2


def merged_messages(brought: Sequence[Brought]) -> tuple[str, ...]:
    """The messages of what a merge brought, without those of merges in it."""
    return tuple(one.message.strip() for one in brought if len(one.parents) < 2)


class Ids:
    """The commits of the first-parent history of a repository's head, eight bytes each."""

    def __init__(self, repository: Repository):
        found = array("Q")
        with repository.stream("rev-list", "--first-parent", repository.head) as out:
            for line in out:
                found.append(_number(line))
        self._sorted = array("Q", sorted(found))

    def __len__(self) -> int:
        return len(self._sorted)

    def __contains__(self, commit: str) -> bool:
        wanted = _number(commit)
        place = bisect_left(self._sorted, wanted)
        return place < len(self._sorted) and self._sorted[place] == wanted


def _number(commit: str | bytes) -> int:
    """The first 64 bits of an id, which no two commits of a repository share."""
    return int(commit[:16], 16)


def _read(commit: str, content: bytes) -> Brought:
    head, _, message = content.partition(b"\n\n")
    parents, author, written = [], "", "0"
    for line in head.decode(errors="replace").split("\n"):
        key, _, value = line.partition(" ")
        if key == "parent":
            parents.append(value)
        elif key == "author" and (person := _PERSON.match(value)):
            author, written = person[2] or person[1], person[3]
    if not head.startswith(b"tree "):
        raise RepositoryError(f"git: {commit} is no commit")
    return Brought(
        commit, tuple(parents), author, from_seconds(written), message.decode(errors="replace")
    )
