"""Repository → Candidates: every commit of the history ends as a candidate or with a reason.

Three passes, each of one git process: names of all commits; sizes of the files of those that
look promising; patches of those that can be read. What people say about them is asked last,
of the changes that are left, many at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.diff import split
from core.git import Repository
from core.objects import Objects
from core.paths import NO_RULES, PathRules
from core.types import Candidate, Dropped, DropReason
from miner.candidate import Contents, Found, candidates, find
from miner.history import Change, changes, patches
from miner.part import part
from miner.patch_id import patch_id
from miner.reverts import Reverted, reverted
from miner.screen import Drop, screen_change, screen_objects, screen_parts
from miner.sides import Sides, is_shared
from miner.spool import Spool
from miner.tracker import Tracker

_ASKED_AT_ONCE = 40
_ROUNDS = 10
_PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)\)")


@dataclass(frozen=True)
class Earlier:
    """What is remembered of a candidate of an earlier mining."""

    title: str
    pull_request: int | None = None
    patch_id: str = ""


@dataclass(frozen=True)
class Known:
    """An earlier mining of the same repository."""

    head: str | None = None
    """Where HEAD was; only what came since is read, if that lies on today's main line."""
    candidates: Mapping[str, Earlier] = field(default_factory=dict)
    """By fix commit. They stay what they are, unless a revert has come that drops them."""


NOTHING = Known()


def mine(
    repository: Repository,
    tracker: Tracker,
    *,
    rules: PathRules = NO_RULES,
    known: Known = NOTHING,
) -> Iterator[Candidate | Dropped]:
    """Look once at every first-parent commit, and at those that long-lived branches brought.

    Commits without promise come first, newest first; then candidates and what their patches
    rule out, oldest first, so that of equal changes the oldest stays.
    """
    with Objects(repository) as objects:
        mining = _Mining(repository, objects, tracker, rules, known)
        yield from mining.run()


class _Mining:
    def __init__(
        self,
        repository: Repository,
        objects: Objects,
        tracker: Tracker,
        rules: PathRules,
        known: Known,
    ):
        self._repository = repository
        self._objects = objects
        self._tracker = tracker
        self._rules = rules
        self._known = known
        self._sides = Sides(repository, objects)
        self._patch_ids = {
            earlier.patch_id: commit
            for commit, earlier in known.candidates.items()
            if earlier.patch_id
        }
        self._branches: list[str] = []
        """Tips of long-lived branches that were merged and are still to be looked at."""

    def run(self) -> Iterator[Candidate | Dropped]:
        head = self._known.head
        grown = head is not None and head in self._sides.main
        old = (f"^{head}",) if grown else ()
        taken_back = reverted(self._repository, self._repository.head, *old)
        yield from self._look_at(changes(self._repository, self._repository.head, *old), taken_back)
        yield from self._gone(taken_back)
        for _ in range(_ROUNDS):
            if not self._branches:
                return
            tips, self._branches = list(dict.fromkeys(self._branches)), []
            yield from self._look_at(self._sides.trunks(tips, old), taken_back)

    def _gone(self, taken_back: Reverted) -> Iterator[Dropped]:
        """Candidates of earlier that were taken back since, or that a new history lacks."""
        known = self._known.candidates
        sizes = self._objects.sizes(list(known))
        for (commit, earlier), size in zip(known.items(), sizes, strict=True):
            drop: Drop | None = None
            if size is None:
                drop = DropReason.UNREADABLE, "the commit is not in this clone any more"
            elif taken_back.has(commit, self._sides.subject(commit), earlier.pull_request):
                drop = DropReason.REVERTED_LATER, ""
            if drop is not None:
                yield _drop(commit, earlier.title, drop)

    def _look_at(
        self, stream: Iterator[Change], taken_back: Reverted
    ) -> Iterator[Candidate | Dropped]:
        with Spool() as spool:
            for change in stream:
                taken_back.pass_by(change)
                drop = screen_change(change, taken_back, self._rules)
                if drop is not None:
                    yield _dropped(change, drop)
                elif change.commit not in self._known.candidates:
                    spool.add(change)
            readable = bytearray(len(spool))
            for place, change in enumerate(spool.backwards()):
                drop = screen_objects(change, self._objects.sizes)
                readable[place] = drop is None
                if drop is not None:
                    yield _dropped(change, drop)
            yield from self._in_batches(spool, readable)

    def _in_batches(self, spool: Spool, readable: bytearray) -> Iterator[Candidate | Dropped]:
        batch: list[Found] = []
        for change, patch in self._patches(spool, readable):
            found = self._take_apart(change, patch)
            if isinstance(found, Found):
                batch.append(found)
            else:
                yield _dropped(change, found)
            if len(batch) == _ASKED_AT_ONCE:
                yield from candidates(batch, self._tracker, self._rules)
                batch = []
        yield from candidates(batch, self._tracker, self._rules)

    def _patches(self, spool: Spool, readable: bytearray) -> Iterator[tuple[Change, bytes]]:
        def chosen() -> Iterator[Change]:
            return (c for c, ok in zip(spool.backwards(), readable, strict=True) if ok)

        commits = [change.commit for change in chosen()]
        for change, (_, patch) in zip(chosen(), patches(self._repository, commits), strict=True):
            yield change, patch

    def _take_apart(self, change: Change, patch: bytes) -> Found | Drop:
        brought = self._sides.of(change)
        if is_shared(change, brought):
            self._branches += change.parents[1:]
            return DropReason.MERGE, f"of a shared branch; its {len(brought)} commits are looked at"
        try:
            sections = split(patch.decode())
        except UnicodeDecodeError:
            return DropReason.NOT_TEXT, "the patch is not UTF-8 text"
        contents = Contents(change, self._objects)
        parts = part(sections, contents, self._rules)
        drop = screen_parts(parts, contents, self._rules)
        if drop is not None:
            return drop
        identity = patch_id(sections)
        twin = self._twin(change, identity)
        if twin is not None:
            return DropReason.DUPLICATE, f"of {twin[:12]}"
        self._patch_ids[identity] = change.commit
        return find(change, parts, identity, contents, brought)

    def _twin(self, change: Change, identity: str) -> str | None:
        """The commit that brought the same change before."""
        if identity in self._patch_ids:
            return self._patch_ids[identity]
        for commit in _PICKED.findall(change.message):
            if commit in self._sides.main:
                return str(commit)
        return None


def _dropped(change: Change, drop: Drop) -> Dropped:
    return _drop(change.commit, change.title, drop)


def _drop(commit: str, title: str, drop: Drop) -> Dropped:
    reason, detail = drop
    return Dropped(commit=commit, title=title, stage="mine", reason=reason, detail=detail)
