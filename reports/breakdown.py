"""Pass rates by one property of the tasks: where to look, not what is proven."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from fractions import Fraction

from core.analysis import Breakdown, Group, GroupRate
from core.report import MemoryRow, TaskRow
from core.types import StatementSource
from reports.results import Results, scored
from reports.statistics_score import score_interval

MOST_AREAS = 8
ROOT, OTHER = "(root)", "(other)"
_SIZES = ((10, "1–10 lines"), (50, "11–50 lines"))
_LARGE = "more than 50 lines"
BEFORE, AFTER = "up to the cutoff", "after the cutoff"


def breakdowns(
    table: Results, tasks: Sequence[TaskRow], models: Sequence[str], memory: Sequence[MemoryRow]
) -> tuple[Breakdown, ...]:
    """By size, year, training cutoff, area of the code and source of the statement.

    A property that all tasks have in common is left out.
    """
    areas = _areas(tasks)
    sizes = {task.id: size_of(task) for task in tasks}
    years = {task.id: str(task.committed_at.astimezone(UTC).year) for task in tasks}
    sources = {task.id: task.statement_source for task in tasks}
    found = [
        _breakdown("difficulty", table, models, sizes, [*(name for _, name in _SIZES), _LARGE]),
        _breakdown("year", table, models, years, sorted(set(years.values()))),
        _by_cutoff(table, tasks, models, memory),
        _breakdown("area", table, models, areas, _most_first(areas.values())),
        _breakdown("statement", table, models, sources, list(StatementSource)),
    ]
    return tuple(one for one in found if one is not None and len(one.groups) > 1)


def size_of(task: TaskRow) -> str:
    """How large the real fix is, in words."""
    lines = task.difficulty.lines
    return next((name for most, name in _SIZES if lines <= most), _LARGE)


def _breakdown(
    by: str,
    table: Results,
    models: Sequence[str],
    group_of: Mapping[str, str],
    order: Sequence[str],
) -> Breakdown:
    groups = []
    for name in order:
        members = [task for task, group in group_of.items() if group == name]
        if members:
            rates = tuple(_rate(table, model, members) for model in models)
            groups.append(Group(name=name, tasks=len(members), rates=rates))
    return Breakdown.model_validate({"by": by, "groups": tuple(groups)})


def _by_cutoff(
    table: Results, tasks: Sequence[TaskRow], models: Sequence[str], memory: Sequence[MemoryRow]
) -> Breakdown | None:
    """Each model on its own two sides, so that the groups need not hold the same tasks."""
    days = {row.entrant: row.cutoff.day for row in memory if row.cutoff}
    sides: dict[str, list[GroupRate]] = {BEFORE: [], AFTER: []}
    members: dict[str, set[str]] = {BEFORE: set(), AFTER: set()}
    for model in models:
        if model in days:
            late = {t.id: t.committed_at.astimezone(UTC).date() > days[model] for t in tasks}
            for name, after in ((BEFORE, False), (AFTER, True)):
                here = [task for task, is_late in late.items() if is_late is after]
                sides[name].append(_rate(table, model, here))
                members[name].update(here)
    if not days:
        return None
    groups = [
        Group(name=name, tasks=len(members[name]), rates=tuple(rates))
        for name, rates in sides.items()
        if members[name]
    ]
    return Breakdown(by="cutoff", groups=tuple(groups))


def _rate(table: Results, model: str, tasks: Iterable[str]) -> GroupRate:
    did = scored(table, model)
    shares = [did[task].share for task in tasks if task in did]
    interval = score_interval(shares)
    return GroupRate(
        entrant=model,
        tasks=len(shares),
        rate=float(sum(shares, Fraction(0)) / len(shares)) if shares else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )


def _areas(tasks: Sequence[TaskRow]) -> dict[str, str]:
    """The folder where most of a fix lies, one level below what all fixes have in common."""
    folders = [posixpath.dirname(path) for task in tasks for path in task.source_files]
    shared = posixpath.commonpath(folders) if folders else ""
    areas = {}
    for task in tasks:
        below = Counter(_area(path, shared) for path in task.source_files)
        areas[task.id] = min(below, key=lambda name: (-below[name], name), default=ROOT)
    kept = set(_most_first(areas.values())[:MOST_AREAS])
    return {task: area if area in kept else OTHER for task, area in areas.items()}


def _area(path: str, shared: str) -> str:
    folder = posixpath.dirname(path)
    rest = posixpath.relpath(folder, shared or ".") if folder else "."
    if rest == ".":
        return shared or ROOT
    return posixpath.join(shared, rest.split("/")[0])


def _most_first(names: Iterable[str]) -> list[str]:
    counts = Counter(names)
    return sorted(counts, key=lambda name: (name == OTHER, -counts[name], name))
