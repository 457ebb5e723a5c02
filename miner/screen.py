"""Which commits are worth running, and the reason for each one that is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from core.diff import FileDiff
from core.paths import NO_RULES, Kind, PathRules, kind_of
from core.types import DropReason
from miner.history import Change
from miner.kept import is_generated, is_manifest, says_generated
from miner.links import pull_number
from miner.part import Contents, Parts, may_hold_tests
from miner.reverts import Reverted, is_revert

MAX_CHANGED_LINES = 3000
"""Of the fix part. Generous: what a model can be asked for, not what is convenient."""
MAX_BLOB_BYTES = 5_000_000
"""Of any file of the change: it has to be read, applied and stored."""

_BOT = re.compile(r"\[bot\]|^(dependabot|renovate|pre-commit-ci|github-actions)\b", re.IGNORECASE)
_HUNK_HEADER = re.compile(r"^@@.*\n", re.MULTILINE)

Drop = tuple[DropReason, str]


def screen_change(change: Change, reverted: Reverted, rules: PathRules = NO_RULES) -> Drop | None:
    """Judge a commit by its metadata and file names alone. None = look at its patch."""
    if not change.parents:
        return DropReason.ROOT_COMMIT, ""
    if not change.paths:
        return DropReason.EMPTY, "a merge or commit without changes"
    if _BOT.search(change.author) or _BOT.search(change.email):
        return DropReason.BOT, change.author
    if is_revert(change.title, change.message):
        return DropReason.REVERT, ""
    if reverted.has(change.commit, change.subject, pull_number(change.message)):
        return DropReason.REVERTED_LATER, ""
    return _screen_paths(change.paths, rules)


def _screen_paths(paths: Collection[str], rules: PathRules) -> Drop | None:
    kinds = {path: kind_of(path, rules) for path in paths}
    found = set(kinds.values())
    if found <= {Kind.DOCUMENTATION}:
        return DropReason.DOCUMENTATION, ""
    source = [path for path, kind in kinds.items() if kind is Kind.SOURCE]
    if not source:
        others = [p for p, kind in kinds.items() if kind is not Kind.DOCUMENTATION]
        if all(is_manifest(path) for path in others):
            return DropReason.DEPENDENCIES, ""
        return DropReason.NO_SOURCE, "only tests, documentation or configuration"
    if all(is_generated(path) for path in source) and not rules.source:
        return DropReason.GENERATED, "only generated or vendored files"
    if Kind.TEST not in found and not any(may_hold_tests(path) for path in source):
        return DropReason.NO_TESTS, ""
    return None


def screen_objects(
    change: Change, sizes: Callable[[Sequence[str]], Sequence[int | None]]
) -> Drop | None:
    """Judge a commit by whether its files are here and can be handled."""
    blobs = [
        (file.path, blob)
        for file in change.files()
        if file.mode != "160000"
        for blob in (file.before, file.after)
        if blob is not None
    ]
    for (path, _), size in zip(blobs, sizes([blob for _, blob in blobs]), strict=True):
        if size is None:
            return DropReason.UNREADABLE, f"{path} is not in this clone (a partial clone?)"
        if size > MAX_BLOB_BYTES:
            megabytes = size / 1_000_000
            return DropReason.TOO_LARGE, f"{path} has {megabytes:.0f} MB"
    return None


def screen_parts(parts: Parts, contents: Contents, rules: PathRules = NO_RULES) -> Drop | None:
    """Judge a candidate by its patch, and where that is no help by its files."""
    source = [s for s in parts.fix if any(kind_of(p, rules) is Kind.SOURCE for p in s.paths)]
    texts = [text for s in source for path in s.paths for text in contents(path) if text]
    if not source:
        return DropReason.NO_SOURCE, "only tests, documentation or configuration"
    if not any(_of_tests(s, rules) for s in parts.tests):
        return DropReason.NO_TESTS, ""
    if not any(s.added or (s.binary and not s.deleted) for s in parts.tests):
        return DropReason.TESTS_ONLY_DELETED, ""
    # Attributes may have git show a text as if it were none.
    if all(section.binary for section in source) and not texts:
        return DropReason.BINARY, ""
    if texts and all(says_generated(text) for text in texts):
        return DropReason.GENERATED, "the files say that a tool made them"
    lines = sum(s.added + s.removed for s in parts.fix)
    if lines > MAX_CHANGED_LINES:
        return DropReason.TOO_LARGE, f"{lines} changed lines, more than {MAX_CHANGED_LINES}"
    if all(_only_whitespace(section) for section in source):
        return DropReason.FORMATTING, ""
    return None


def _of_tests(section: FileDiff, rules: PathRules) -> bool:
    """Files that only steer a run are no tests; tests inside of source files are some."""
    return any(kind_of(p, rules) in (Kind.TEST, Kind.SOURCE) for p in section.paths)


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
