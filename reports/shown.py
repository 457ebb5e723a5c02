"""Which tasks the page holds: all of them, until a browser would choke on their attempts."""

from __future__ import annotations

from collections.abc import Sequence

from core.report import Report, TaskRow
from reports.html_tasks import is_shown
from reports.words import BASELINES

MOST_ATTEMPTS = 10_000
"""On one page, those of tasks kept apart not counted; `benchmarks/page.py` shows how it opens."""


def shown(report: Report) -> frozenset[str]:
    """Ids of the tasks on the page: where a baseline misbehaved, then the first of the report."""
    return frozenset(task.id for tasks in _both(report) for task in _chosen(tasks))


def shown_of(report: Report) -> Report:
    """The same report without the tasks that are not on the page."""
    tasks, apart = (tuple(_chosen(tasks)) for tasks in _both(report))
    return report.model_copy(update={"tasks": tasks, "apart_tasks": apart})


def shown_note(report: Report) -> str:
    """What the page does not hold, in a sentence or two; empty where it holds all."""
    every = sum(map(len, _both(report)))
    here = len(shown(report))
    if here == every:
        return ""
    return (
        f"So that it opens at once, this page holds {here:,} of {every:,} tasks: those where a "
        "baseline did not do what it must, and the newest. Every number above is of all tasks, and "
        "so is the CSV; the other tasks, with their patches, are in report.json."
    )


def _both(report: Report) -> tuple[Sequence[TaskRow], Sequence[TaskRow]]:
    return report.tasks, report.apart_tasks


def _chosen(tasks: Sequence[TaskRow]) -> list[TaskRow]:
    """In the order of the report."""
    room = MOST_ATTEMPTS // max([1, *(len(task.cells) for task in tasks)])
    if len(tasks) <= room:
        return list(tasks)
    places = sorted(range(len(tasks)), key=lambda at: not _misbehaves(tasks[at]))
    return [tasks[at] for at in sorted(places[:room])]


def _misbehaves(task: TaskRow) -> bool:
    return any(cell.entrant in BASELINES and is_shown(cell) for cell in task.cells)
