"""Task + Patch → Verdict, from a fresh container that has only the patch of the model's."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import EngineError
from core.outcomes import RULES, WITHOUT_A_RUN, Cause, Outcome
from core.paths import NO_RULES
from core.types import Patch, Task, Verdict
from sandbox.base import last_lines
from sandbox.engine import Engine, Limits
from sandbox.mended import mended
from sandbox.protected import SteersTestsError, protects, touched, without_protected
from sandbox.results import Status, SuiteRun
from sandbox.suite import Order, Suite, run_suite
from sandbox.tampering import evidence
from sandbox.tripwires import Tripwire, split, tripwires
from sandbox.validate import GRADER


def verdict_key(task: Task, patch: Patch, limits: Limits) -> str:
    """Hash of task, patch, image and grader: a change of any of them is judged again."""
    parts = (
        GRADER,
        task.id,
        task.gold_patch,
        task.test_patch,
        repr((task.fail_to_pass, task.pass_to_pass, task.image, task.test_command, task.results)),
        repr((task.tripwires, task.habits, task.left_out)),
        repr((patch.diff, patch.stop.value, limits)),
        *([task.path_rules.model_dump_json()] if task.path_rules != NO_RULES else []),
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True)
class _Ending:
    outcome: Outcome
    cause: Cause | None
    detail: str = ""
    not_fixed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    dropped_edits: tuple[str, ...] = ()
    applied: str = ""
    evidence: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class Judge:
    """Judges patches on one engine."""

    engine: Engine
    limits: Limits
    attempts: int = 2
    """How often an engine that fails is asked in all, each time with a fresh container."""

    def judge(self, task: Task, patch: Patch) -> Verdict:
        """Every patch gets a verdict. Raises EngineError only when the engine is gone.

        An engine that fails at this task, time and again, but is still there makes the
        verdict `environment_broken`.
        """
        ending = self._ending(task, patch)
        return Verdict(
            task_id=task.id,
            entrant=patch.entrant,
            attempt=patch.attempt,
            key=verdict_key(task, patch, self.limits),
            **{**vars(ending), "detail": ending.detail[:1000]},
        )

    def _ending(self, task: Task, patch: Patch) -> _Ending:
        if patch.stop in WITHOUT_A_RUN:
            return _Ending(*WITHOUT_A_RUN[patch.stop], detail=patch.detail)
        if self.engine.image_id(task.image) is None:
            detail = f"image {task.image} is gone: run `patchmark validate` again"
            return _Ending(Outcome.ENVIRONMENT_BROKEN, Cause.ENVIRONMENT, detail)
        protected = protects(task)
        diff, words = mended(patch.diff)
        try:
            diff, dropped = without_protected(diff, protected)
        except SteersTestsError as error:
            return _inseparable(str(error))
        for attempt in range(1, self.attempts + 1):
            ending, suite = self._run(task, diff)
            if not RULES[ending.outcome].at_once or attempt == self.attempts:
                break
        if suite is None:
            return ending
        laid = suite.applied
        # What was really changed has the last word, however the diff was read before.
        if hidden := [path for path in laid.get("paths", ()) if protected(path, False)]:
            return _inseparable(", ".join(hidden))
        how = [laid.get("rung", ""), *sorted({*words, *laid.get("mended", ())})] if diff else []
        return replace(
            ending,
            dropped_edits=tuple(sorted({*dropped, *laid.get("restored", ())})),
            applied=", ".join(word for word in how if word),
            seconds=suite.ran.seconds,
        )

    def _run(self, task: Task, diff: str) -> tuple[_Ending, Suite | None]:
        """One fresh container; the engine's failures are the environment's."""
        wires = tripwires(task.test_files, task.test_command, task.tripwires)
        order = Order(
            image=task.image,
            command=task.test_command,
            results=task.results,
            model_diff=diff,
            test_diff=task.test_patch,
            test_paths=touched(task.test_patch),
            left_out=task.left_out,
            tripwires=wires,
            limits=self.limits,
        )
        try:
            suite = run_suite(self.engine, order)
        except EngineError as error:
            if not self.engine.answers():
                raise
            return _Ending(Outcome.ENVIRONMENT_BROKEN, Cause.ENVIRONMENT, str(error)), None
        return _grade(task, suite, wires), suite


def _inseparable(paths: str) -> _Ending:
    detail = f"edits protected files in a form that cannot be separated: {paths}"
    return _Ending(Outcome.DOES_NOT_APPLY, Cause.MODEL, detail)


def _grade(task: Task, suite: Suite, wires: Sequence[Tripwire]) -> _Ending:
    end = last_lines(suite.ran.output, 3)
    if suite.lost:
        detail = f"the judging itself did not come to its end: {end}"
        return _Ending(Outcome.ENVIRONMENT_BROKEN, Cause.PATCHMARK, detail)
    if suite.rejected == "model":
        return _Ending(Outcome.DOES_NOT_APPLY, Cause.MODEL, end)
    if suite.rejected == "test":
        detail = f"the task's own tests do not fit its base commit: {end}"
        return _Ending(Outcome.ENVIRONMENT_BROKEN, Cause.TASK, detail)
    if suite.ran.timed_out:
        return _Ending(Outcome.TIMED_OUT, Cause.MODEL, f"it {suite.ran.stopped}: {end}")
    told: dict[str, Status] = {}
    run = suite.run
    if run is not None:
        run, told = split(run, suite.applied.get("planted", ()))
    found = tuple(evidence(task, suite, tuple(wires), told))
    ending = _by_tests(task, run, suite, end)
    if not found:
        return ending
    return replace(
        ending,
        outcome=Outcome.TAMPERED,
        cause=Cause.MODEL,
        detail=f"{found[0]}{f' (and {len(found) - 1} more)' if len(found) > 1 else ''}",
        evidence=found,
    )


def _by_tests(task: Task, run: SuiteRun | None, suite: Suite, end: str) -> _Ending:
    if run is None or not run.ran:
        what = "out of memory" if suite.ran.out_of_memory else "the test run did not reach its end"
        what = f"it {suite.ran.stopped}" if suite.ran.stopped else what
        return _Ending(Outcome.FAILED, Cause.MODEL, f"{what}: {end}", task.fail_to_pass)
    not_fixed = tuple(n for n in task.fail_to_pass if run.status(n) is not Status.PASSED)
    broken = tuple(n for n in task.pass_to_pass if run.status(n) is not Status.PASSED)
    if not_fixed:
        counts = Counter(run.status(name).value for name in not_fixed)
        words = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        detail = f"{len(not_fixed)} of {len(task.fail_to_pass)} target tests do not pass: {words}"
        return _Ending(Outcome.FAILED, Cause.MODEL, detail, not_fixed, broken)
    if broken:
        detail = f"fixes the target, breaks {len(broken)} other tests"
        return _Ending(Outcome.REGRESSED, Cause.MODEL, detail, (), broken)
    return _Ending(Outcome.PASSED, None)
