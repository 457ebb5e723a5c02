"""One change → a Candidate: all that lies between two commits, as a pull request has it.

However it was merged, by a merge commit, by one commit or by several, and also where it is not
merged yet, the task is the same: everything from `base` to `head`.
"""

from __future__ import annotations

import os
from dataclasses import replace

from core.diff import split
from core.git import Repository
from core.objects import Objects
from core.paths import NO_RULES, PathRules
from core.types import Candidate, Dropped, DropReason
from miner.candidate import Contents, candidates, find
from miner.history import Change, changes
from miner.part import part
from miner.patch_id import patch_id
from miner.reverts import Reverted
from miner.screen import Drop, screen_change, screen_objects, screen_parts
from miner.sides import Brought, Sides
from miner.tracker import Tracker

_DIFF = (
    "diff-tree", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
    "--ignore-submodules=all",
)  # fmt: skip
_PATCH = (
    "-p", "--binary", "--full-index", "--src-prefix=a/", "--dst-prefix=b/",
    "--diff-algorithm=histogram",
)  # fmt: skip


def one(
    repository: Repository,
    tracker: Tracker,
    base: str,
    head: str,
    *,
    pull_request: int | None = None,
    rules: PathRules = NO_RULES,
) -> Candidate | Dropped:
    """The candidate that all from `base` to `head` makes, or why it makes none.

    `pull_request` = the one that brought it, where that is known; else the commit's message, or
    the tracker, may tell. Raises RepositoryError for a commit that is not here.
    """
    with Objects(repository) as objects:
        sides = Sides(repository, objects)
        found = _change(repository, base, head)
        merge = _is_merge(found, base)
        brought = sides.of(found) if merge else sides.between(base, head)
        message = found.message if merge else "\n\n".join(one.message for one in brought)
        change = _by_whom(replace(found, parents=(base,), message=message), brought)
        contents = Contents(change, objects)
        drop = screen_change(change, Reverted(), rules) or screen_objects(change, objects.sizes)
        if drop is not None:
            return _dropped(change, drop)
        try:
            sections = split(repository.git(*_DIFF, *_PATCH, base, head).decode())
        except UnicodeDecodeError:
            return _dropped(change, (DropReason.NOT_TEXT, "the patch is not UTF-8 text"))
        parts = part(sections, contents, rules)
        drop = screen_parts(parts, contents, rules)
        if drop is not None:
            return _dropped(change, drop)
        told = find(change, parts, patch_id(sections), contents, brought)
        (made,) = candidates([replace(told, brought_by=pull_request)], tracker, rules)
        return made


def _change(repository: Repository, base: str, head: str) -> Change:
    """The commit `head`, with the files that differ from `base`."""
    (last,) = changes(repository, head, without=("-1",))
    tokens = iter(repository.git(*_DIFF, "--raw", "--no-abbrev", "-z", base, head).split(b"\0"))
    raw, paths = [], []
    for token in tokens:
        if token:
            raw.append(token[1:])
            paths.append(os.fsdecode(next(tokens, b"")))
    return replace(last, paths=tuple(paths), raw=tuple(raw))


def _is_merge(change: Change, base: str) -> bool:
    return len(change.parents) > 1 and change.parents[0] == base


def _by_whom(change: Change, brought: list[Brought]) -> Change:
    """A merge queue's own commits are by a bot, whoever did the work."""
    if not brought:
        return change
    who = brought[-1].author
    return replace(change, author=who, email=who)


def _dropped(change: Change, drop: Drop) -> Dropped:
    reason, detail = drop
    return Dropped(
        commit=change.commit, title=change.title, stage="mine", reason=reason, detail=detail
    )
