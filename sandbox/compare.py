"""Both sides of a candidate compared: which tests prove a fix, and why none does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.types import DropReason, Unstable
from sandbox.results import Status, SuiteRun


@dataclass(frozen=True)
class Compared:
    """Both sides of a candidate, test by test."""

    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    unstable: tuple[Unstable, ...]


def compare(before: Sequence[SuiteRun], after: Sequence[SuiteRun]) -> Compared:
    """Sort the tests of two sides into lists, by what every run of a side agrees on.

    A test that cannot be imported before the fix, because it needs a name that the fix
    adds, is not reported there; with the rest of the suite running, that is a failure.
    """
    names = sorted({name for run in (*before, *after) for name in run.statuses})
    bad = {Status.FAILED, Status.ERROR, Status.MISSING}
    fail_to_pass, pass_to_pass, unstable = [], [], []
    for name in names:
        first = {run.status(name) for run in before}
        second = {run.status(name) for run in after}
        if len(first) > 1 or len(second) > 1:
            unstable.append(
                Unstable(test=name, before=_passes(before, name), after=_passes(after, name))
            )
        elif second == {Status.PASSED} and first <= bad:
            fail_to_pass.append(name)
        elif second == {Status.PASSED} and first == {Status.PASSED}:
            pass_to_pass.append(name)
    return Compared(tuple(fail_to_pass), tuple(pass_to_pass), tuple(unstable))


def _passes(runs: Sequence[SuiteRun], name: str) -> tuple[int, int]:
    return sum(run.status(name) is Status.PASSED for run in runs), len(runs)


def why_nothing(
    test_files: Sequence[str],
    found: Compared,
    before: Sequence[SuiteRun],
    after: Sequence[SuiteRun],
) -> tuple[DropReason, str]:
    """The reason, with its detail, why a candidate without FAIL_TO_PASS has none."""
    # A test that is not there each time has a changing name (a date, an address), not a flake.
    fixed_once = [
        name
        for name in (one.test for one in found.unstable)
        if any(run.status(name) is Status.PASSED for run in after)
        and all(run.status(name) is not Status.MISSING for run in after)
        and not all(run.status(name) is Status.PASSED for run in before)
    ]
    if fixed_once:
        return DropReason.FLAKY, ", ".join(fixed_once[:3])
    # Elsewhere in the suite a test may fail since long ago: no business of this change.
    own = {n: s for n, s in after[0].statuses.items() if n.partition("::")[0] in test_files}
    still = [n for n, s in own.items() if s in (Status.FAILED, Status.ERROR)]
    unread = [path for path in test_files if within(path, after[0].uncollected)]
    if unread:
        return DropReason.FAILS_AFTER_FIX, f"not importable with the fix: {', '.join(unread[:3])}"
    if still and not any(before[0].status(name) is Status.PASSED for name in still):
        return DropReason.FAILS_AFTER_FIX, ", ".join(sorted(still)[:3])
    # Elsewhere than in Python a test's id does not tell its file.
    if not own and all(path.endswith(".py") for path in test_files):
        return DropReason.NO_FAIL_TO_PASS, "no test of the changed files was run"
    return DropReason.NO_FAIL_TO_PASS, "the tests pass without the fix as well"


def within(path: str, places: Collection[str]) -> bool:
    """Whether a file is one of these, or lies in a folder that is."""
    parents = {str(parent) for parent in PurePosixPath(path).parents}
    return path in places or not parents.isdisjoint(places)
