"""The stages that make records. Each does only what the run folder does not hold yet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from threading import Lock

from core.diff import split
from core.git import Snapshot
from core.outcomes import RULES
from core.types import Candidate, Dropped, Patch, Task, Verdict
from miner.candidate import added_lines
from miner.scores import leak, vagueness
from patchmark.batches import Attempt, Batches
from patchmark.rewriting import Gauge, is_about, originals, rewrite_all
from patchmark.run import Run
from patchmark.validated import Validated
from patchmark.workers import in_order, unordered
from sandbox.isolation import confinement
from sandbox.judge import Judge, verdict_key

_CALLS_AT_ONCE = 4


def validate_stage(run: Run) -> None:
    """Candidates → tasks, in the sample's order, until as many are proven as were asked for."""
    prover = _Prover(run)
    _prove(run, prover, run.chosen(), "validate")
    if run.settings.include_apart:
        _prove(run, prover, run.chosen(apart=True), "validate, apart")


def _prove(run: Run, prover: _Prover, candidates: Sequence[Candidate], stage: str) -> None:
    wanted, proven = run.settings.max_tasks, 0
    results = in_order(candidates, prover.prove, run.settings.workers)
    # Where there are more candidates than wanted tasks, the stage ends with the last such task:
    # then tasks are counted, else candidates.
    every_one = len(candidates) <= wanted
    with run.show.stage(stage, min(wanted, len(candidates))) as step, closing(results):
        for looked_at, result in enumerate(results, 1):
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
        self._making = Lock()

    def prove(self, candidate: Candidate) -> Task | Dropped:
        """The result, which is on disk when this returns."""
        with self._making:
            validator = self._run.validator
        key = validator.key(candidate)
        known = (self._tasks.get(candidate.id), self._drops.get(candidate.fix_commit))
        result = next((r for r in known if r is not None and r.key == key), None)
        result = result or self._remembered.get(key)
        if result is None or not self._holds(result):
            result = validator.validate(candidate)
            self._remembered.put(result)
        if isinstance(result, Task):
            # The proof may be older than what is known today about the change.
            result = result.model_copy(update=dict(candidate))
        if result not in known:
            self._run.folder.append(result)
        return result

    def _holds(self, result: Task | Dropped) -> bool:
        """A task is of use only while its image is there."""
        return isinstance(result, Dropped) or (self._run.engine.image_id(result.image) is not None)


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


def missing_patches(run: Run) -> list[Attempt]:
    """The attempts that have no final answer yet, with who is to make them."""
    patches = run.patches()
    return [
        (entrant, task, attempt)
        for task in run.all_tasks()
        for entrant in run.entrants
        for attempt in range(1, run.settings.attempts + 1)
        if not _is_final(run, patches.get((task.id, entrant.name, attempt)), task)
    ]


def solve_stage(run: Run) -> None:
    """Tasks → patches, for every entrant and attempt that has no final answer yet."""
    batches = Batches(run)
    _solve(run, batches.begin(missing_patches(run)))
    _solve(run, batches.wait())


def _solve(run: Run, missing: list[Attempt]) -> None:
    def one(item: Attempt) -> None:
        entrant, task, attempt = item
        files = Snapshot(run.repository, task.base_commit)
        run.folder.append(entrant.solve(task, files, attempt))

    with run.show.stage("solve", len(missing)) as step:
        for item, _ in unordered(missing, one, _CALLS_AT_ONCE):
            step.advance(item[0].name)


def judge_stage(run: Run) -> None:
    """Patches → verdicts, for every patch whose task, image and grader were not judged yet."""
    waiting = _unjudged(run)
    if not waiting:
        return
    held = confinement(run.engine, run.settings.limits)
    if run.confinement() != held:
        run.folder.append(held)
    judge = Judge(run.engine, run.settings.limits)

    def one(item: tuple[Task, Patch]) -> Verdict:
        verdict = judge.judge(*item)
        run.folder.append(verdict)
        return verdict

    with run.show.stage("judge", len(waiting)) as step:
        for _, verdict in unordered(waiting, one, run.settings.workers):
            step.advance(f"{verdict.entrant} {verdict.outcome}")


def _unjudged(run: Run) -> list[tuple[Task, Patch]]:
    tasks = {task.id: task for task in run.all_tasks()}
    verdicts = run.verdicts()
    waiting = []
    for key, patch in run.patches().items():
        task, known = tasks.get(patch.task_id), verdicts.get(key)
        if task is None or patch.entrant not in run.settings.models:
            continue
        wanted = verdict_key(task, patch, run.settings.limits)
        if known is None or known.key != wanted or RULES[known.outcome].again:
            waiting.append((task, patch))
    return waiting


def _is_final(run: Run, patch: Patch | None, task: Task) -> bool:
    if patch is None or not patch.stop.final:
        return False
    if patch.entrant == "reference":
        return patch.diff == task.gold_patch
    return is_about(patch, task, run.folder.exchanges)
