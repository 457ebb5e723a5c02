"""The stages that make records. Each does only what the run folder does not hold yet."""

from __future__ import annotations

from contextlib import closing

from core.git import Snapshot
from core.types import Candidate, Dropped, Outcome, Patch, Task, Verdict
from miner.mine import mine
from models.base import Entrant
from patchmark.run import Run, newest_first
from patchmark.sources import issues_for
from patchmark.validated import Validated
from patchmark.workers import in_order, unordered
from sandbox.judge import Judge, verdict_key

_CALLS_AT_ONCE = 4


def mine_stage(run: Run) -> None:
    """History → candidates. A commit that is known already is not written again."""
    known = {c.fix_commit for c in run.folder.read(Candidate)}
    gone = {(d.commit, d.reason) for d in run.folder.read(Dropped)}
    issues = issues_for(run.settings, run.repository, run.show.tell)
    commits = int(run.repository.text("rev-list", "--count", "--first-parent", "HEAD"))
    with run.show.stage("mine", max(commits - len(known), 0)) as step:
        for record in mine(run.repository, issues, known):
            if isinstance(record, Candidate) or (record.commit, record.reason) not in gone:
                run.folder.append(record)
            step.advance()


def validate_stage(run: Run) -> None:
    """Candidates → tasks, newest first, until as many are proven as were asked for."""
    candidates = sorted(_candidates(run), key=newest_first)
    if not candidates:
        return
    wanted, proven = run.settings.max_tasks, 0
    results = in_order(candidates, _Prover(run).prove, run.settings.workers)
    # Counted in tasks, not in candidates: the stage ends with the last task that is wanted.
    with run.show.stage("validate", min(wanted, len(candidates))) as step, closing(results):
        for looked_at, result in enumerate(results, 1):
            words = f"{looked_at} candidates run"
            if isinstance(result, Task):
                proven += 1
                step.advance(words)
            else:
                step.note(words)
            if proven >= wanted:
                break


class _Prover:
    """Validates a candidate unless this folder, or this machine, holds the proof already."""

    def __init__(self, run: Run):
        self._run = run
        self._validator = run.validator  # made here, once, and not by the first of many threads
        self._tasks = run.folder.latest(Task, lambda task: task.fix_commit)
        drops = (drop for drop in run.folder.read(Dropped) if drop.stage == "validate")
        self._drops = {drop.commit: drop for drop in drops}
        self._remembered = Validated(run.settings.cache)

    def prove(self, candidate: Candidate) -> Task | Dropped:
        """The result, which is on disk when this returns."""
        key = self._validator.key(candidate)
        task, drop = (each.get(candidate.fix_commit) for each in (self._tasks, self._drops))
        for known in (task, drop):
            if known is not None and known.key == key and self._holds(known):
                return known
        result = self._remembered.get(key)
        if result is None or not self._holds(result):
            result = self._validator.validate(candidate)
            self._remembered.put(result)
        if result != drop:
            self._run.folder.append(result)
        return result

    def _holds(self, result: Task | Dropped) -> bool:
        """A task is of use only while its image is there."""
        return isinstance(result, Dropped) or (self._run.engine.image_id(result.image) is not None)


def solve_stage(run: Run) -> None:
    """Tasks → patches, for every entrant and attempt that has no final answer yet."""
    patches = run.patches()
    missing = [
        (entrant, task, attempt)
        for task in run.tasks()
        for entrant in run.entrants
        for attempt in range(1, run.settings.attempts + 1)
        if not _is_final(patches.get((task.id, entrant.name, attempt)), task)
    ]

    def one(item: tuple[Entrant, Task, int]) -> None:
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
    judge = Judge(run.engine, run.settings.limits)

    def one(item: tuple[Task, Patch]) -> Verdict:
        verdict = judge.judge(*item)
        run.folder.append(verdict)
        return verdict

    with run.show.stage("judge", len(waiting)) as step:
        for _, verdict in unordered(waiting, one, run.settings.workers):
            step.advance(f"{verdict.entrant} {verdict.outcome}")


def _unjudged(run: Run) -> list[tuple[Task, Patch]]:
    tasks = {task.id: task for task in run.tasks()}
    verdicts = run.verdicts()
    waiting = []
    for key, patch in run.patches().items():
        task, known = tasks.get(patch.task_id), verdicts.get(key)
        if task is None or patch.entrant not in run.settings.models:
            continue
        wanted = verdict_key(task, patch, run.settings.limits)
        broken = known is not None and known.outcome is Outcome.ENVIRONMENT_BROKEN
        if known is None or known.key != wanted or broken:
            waiting.append((task, patch))
    return waiting


def _candidates(run: Run) -> list[Candidate]:
    later = {d.commit for d in run.folder.read(Dropped) if d.stage == "mine"}
    return [c for c in run.folder.read(Candidate) if c.fix_commit not in later]


def _is_final(patch: Patch | None, task: Task) -> bool:
    if patch is None or not patch.stop.final:
        return False
    return patch.entrant != "reference" or patch.diff == task.gold_patch
