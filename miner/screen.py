"""Which commits are worth running, and the reason for each one that is not."""

from __future__ import annotations

import re
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
_HUNK_HEADER = re.compile(r"^@@.*\n", re.MULTILINE)
_REVERTED = re.compile(r"This reverts commit ([0-9a-f]{7,64})")

Drop = tuple[DropReason, str]


def reverted_by(message: str) -> list[str]:
    """Ids (possibly short) of the commits that a message says it takes back."""
    return _REVERTED.findall(message)


def screen_change(change: Change, reverted: Collection[str]) -> Drop | None:
    """Judge a commit by its metadata and file names alone. None = look at its patch."""
    kinds = {kind_of(path) for path in change.paths}
    if not change.parents:
        return DropReason.ROOT_COMMIT, ""
    if not change.paths:
        return DropReason.EMPTY, "a merge or commit without changes"
    if _BOT.search(change.author) or _BOT.search(change.email):
        return DropReason.BOT, change.author
    if _REVERT.match(change.title) or reverted_by(change.message):
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
    fix = [s for s in sections if not any(_is_test(path) for path in s.paths)]
    return Parts(tuple(fix), tuple(tests))


def screen_parts(parts: Parts) -> Drop | None:
    """Judge a candidate by its patch."""
    if sum(s.added for s in parts.tests) == 0 and not any(
        s.binary and not s.deleted for s in parts.tests
    ):
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
    return all(_same_words(hunk) for hunk in _HUNK_HEADER.split(section.text)[1:])


def _same_words(hunk: str) -> bool:
    """Nothing moved, and nothing indented anew: in Python both change what the code does."""
    lines = [line for line in hunk.split("\n") if line[1:].strip()]
    before = [line[1:] for line in lines if line.startswith((" ", "-"))]
    after = [line[1:] for line in lines if line.startswith((" ", "+"))]
    old, new = ["".join(line.split()) for line in before], ["".join(line.split()) for line in after]
    if old == new:
        return [_indent(line) for line in before] == [_indent(line) for line in after]
    return "".join(old) == "".join(new)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
