"""A change → its fix part and its test part, which together are exactly the change.

Files that steer how tests run go with the tests and are flagged; of a manifest that steers
them among other things, what changed decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.diff import FileDiff
from core.manifests import Steers, steering
from core.paths import Kind, PathRules, kind_of, named_by
from miner.part_cut import cut, lines_of
from miner.part_rust import classes, test_lines

Contents = Callable[[str], tuple[str | None, str | None]]
"""A path's text before and after the change; None where there is no such file, or no text."""


@dataclass(frozen=True)
class Parts:
    """The two sides of a change. Every section is on one side, or cut in two."""

    fix: tuple[FileDiff, ...]
    tests: tuple[FileDiff, ...]
    runner_files: tuple[str, ...]
    """Files, of either side, in which something changed that steers how tests run."""


def part(sections: Sequence[FileDiff], contents: Contents, rules: PathRules) -> Parts:
    """Take a change apart."""
    fix: list[FileDiff] = []
    tests: list[FileDiff] = []
    flagged: set[str] = set()
    for section in sections:
        steers = _steers(section, contents, rules)
        if steers is not Steers.NOTHING:
            flagged |= section.paths
        one, other = _sides(section, steers, contents, rules)
        fix += [one] if one else []
        tests += [other] if other else []
    return Parts(tuple(fix), tuple(tests), tuple(sorted(flagged)))


def may_hold_tests(path: str) -> bool:
    """Whether a source file can hold tests of its own that do not show in its name."""
    return PurePosixPath(path).suffix == ".rs"


def _steers(section: FileDiff, contents: Contents, rules: PathRules) -> Steers:
    """What a file's change does to the run of the tests."""
    found = Steers.NOTHING
    for path in section.paths:
        if named_by(rules, path) is not None:
            continue
        known = steering(path, *contents(path))
        if known is None:
            known = Steers.ALONE if kind_of(path, rules) is Kind.RUNNER else Steers.NOTHING
        found = max(found, known)
    return found


def _sides(
    section: FileDiff, steers: Steers, contents: Contents, rules: PathRules
) -> tuple[FileDiff | None, FileDiff | None]:
    kinds = {kind_of(path, rules) for path in section.paths}
    if steers is Steers.ALONE or not kinds.isdisjoint({Kind.TEST, Kind.RUNNER}):
        # The judge leaves a patch's edits to these out, so they cannot be part of the fix.
        return None, section
    path = next(iter(section.paths))
    if may_hold_tests(path) and len(section.paths) == 1 and not section.binary:
        return _of_rust(section, *contents(path)) or (section, None)
    return section, None


def _of_rust(
    section: FileDiff, before: str | None, after: str | None
) -> tuple[FileDiff | None, FileDiff | None] | None:
    if before is None or after is None:
        return None
    lines = (lines_of(before), lines_of(after))
    marks = (test_lines(before), test_lines(after))
    if marks[0] is None or marks[1] is None:
        return None
    of_both = (classes(lines[0], marks[0]), classes(lines[1], marks[1]))
    return cut(section, before, after, of_both)
