"""Which commits are worth running, and the reason for each one that is not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from core.diff import FileDiff
from core.paths import Kind, kind_of
from core.types import DropReason
from miner.history import Change

MAX_CHANGED_LINES = 3000
"""Of the fix part. Generous: what a model can be asked for, not what is convenient."""

_BOT = re.compile(r"\[bot\]|^(dependabot|renovate|pre-commit-ci|github-actions)\b", re.IGNORECASE)
_REVERT = re.compile(r"^(revert\b[:\s]|Revert \")", re.IGNORECASE)
_REVERTED = re.compile(r"This reverts commit ([0-9a-f]{7,64})")

Drop = tuple[DropReason, str]


def reverted_by(change: Change) -> list[str]:
    """Ids (possibly short) of the commits that this commit takes back."""
    return _REVERTED.findall(change.message)


def screen_change(change: Change, reverted: Collection[str]) -> Drop | None:
    """Judge a commit by its metadata and file names alone. None = look at its patch."""
    kinds = {kind_of(path) for path in change.paths}
    if not change.parents:
        return DropReason.ROOT_COMMIT, ""
    if not change.paths:
        return DropReason.EMPTY, "a merge or commit without changes"
    if _BOT.search(change.author) or _BOT.search(change.email):
        return DropReason.BOT, change.author
    if _REVERT.match(change.subject) or reverted_by(change):
        return DropReason.REVERT, ""
    if change.commit in reverted:
        return DropReason.REVERTED_LATER, ""
    if kinds <= {Kind.DOCUMENTATION}:
        return DropReason.DOCUMENTATION, ""
    if Kind.SOURCE not in kinds:
        return DropReason.NO_SOURCE, "only tests, documentation or configuration"
    if Kind.TEST not in kinds:
        return DropReason.NO_TESTS, ""
    return None


@dataclass(frozen=True)
class Parts:
    """A change taken apart."""

    fix: tuple[FileDiff, ...]
    tests: tuple[FileDiff, ...]
    """Test files, and files that steer the test run."""


def part(sections: Collection[FileDiff]) -> Parts:
    """Sort the sections of a patch into fix and tests."""
    tests = [s for s in sections if any(_is_test(path) for path in s.paths)]
    fix = [s for s in sections if s not in tests]
    return Parts(tuple(fix), tuple(tests))


def screen_parts(parts: Parts) -> Drop | None:
    """Judge a candidate by its patch."""
    if sum(s.added for s in parts.tests) == 0 and not any(s.binary for s in parts.tests):
        return DropReason.TESTS_ONLY_DELETED, ""
    lines = sum(s.added + s.removed for s in parts.fix)
    if lines > MAX_CHANGED_LINES:
        return DropReason.TOO_LARGE, f"{lines} changed lines, more than {MAX_CHANGED_LINES}"
    source = [s for s in parts.fix if any(kind_of(p) is Kind.SOURCE for p in s.paths)]
    if all(_only_whitespace(section) for section in source):
        return DropReason.FORMATTING, ""
    return None


def _is_test(path: str) -> bool:
    return kind_of(path) in (Kind.TEST, Kind.RUNNER)


def _only_whitespace(section: FileDiff) -> bool:
    if section.binary:
        return False
    body = section.text.partition("\n@@")[2].split("\n")
    squeezed = [line[:1] + re.sub(r"\s+", "", line[1:]) for line in body]
    added = Counter(line[1:] for line in squeezed if line.startswith("+") and len(line) > 1)
    removed = Counter(line[1:] for line in squeezed if line.startswith("-") and len(line) > 1)
    return added == removed
