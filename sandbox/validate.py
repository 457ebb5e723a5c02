"""Candidate → Task: a task is what fails before the fix and passes after it, every time.

Each side runs in a fresh container of its own, several times with different hash seeds;
what does not give the same result each time is unstable and proves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from core.errors import EngineError
from core.types import Candidate, Dropped, DropReason, Task
from sandbox.base import last_lines
from sandbox.engine import Engine, Limits
from sandbox.image import BrokenEnvironmentError, Images, Prepared
from sandbox.recipe import PYTEST, EnvironmentSettings
from sandbox.results import Status, SuiteRun
from sandbox.suite import Suite, retried, run_suite

GRADER = "6"
"""Raise when the same patch may get another verdict than before."""


_FOR_NOW = ""
"""The key of a drop that stands for this time only: the next run tries again."""


@dataclass(frozen=True)
class Validator:
    """Proves candidates. `runs` counts the repetitions on each side."""

    engine: Engine
    images: Images
    settings: EnvironmentSettings
    limits: Limits
    runs: int = 3
    attempts: int = 2
    """How often an engine that fails is asked in all; images made meanwhile are kept."""

    def key(self, candidate: Candidate) -> str:
        """Equal key = validating again would do the same again.

        Made of what is run, and not of what is said about it: a statement proves nothing.
        """
        recipe = self.images.recipe(candidate.base_commit, candidate.committed_at)
        parts = (
            GRADER,
            candidate.fix_commit,
            candidate.base_commit,
            candidate.gold_patch,
            candidate.test_patch,
            repr(candidate.test_files),
            repr(recipe),
            recipe.inputs,
            repr((self.settings, self.limits, self.runs)),
        )
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]

    def validate(self, candidate: Candidate) -> Task | Dropped:
        """Build, run both sides, compare. Raises EngineError only when the engine is gone.

        An engine that fails at this candidate, time and again, but is still there makes
        the candidate `environment_broken`.
        """
        key = self.key(candidate)
        try:
            return retried(self.attempts, lambda: self._prove(candidate, key))
        except EngineError as error:
            if not self.engine.answers():
                raise
            return _drop(candidate, _FOR_NOW, DropReason.ENVIRONMENT_BROKEN, str(error))

    def _prove(self, candidate: Candidate, key: str) -> Task | Dropped:
        try:
            prepared = self.images.prepare(candidate.base_commit, candidate.committed_at)
        except BrokenEnvironmentError as error:
            tried = key if error.lasting else _FOR_NOW
            return _drop(candidate, tried, DropReason.ENVIRONMENT_BROKEN, str(error))
        command = (*PYTEST, *self.settings.pytest_args)
        before = self._side(prepared, command, "", candidate.test_patch)
        after = self._side(prepared, command, candidate.gold_patch, candidate.test_patch)
        # Before the fix it may be that no test can even be imported; the same environment runs
        # them after it, so that is not the environment's doing.
        trouble = _trouble(after, "after the fix", all(run.ran for run in after.runs)) or _trouble(
            before, "before the fix", all(run.ended for run in before.runs)
        )
        if trouble is not None:
            return _drop(candidate, key, *trouble)
        found = compare(before.runs, after.runs)
        if not found.fail_to_pass:
            why = _why_nothing(candidate.test_files, found, before.runs, after.runs)
            return _drop(candidate, key, *why)
        return Task(
            **candidate.model_dump(exclude={"schema_version"}),
            fail_to_pass=found.fail_to_pass,
            pass_to_pass=found.pass_to_pass,
            unstable=found.unstable,
            image=prepared.image,
            python=prepared.recipe.python,
            test_command=command,
            key=key,
        )

    def _side(
        self, prepared: Prepared, command: Sequence[str], model_diff: str, test_diff: str
    ) -> Suite:
        return run_suite(
            self.engine,
            image=prepared.image,
            command=command,
            model_diff=model_diff,
            test_diff=test_diff,
            # The limit is for one run of the suite, and one container runs it several times.
            limits=replace(self.limits, seconds=self.limits.seconds * self.runs),
            seeds=range(self.runs),
        )


@dataclass(frozen=True)
class Compared:
    """Both sides of a candidate, test by test."""

    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    unstable: tuple[str, ...]


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
            unstable.append(name)
        elif second == {Status.PASSED} and first <= bad:
            fail_to_pass.append(name)
        elif second == {Status.PASSED} and first == {Status.PASSED}:
            pass_to_pass.append(name)
    return Compared(tuple(fail_to_pass), tuple(pass_to_pass), tuple(unstable))


def _trouble(suite: Suite, side: str, told: bool) -> tuple[DropReason, str] | None:
    """Why a side says nothing about tests, None where it does."""
    end = last_lines(suite.ran.output)
    if suite.rejected:
        return DropReason.ENVIRONMENT_BROKEN, f"{suite.rejected} patch rejected {side}: {end}"
    if suite.ran.timed_out:
        return DropReason.TIMED_OUT, f"{side}, after {suite.ran.seconds:.0f} s"
    if not suite.runs or not told:
        return DropReason.ENVIRONMENT_BROKEN, f"no tests ran {side}: {end}"
    return None


def _why_nothing(
    test_files: Sequence[str],
    found: Compared,
    before: Sequence[SuiteRun],
    after: Sequence[SuiteRun],
) -> tuple[DropReason, str]:
    # A test that is not there each time has a changing name (a date, an address), not a flake.
    fixed_once = [
        name
        for name in found.unstable
        if any(run.status(name) is Status.PASSED for run in after)
        and all(run.status(name) is not Status.MISSING for run in after)
        and not all(run.status(name) is Status.PASSED for run in before)
    ]
    if fixed_once:
        return DropReason.FLAKY, ", ".join(fixed_once[:3])
    # Elsewhere in the suite a test may fail since long ago: no business of this change.
    own = {n: s for n, s in after[0].statuses.items() if n.partition("::")[0] in test_files}
    still = [n for n, s in own.items() if s in (Status.FAILED, Status.ERROR)]
    unread = [path for path in test_files if _within(path, after[0].uncollected)]
    if unread:
        return DropReason.FAILS_AFTER_FIX, f"not importable with the fix: {', '.join(unread[:3])}"
    if still and not any(before[0].status(name) is Status.PASSED for name in still):
        return DropReason.FAILS_AFTER_FIX, ", ".join(sorted(still)[:3])
    if not own:
        return DropReason.NO_FAIL_TO_PASS, "no test of the changed files was run"
    return DropReason.NO_FAIL_TO_PASS, "the tests pass without the fix as well"


def _within(path: str, places: Collection[str]) -> bool:
    """Whether a file is one of these, or lies in a folder that is."""
    parents = {str(parent) for parent in PurePosixPath(path).parents}
    return path in places or not parents.isdisjoint(places)


def _drop(candidate: Candidate, key: str, reason: DropReason, detail: str) -> Dropped:
    return Dropped(
        commit=candidate.fix_commit,
        title=candidate.title,
        stage="validate",
        reason=reason,
        detail=detail[:500],
        key=key,
    )
