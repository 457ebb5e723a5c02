"""Task + Patch → Verdict, from a fresh container that has only the patch of the model's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from core.diff import split
from core.errors import EngineError
from core.git import touched_paths
from core.paths import NO_RULES, PathRules, is_protected
from core.types import Cause, Outcome, Patch, Stop, Task, Verdict
from sandbox.base import last_lines
from sandbox.engine import Engine, Limits
from sandbox.results import Status
from sandbox.suite import Suite, retried, run_suite
from sandbox.validate import GRADER

_WITHOUT_A_RUN: dict[Stop, tuple[Outcome, Cause]] = {
    Stop.REFUSED: (Outcome.NO_PATCH, Cause.MODEL),
    Stop.EMPTY: (Outcome.NO_PATCH, Cause.MODEL),
    Stop.UNREADABLE: (Outcome.NO_PATCH, Cause.MODEL),
    Stop.TRUNCATED: (Outcome.NO_PATCH, Cause.MODEL),
    Stop.MISPLACED: (Outcome.DOES_NOT_APPLY, Cause.MODEL),
    Stop.PROVIDER_FAILED: (Outcome.PROVIDER_FAILED, Cause.PROVIDER),
    Stop.OVER_BUDGET: (Outcome.OVER_BUDGET, Cause.PATCHMARK),
}


def verdict_key(task: Task, patch: Patch, limits: Limits) -> str:
    """Hash of task, patch, image and grader: a change of any of them is judged again."""
    parts = (
        GRADER,
        task.id,
        task.gold_patch,
        task.test_patch,
        repr((task.fail_to_pass, task.pass_to_pass, task.image, task.test_command, task.results)),
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
            outcome=ending.outcome,
            cause=ending.cause,
            detail=ending.detail[:1000],
            not_fixed=ending.not_fixed,
            broken=ending.broken,
            dropped_edits=ending.dropped_edits,
            seconds=ending.seconds,
        )

    def _ending(self, task: Task, patch: Patch) -> _Ending:
        if patch.stop in _WITHOUT_A_RUN:
            return _Ending(*_WITHOUT_A_RUN[patch.stop], detail=patch.detail)
        if self.engine.image_id(task.image) is None:
            detail = f"image {task.image} is gone: run `patchmark validate` again"
            return _Ending(Outcome.ENVIRONMENT_BROKEN, Cause.ENVIRONMENT, detail)
        try:
            diff, dropped = without_protected(patch.diff, task.path_rules)
        except _SteersTestsError as error:
            detail = f"edits protected files in a form that cannot be separated: {error}"
            return _Ending(Outcome.DOES_NOT_APPLY, Cause.MODEL, detail)
        try:
            suite = retried(self.attempts, lambda: self._run(task, diff))
        except EngineError as error:
            if not self.engine.answers():
                raise
            return _Ending(Outcome.ENVIRONMENT_BROKEN, Cause.ENVIRONMENT, str(error))
        return _grade(task, suite, dropped)

    def _run(self, task: Task, diff: str) -> Suite:
        return run_suite(
            self.engine,
            image=task.image,
            command=task.test_command,
            results=task.results,
            model_diff=diff,
            test_diff=task.test_patch,
            limits=self.limits,
        )


class _SteersTestsError(Exception):
    """A diff touches protected files in a form that cannot be taken apart."""


def without_protected(diff: str, rules: PathRules = NO_RULES) -> tuple[str, tuple[str, ...]]:
    """The diff without its edits to tests and runner files, and the paths of those edits.

    `rules` are the task's, so that what the miner took for a test is one here too.
    """
    sections = split(diff)
    # Text without any section goes to git as it is: no edit at all is no passing edit.
    kept, dropped = [] if sections else [diff], []
    for section in sections:
        steers = [path for path in section.paths if is_protected(path, rules)]
        if steers:
            dropped += steers
        else:
            kept.append(section.text)
    text = "".join(kept)
    # git is the one that will apply it: what git reads in it decides, not our reading.
    hidden = [path for path in touched_paths(text) if is_protected(path, rules)]
    if hidden:
        raise _SteersTestsError(", ".join(hidden))
    # A name that is no UTF-8 is told with question marks: a verdict must be writable.
    return text, tuple(sorted(p.encode("utf-8", "replace").decode() for p in dropped))


def _grade(task: Task, suite: Suite, dropped: tuple[str, ...]) -> _Ending:
    seconds = suite.ran.seconds
    end = last_lines(suite.ran.output, 3)
    if suite.rejected == "model":
        return _Ending(
            Outcome.DOES_NOT_APPLY, Cause.MODEL, end, dropped_edits=dropped, seconds=seconds
        )
    if suite.rejected == "test":
        # The model made a file that a test needs to be made: its patch is in the way.
        detail = f"the tests cannot be laid over the patch: {end}"
        return _Ending(Outcome.FAILED, Cause.MODEL, detail, task.fail_to_pass, (), dropped, seconds)
    if suite.ran.timed_out:
        detail = f"stopped after {seconds:.0f} s"
        return _Ending(Outcome.TIMED_OUT, Cause.MODEL, detail, (), (), dropped, seconds)
    run = suite.run
    if run is None or not run.ran:
        what = "out of memory" if suite.ran.out_of_memory else "the test run did not reach its end"
        detail = f"{what}: {end}"
        return _Ending(Outcome.FAILED, Cause.MODEL, detail, task.fail_to_pass, (), dropped, seconds)
    not_fixed = tuple(n for n in task.fail_to_pass if run.status(n) is not Status.PASSED)
    broken = tuple(n for n in task.pass_to_pass if run.status(n) is not Status.PASSED)
    if not_fixed:
        detail = f"{len(not_fixed)} of {len(task.fail_to_pass)} target tests do not pass"
        return _Ending(Outcome.FAILED, Cause.MODEL, detail, not_fixed, broken, dropped, seconds)
    if broken:
        detail = f"fixes the target, breaks {len(broken)} other tests"
        return _Ending(Outcome.REGRESSED, Cause.MODEL, detail, (), broken, dropped, seconds)
    return _Ending(Outcome.PASSED, None, "", (), (), dropped, seconds)
