"""Candidate → Task: a task is what fails before the fix and passes after it, every time.

Each side runs several times, each in a fresh container and with a hash seed of its own;
what does not give the same result each time is unstable and proves nothing.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from core.errors import EngineError
from core.types import Candidate, Dropped, DropReason, Environment, Task
from sandbox.base import last_lines
from sandbox.compare import compare, why_nothing
from sandbox.engine import Engine, Limits
from sandbox.image import BrokenEnvironmentError, Images, Prepared
from sandbox.recipe import EnvironmentSettings, Recipe
from sandbox.side import Side
from sandbox.suite import Order, Suite, fixed, retried, run_suite
from sandbox.tripwires import tripwires

GRADER = "10"
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
        """See `proof_key`."""
        recipes = self.images.recipes(candidate.base_commit, candidate.committed_at)
        return proof_key(candidate, recipes, self.settings, self.limits, self.runs)

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

    def brings(self, task: Task) -> bool:
        """Whether the very image of a proven task is here, or can be fetched.

        One that is built anew is another. Raises EngineError.
        """
        if self.engine.image_id(task.image) is not None:
            return True
        with suppress(BrokenEnvironmentError):
            for recipe in self.images.recipes(task.base_commit, task.committed_at):
                if self.images.fetched(task.base_commit, recipe) == task.image:
                    return True
        return False

    def _prove(self, candidate: Candidate, key: str) -> Task | Dropped:
        """By the first recipe that works; what the first one said counts if none does."""
        first: BrokenEnvironmentError | None = None
        for recipe in self.images.recipes(candidate.base_commit, candidate.committed_at):
            try:
                prepared = self.images.prepare(candidate.base_commit, recipe)
                return self._with(prepared, candidate, key)
            except BrokenEnvironmentError as error:
                first = first or error
        tried = key if first is None or first.lasting else _FOR_NOW
        return _drop(candidate, tried, DropReason.ENVIRONMENT_BROKEN, str(first))

    def _with(self, prepared: Prepared, candidate: Candidate, key: str) -> Task | Dropped:
        order = Order(
            image=prepared.image,
            command=prepared.recipe.test_script(),
            results=prepared.recipe.results,
            test_diff=candidate.test_patch,
            trusted=True,
            limits=self.limits,
        )
        scope: Literal["suite", "files"] = "suite"
        sides = self._sides(order, candidate)
        files = [path for path in candidate.test_files if _is_run(path)]
        if any(side.last.ran.timed_out for side in sides) and prepared.recipe.narrows and files:
            order = replace(order, command=f"{order.command} {shlex.join(files)}")
            scope, sides = "files", self._sides(order, candidate)
        before, after = sides
        # Before the fix it may be that no test can even be imported; the same environment runs
        # them after it, so that is not the environment's doing.
        trouble = _trouble(after, "after the fix", all(run.ran for run in after.runs)) or _trouble(
            before, "before the fix", all(run.ended for run in before.runs)
        )
        if trouble is not None:
            return _drop(candidate, key, *trouble)
        found = compare(before.runs, after.runs)
        if not found.fail_to_pass:
            why = why_nothing(candidate.test_files, found, before.runs, after.runs)
            return _drop(candidate, key, *why)
        return Task(
            **candidate.model_dump(exclude={"schema_version"}),
            fail_to_pass=found.fail_to_pass,
            pass_to_pass=found.pass_to_pass,
            unstable=found.unstable,
            scope=scope,
            left_out=after.last.order.left_out,
            image=prepared.image,
            environment=self._environment(prepared, after.last),
            tripwires=after.tripwires,
            habits=tuple(sorted({habit for run in after.runs for habit in run.habits})),
            test_command=order.command,
            results=prepared.recipe.results,
            key=key,
        )

    def _sides(self, order: Order, candidate: Candidate) -> tuple[Side, Side]:
        """Both, and where one bad file takes all tests with it, again without that file."""
        fix = replace(order, model_diff=candidate.gold_patch)
        after, kinds = self._side(fix, candidate), None
        if after.fell_as_a_whole:
            bare = self._side(fix, candidate, kinds=())
            if not bare.fell_as_a_whole:
                after, kinds = bare, ()
            elif bad := after.bad_files(candidate.path_rules):
                order = replace(order, left_out=bad)
                after = self._side(replace(fix, left_out=bad), candidate)
        before = self._side(order, candidate, kinds=kinds)
        if before.fell_as_a_whole:
            before = self._without_bad(order, candidate, before, after)
        return before, after

    def _without_bad(self, order: Order, candidate: Candidate, fallen: Side, after: Side) -> Side:
        """Before the fix, without its tests: what passes then is told from what the fix brings.

        Where a fix has changed tests and has brought none, that tells nothing: then the files
        themselves are left out, and what was in them failed.
        """
        bare = self._side(replace(order, test_diff=""), candidate)
        if bare.fell_as_a_whole or compare(bare.runs, after.runs).fail_to_pass:
            return bare
        left_out = (*order.left_out, *candidate.test_files)
        for other in (self._side(replace(order, left_out=left_out), candidate), fallen):
            ended = all(run.ended for run in other.runs)
            if ended and compare(other.runs, after.runs).fail_to_pass:
                return other
        return bare

    def _environment(self, prepared: Prepared, suite: Suite) -> Environment:
        resolved = suite.note("resolved.txt")
        return Environment(
            recipe=prepared.recipe.found_in,
            toolchain=" ".join(suite.note("toolchain.txt")[:1]) or prepared.recipe.toolchain.name,
            resolved=tuple(line.removeprefix("# ") for line in resolved),
            cpus=self.limits.cpus,
            fixed=fixed(self.limits),
        )

    def _side(
        self, order: Order, candidate: Candidate, kinds: Collection[str] | None = None
    ) -> Side:
        """As many runs as wanted, each in a fresh container; what cannot run is not repeated."""
        suites: list[Suite] = []
        for seed in range(self.runs):
            wires = tripwires(candidate.test_files, order.command, kinds)
            suite = run_suite(self.engine, replace(order, tripwires=wires, seed=seed))
            if suite.lost:
                raise EngineError(f"judging was cut off: {last_lines(suite.ran.output, 3)}")
            suites.append(suite)
            if suite.run is None or suite.ran.timed_out:
                break
        return Side(tuple(suites))


def proof_key(
    candidate: Candidate,
    recipes: list[Recipe],
    settings: EnvironmentSettings,
    limits: Limits,
    runs: int,
) -> str:
    """Equal key = validating again would do the same again.

    Made of what is run, and not of what is said about it: a statement proves nothing.
    """
    parts = (
        GRADER,
        candidate.fix_commit,
        candidate.base_commit,
        candidate.gold_patch,
        candidate.test_patch,
        repr(candidate.test_files),
        repr([(recipe, recipe.inputs) for recipe in recipes]),
        repr((settings, limits, runs)),
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _is_run(path: str) -> bool:
    """Whether a runner can be given this file: fixtures and data are no tests by themselves."""
    name = PurePosixPath(path).name
    return re.search(r"^test.*\.py$|tests?\.py$|[._-](test|spec)\.[cm]?[jt]sx?$", name) is not None


def _trouble(of: Side, side: str, told: bool) -> tuple[DropReason, str] | None:
    """Why a side says nothing about tests, None where it does.

    Raises BrokenEnvironmentError where another recipe may do better.
    """
    suite = of.last
    end = last_lines(suite.ran.output)
    if suite.rejected:
        return DropReason.ENVIRONMENT_BROKEN, f"{suite.rejected} patch rejected {side}: {end}"
    if suite.ran.timed_out:
        return DropReason.TIMED_OUT, f"{side}, it {suite.ran.stopped}"
    if suite.run is None or not told:
        why = f"it {suite.ran.stopped}: " if suite.ran.stopped else ""
        raise BrokenEnvironmentError(f"no tests ran {side}: {why}{end}")
    return None


def _drop(candidate: Candidate, key: str, reason: DropReason, detail: str) -> Dropped:
    return Dropped(
        commit=candidate.fix_commit,
        title=candidate.title,
        stage="validate",
        reason=reason,
        detail=detail[:500],
        key=key,
    )
