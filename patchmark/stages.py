"""The stages that make tasks. Each does only what the run folder does not hold yet."""

from __future__ import annotations

from contextlib import closing

from core.diff import split
from core.types import Candidate, Dropped, Task
from miner.candidate import added_lines
from miner.scores import leak, vagueness
from patchmark import imported
from patchmark.clock import PROOF
from patchmark.rewriting import Gauge, originals, rewrite_all
from patchmark.run import Run
from patchmark.validated import Validated
from patchmark.workers import in_order


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
    results = in_order(candidates, prover.prove, run.place.at_once)
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

    def prove(self, candidate: Candidate) -> Task | Dropped | None:
        """The result, which is on disk when this returns; None where no time is left for it."""
        return self._run.clock.unless_late(lambda: self._prove(candidate))

    def _prove(self, candidate: Candidate) -> Task | Dropped:
        place = self._run.place
        key = place.key(candidate)
        known = (self._tasks.get(candidate.id), self._drops.get(candidate.fix_commit))
        result = next((r for r in known if r is not None and r.key == key), None)
        result = result or self._remembered.get(key)
        if result is None or (isinstance(result, Task) and not place.holds(result)):
            with self._run.clock.work(PROOF):
                result = place.validate(candidate)
            self._remembered.put(result)
        if isinstance(result, Task):
            # The proof may be older than what is known today about the change.
            result = result.model_copy(update=dict(candidate))
        if result not in known:
            self._run.folder.append(result)
        return result


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
