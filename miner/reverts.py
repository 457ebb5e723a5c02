"""What was taken back: by commit id, by pull request, or by nothing but its title."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.errors import RepositoryError
from core.git import Repository
from miner.history import Change

_TITLE = re.compile(
    r"revert(?:\([^)]*\))?!?:\s|revert(?:ed|s|ing)?\s+(?:[\"'“‘`]|(?:commits?|prs?)\b|#\d|GH-\d|"
    r"(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b)",
    re.IGNORECASE,
)
_COMMIT = re.compile(r"This reverts commits? ([0-9a-f]{7,64})")
_PULL = re.compile(r"^Reverts (?:[\w.-]+/[\w.-]+)?#(\d{1,9})\b", re.MULTILINE)
_QUOTED = re.compile(r"revert\s+[\"“](.*)[\"”]", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"\(#(\d{1,9})\)\s*$")
_MARKS = ("This reverts commit", "Reverts ")


def is_revert(title: str, message: str) -> bool:
    """Whether a change does nothing but take another one back.

    The message of a squash may quote reverts among the many commits that it was made of, and
    `Revert to the old rounding` is a fix like any other: neither is a revert.
    """
    if _TITLE.match(title):
        return True
    body = message.strip().partition("\n")[2].strip()
    return body.startswith("This reverts commit")


@dataclass
class Reverted:
    """What later commits took back and nothing put in place again."""

    commits: set[str] = field(default_factory=set)
    pulls: set[int] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)

    def has(self, commit: str, title: str, pull: int | None) -> bool:
        """Whether a change was taken back later."""
        return commit in self.commits or pull in self.pulls or title in self.titles

    def pass_by(self, change: Change) -> None:
        """Look at a change on the way from the newest to the oldest.

        A revert that names neither commit nor pull request takes back what has its title,
        as far as that is older.
        """
        quoted = _QUOTED.match(change.subject)
        if quoted is None or change.commit in self.commits:
            return
        if _COMMIT.search(change.message) or _PULL.search(change.message):
            return
        if number := _NUMBER.search(quoted[1]):
            self.pulls.add(int(number[1]))
        else:
            self.titles.add(quoted[1].strip())


def reverted(repository: Repository, *revisions: str) -> Reverted:
    """What the repository's commits, or other revisions, take back, merged branches included.

    Newest first: what takes a revert back comes before that revert.
    """
    found = Reverted()
    arguments = ("log", "--topo-order", "--fixed-strings", *(f"--grep={m}" for m in _MARKS))
    log = repository.git(
        *arguments, "-z", "--format=%H%n%B", *(revisions or (repository.head,)), "--"
    )
    for entry in log.split(b"\0"):
        commit, _, message = entry.decode(errors="replace").partition("\n")
        if commit and commit not in found.commits:
            found.commits |= _full_ids(repository, _COMMIT.findall(message))
            found.pulls |= {int(number) for number in _PULL.findall(message)}
    return found


def _full_ids(repository: Repository, names: Iterable[str]) -> set[str]:
    """Reverts name a commit by its full id, or by a short one that git can complete."""
    found = set()
    for name in names:
        try:
            found.add(name if len(name) in (40, 64) else repository.resolve(name))
        except RepositoryError:
            continue
    return found
