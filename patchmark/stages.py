"""The stages that make tasks. Each does only what the run folder does not hold yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from itertools import product
from typing import TypeVar

from core.diff import split
from core.types import Candidate, Dropped, Patch, Task
from miner.candidate import added_lines
from miner.scores import leak, vagueness
from patchmark import imported
from patchmark.clock import PROOF
from patchmark.judging import Judging
from patchmark.missing import is_final
from patchmark.rewriting import Gauge, originals, rewrite_all
from patchmark.run import Run
from patchmark.validated import Validated
from patchmark.workers import in_order

R = TypeVar("R", bound=Task | Dropped | None)


def validate_stage(run: Run) -> None:
    """Candidates → tasks, in the sample's order, until as many are proven as were asked for."""
    prover = _Prover(run)
    _prove(run, prover, apart=False)
    if run.settings.include_apart:
        _prove(run, prover, apart=True)
    for sentence in imported.unconfirmed(run.folder.path, run.all_tasks()):
        run.show.tell(sentence)


def _prove(run: Run, prover: _Prover, *, apart: bool) -> None:
    candidates, wanted, proven = run.chosen(apart=apart), run.most_tasks(apart=apart), 0
    if not wanted:  # a shard without a share
        return
    stage = "validate, apart" if apart else "validate"
    # Many machines must not prove many times what is wanted.
    at_once = min(run.place.at_once, max(run.settings.workers, 2 * wanted))
    results = prover.results(candidates, at_once)
    # Where there are more candidates than wanted tasks, the stage ends with the last such task:
    # then tasks are counted, else candidates.
    every_one = len(candidates) <= wanted
    with run.show.stage(stage, min(wanted, len(candidates))) as step, closing(results):
        for looked_at, result in enumerate(results, 1):
            if result is None:
                break
            is_task = isinstance(result, Task)
            proven += is_task
            words = f"{proven} tasks" if every_one else f"{looked_at} candidates run"
            (step.advance if every_one or is_task else step.note)(words)
            if proven >= wanted:
                break


class _Prover:
    """Validates a candidate unless this folder, or this machine, holds the proof already."""

    def __init__(self, run: Run):
        self._run = run
        self._tasks = originals(run.folder.read(Task))
        drops = (drop for drop in run.folder.read(Dropped) if drop.stage == "validate")
        self._drops = {drop.commit: drop for drop in drops}
        self._remembered = Validated(run.settings.cache, run.settings.redactor)

    def results(
        self, candidates: Sequence[Candidate], at_once: int
    ) -> Generator[Task | Dropped | None]:
        """In order. Those at the beginning of which nothing is left to do cost no look ahead."""
        left = deque(candidates)
        while left:
            result = self._known(left[0], self._run.place.key(left[0]))
            if result is None or not (isinstance(result, Dropped) or self._settled(result)):
                break
            yield self._noted(left.popleft(), result)
        with closing(in_order(left, self.prove, at_once)) as rest:
            yield from rest

    def prove(self, candidate: Candidate) -> Task | Dropped | None:
        """The result, which is on disk when this returns; None where no time is left for it."""
        return self._run.clock.unless_late(lambda: self._prove(candidate))

    def _prove(self, candidate: Candidate) -> Task | Dropped:
        key = self._run.place.key(candidate)
        result = self._known(candidate, key)
        if result is None or not self._stands(result):
            with self._run.clock.work(PROOF):
                result = self._run.place.validate(candidate)
            self._remembered.put(result)
        return self._noted(candidate, result)

    def _known(self, candidate: Candidate, key: str) -> Task | Dropped | None:
        found = self._in_folder(candidate)
        result = next((r for r in found if r is not None and r.key == key), None)
        return _about(candidate, result or self._remembered.get(key))

    def _in_folder(self, candidate: Candidate) -> tuple[Task | None, Dropped | None]:
        return self._tasks.get(candidate.id), self._drops.get(candidate.fix_commit)

    def _noted(self, candidate: Candidate, result: Task | Dropped) -> Task | Dropped:
        result = _about(candidate, result)
        if result not in self._in_folder(candidate):
            self._run.folder.append(result)
        return result

    def _stands(self, result: Task | Dropped) -> bool:
        """A task is of use while it can be run, or where nothing of it has to be run any more."""
        return isinstance(result, Dropped) or self._settled(result) or self._run.place.holds(result)

    def _settled(self, task: Task) -> bool:
        settings, (patches, judging) = self._run.settings, self._answers
        asked = product((task.id,), settings.models, range(1, settings.attempts + 1))
        return settings.rewrite_with is None and all(
            (patch := patches.get(one)) is not None
            and judging.known(task, patch) is not None
            and is_final(self._run, patch, task)
            for one in asked
        )

    @cached_property
    def _answers(self) -> tuple[Mapping[tuple[str, str, int], Patch], Judging]:
        return self._run.patches(), Judging(self._run)


def _about(candidate: Candidate, result: R) -> R:
    """A proof may be older than what is known today about the change."""
    return result.model_copy(update=dict(candidate)) if isinstance(result, Task) else result


def rewrite_stage(run: Run) -> None:
    """Tasks → the same tasks with statements that a model wrote, where that is asked for."""
    if run.rewriter is None:
        return
    tasks = run.all_tasks()
    gauge = Gauge(
        leak=lambda text, patch: leak(text, added_lines(split(patch))),
        vagueness=vagueness,
        leak_limit=run.settings.choice.max_leak,
    )
    before = originals(run.folder.read(Task))
    with run.show.stage("rewrite", len(tasks)) as step:
        done = rewrite_all(tasks, before, run.rewriter, gauge, run.folder.append, step)
    run.show.tell(done.summary)
