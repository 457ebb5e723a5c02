"""The stages that ask entrants and judge what they answer, side by side where both are wanted.

Each service has a crew of its own, so that a slow one holds up nobody else, and each patch is
judged as soon as it is there. Work is only what the run folder does not hold yet.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from core.git import Snapshot
from core.types import Patch, Task, Verdict
from models.spec import service_of, works_in_a_container
from patchmark.batches import Batches
from patchmark.clock import AGENT
from patchmark.judging import Judging
from patchmark.missing import Missing, missing_patches
from patchmark.run import Run
from patchmark.workers import Crews

_HERE = 4
"""Attempts at once of entrants that ask no service."""


def solve_stage(run: Run) -> None:
    """Tasks → patches, for every entrant and attempt that has no final answer yet."""
    _ask(run, missing_patches(run), None, [])


def judge_stage(run: Run) -> None:
    """Patches → verdicts, for every patch whose task, image and grader were not judged yet."""
    judging = Judging(run)
    _flow(run, [], judging, judging.waiting())


def solve_and_judge(run: Run) -> None:
    """Tasks → patches → verdicts, each patch judged while others are still being written."""
    missing, judging = missing_patches(run), Judging(run)
    again = {one.key for one in missing}
    waiting = [
        (task, patch)
        for task, patch in judging.waiting()
        if (patch.task_id, patch.entrant, patch.attempt) not in again
    ]
    _ask(run, missing, judging, waiting)


def _ask(
    run: Run, missing: list[Missing], judging: Judging | None, waiting: list[tuple[Task, Patch]]
) -> None:
    """What is asked for in batches is handed in first, and waited for when all else is done."""
    batches = Batches(run)
    _flow(run, batches.begin(missing), judging, waiting)
    _flow(run, batches.wait(), judging, [])


def _flow(
    run: Run, missing: list[Missing], judging: Judging | None, waiting: list[tuple[Task, Patch]]
) -> None:
    to_judge = len(waiting) + (len(missing) if judging else 0)
    with (
        run.show.stage("solve", len(missing)) as solved,
        run.show.stage("judge", to_judge) as judged,
        Crews[_Solved | Verdict | None](run.lanes.close) as working,
    ):

        def judge(task: Task, patch: Patch) -> None:
            if judging is not None:
                work = partial(judging.verdict, task, patch)
                late = partial(run.clock.unless_late, work)
                working.submit("judge", run.place.at_once, late)

        if judging is not None and to_judge:
            judging.begin()  # an engine that is not there is said before money is spent
        for task, patch in waiting:
            judge(task, patch)
        for one in missing:
            _submit(run, working, one)
        for done in working.results():
            if isinstance(done, _Solved):
                solved.advance(done.patch.entrant)
                judge(done.task, done.patch)
            elif done is not None:
                judged.advance(f"{done.entrant} {done.outcome}")


@dataclass(frozen=True)
class _Solved:
    task: Task
    patch: Patch


def _submit(run: Run, working: Crews[_Solved | Verdict | None], one: Missing) -> None:
    """Have the crew of its service make one attempt."""
    contained = works_in_a_container(one.entrant.name)

    def work() -> _Solved:
        files = Snapshot(run.repository, one.task.base_commit)
        with run.clock.work(AGENT) if contained else nullcontext():
            patch = one.entrant.solve(one.task, files, one.attempt)
        run.clock.check()
        run.folder.append(patch)
        return _Solved(one.task, patch)

    crew, workers = crew_of(one.entrant.name)
    if contained:
        # In a crew of their own: who waits for a container keeps nobody from asking.
        crew, workers = f"{crew}, in containers", run.place.at_once
    working.submit(crew, workers, partial(run.clock.unless_late, work))


def crew_of(entrant: str) -> tuple[str, int]:
    """Who asks for an entrant, and how many of them.

    Twice as many as its service's lane ever lets, so that the next questions are written, and the
    last answers read, while no place in the lane is empty.
    """
    service = service_of(entrant)
    return (service.name, 2 * service.at_once) if service else ("here", _HERE)
