"""Repository → Candidates: every commit of the history ends as a candidate or with a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial

from core.diff import FileDiff, split
from core.errors import RepositoryError
from core.git import Repository
from core.paths import Kind, kind_of
from core.types import Candidate, Dropped, DropReason
from miner.history import Change, changes, merged_messages, patches, reverts
from miner.issues import Issues
from miner.screen import Drop, part, reverted_by, screen_change, screen_parts
from miner.statement import state


def mine(
    repository: Repository, issues: Issues, known: Collection[str] = ()
) -> Iterator[Candidate | Dropped]:
    """Look at every first-parent commit once: newest first, the dropped ones before the rest.

    `known` are commits that are candidates already: they stay what they are, and no issue is
    asked for again, unless a revert has come that drops them.
    """
    promising: dict[str, Change] = {}
    reverted = _taken_back(repository)
    for change in changes(repository):
        drop = screen_change(change, reverted)
        if drop is not None:
            yield _dropped(change, drop)
        elif change.commit not in known:
            promising[change.commit] = change
    for commit, patch in patches(repository, list(promising)):
        change = promising[commit]
        yield _candidate(change, patch, partial(merged_messages, repository, change), issues)


def _taken_back(repository: Repository) -> set[str]:
    """Ids of the commits that were reverted and stayed so."""
    found: set[str] = set()
    for commit, message in reverts(repository):
        if commit not in found:
            found |= _full_ids(repository, reverted_by(message))
    return found


def _full_ids(repository: Repository, names: list[str]) -> set[str]:
    """Reverts name a commit by its full id, or by a short one that git can complete."""
    found = set()
    for name in names:
        try:
            found.add(name if len(name) == 40 else repository.resolve(name))
        except RepositoryError:
            continue
    return found


def _candidate(
    change: Change, patch: bytes, merged: Callable[[], list[str]], issues: Issues
) -> Candidate | Dropped:
    try:
        sections = split(patch.decode())
    except UnicodeDecodeError:
        return _dropped(change, (DropReason.NOT_TEXT, "the patch is not UTF-8 text"))
    parts = part(sections)
    drop = screen_parts(parts)
    if drop is not None:
        return _dropped(change, drop)
    statement = state(change, merged, issues)
    return Candidate(
        id=change.commit[:12],
        base_commit=change.parents[0],
        fix_commit=change.commit,
        committed_at=change.committed_at,
        title=statement.title,
        statement=statement.text,
        statement_source=statement.source,
        issue=statement.issue,
        link_rule=statement.link_rule,
        gold_patch=_text(parts.fix),
        test_patch=_text(parts.tests),
        source_files=_paths(parts.fix, Kind.SOURCE),
        test_files=_paths(parts.tests, Kind.TEST),
    )


def _text(sections: tuple[FileDiff, ...]) -> str:
    return "".join(section.text for section in sections)


def _paths(sections: tuple[FileDiff, ...], kind: Kind) -> tuple[str, ...]:
    return tuple(sorted({p for s in sections for p in s.paths if kind_of(p) is kind}))


def _dropped(change: Change, drop: Drop) -> Dropped:
    reason, detail = drop
    return Dropped(
        commit=change.commit, title=change.title, stage="mine", reason=reason, detail=detail
    )
