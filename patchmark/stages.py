"""The stages that make records. Each does only what the run folder does not hold yet."""

from __future__ import annotations

from core.errors import UsageError
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
    tasks = run.folder.latest(Task, lambda task: task.id)
    drops = {d.commit: d.key for d in run.folder.read(Dropped) if d.stage == "validate"}
    remembered = Validated(run.settings.cache)
    wanted = run.settings.max_tasks
    if not candidates:
        return

    def one(candidate: Candidate) -> Task | Dropped:
        key = run.validator.key(candidate)
        done = tasks.get(candidate.id)
        if done is not None and done.key == key and run.engine.image_id(done.image):
            return done
        result = remembered.get(key)
        if isinstance(result, Task) and run.engine.image_id(result.image) is None:
            result = None
        if result is None:
            result = run.validator.validate(candidate)
            remembered.put(result)
        if isinstance(result, Task) or drops.get(candidate.fix_commit) != key:
            run.folder.append(result)
        return result

    # Counted in tasks, not in candidates: the stage ends with the last task that is wanted.
    with run.show.stage("validate", min(wanted, len(candidates))) as step:
        proven = 0
        for looked_at, result in enumerate(in_order(candidates, one, run.settings.workers), 1):
            if isinstance(result, Task):
                proven += 1
                step.advance(f"{looked_at} candidates run")
            if proven >= wanted:
                break


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
    tasks = {task.id: task for task in run.tasks()}
    verdicts = run.verdicts()
    asked_for = set(run.settings.models)
    judge = Judge(run.engine, run.settings.limits) if tasks else None
    waiting = []
    for key, patch in run.patches().items():
        task = tasks.get(patch.task_id)
        if task is None or patch.entrant not in asked_for:
            continue
        known = verdicts.get(key)
        wanted_key = verdict_key(task, patch, run.settings.limits)
        if (
            known is None
            or known.key != wanted_key
            or (known.outcome is Outcome.ENVIRONMENT_BROKEN)
        ):
            waiting.append((task, patch))

    def one(item: tuple[Task, Patch]) -> Verdict:
        if judge is None:
            raise UsageError("there is no task to judge")
        verdict = judge.judge(*item)
        run.folder.append(verdict)
        return verdict

    with run.show.stage("judge", len(waiting)) as step:
        for _, verdict in unordered(waiting, one, run.settings.workers):
            step.advance(f"{verdict.entrant} {verdict.outcome}")


def _candidates(run: Run) -> list[Candidate]:
    later = {d.commit for d in run.folder.read(Dropped) if d.stage == "mine"}
    return [c for c in run.folder.read(Candidate) if c.fix_commit not in later]


def _is_final(patch: Patch | None, task: Task) -> bool:
    if patch is None or not patch.stop.final:
        return False
    return patch.entrant != "reference" or patch.diff == task.gold_patch
