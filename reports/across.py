"""Two runs side by side, paired by task: what changed for each entrant, and what is only noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.analysis import Comparison, Finding, Ratio
from core.report import Report
from reports.comparison import comparisons, pair
from reports.escape import one_line
from reports.numbers import counted, per_cent
from reports.results import Did, Results, results
from reports.statistics import ALPHA, AS_GOOD, FEWEST_TASKS
from reports.statistics_paired import holm

_TITLES = 5
_BEFORE, _AFTER = "before", "after"


@dataclass(frozen=True)
class Change:
    """One entrant in both runs, or one of each where no name is in both."""

    before: str
    after: str
    comparison: Comparison
    """Second run less first, on the tasks scored in both; corrected over all entrants."""
    rates: tuple[float, float] | None
    """Mean shares on these tasks, before and after; None without one."""
    gained: tuple[str, ...]
    """Titles of tasks of which more attempts pass now."""
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Across:
    """Two runs."""

    changes: tuple[Change, ...]
    shared: int
    """Tasks in both."""
    only_before: int
    only_after: int
    missing: tuple[str, ...]
    """Entrants of one of the runs alone."""


def across(before: Report, after: Report, margin: float) -> Across:
    """Compare every model that both runs have; where there is none, the only one of each."""
    tables = results(before.tasks), results(after.tasks)
    names = [_models(before), _models(after)]
    pairs = [(name, name) for name in names[0] if name in names[1]]
    if not pairs and len(names[0]) == len(names[1]) == 1:
        pairs = [(names[0][0], names[1][0])]
    titles = {task.id: task.title for report in (before, after) for task in report.tasks}
    found = [_change(tables, two, titles, margin) for two in pairs]
    ids = [{task.id for task in report.tasks} for report in (before, after)]
    used = {name for two in pairs for name in two}
    return Across(
        changes=_corrected(found),
        shared=len(ids[0] & ids[1]),
        only_before=len(ids[0] - ids[1]),
        only_after=len(ids[1] - ids[0]),
        missing=tuple(name for name in dict.fromkeys(names[0] + names[1]) if name not in used),
    )


def _models(report: Report) -> list[str]:
    return [row.name for row in report.entrants if not row.baseline]


def _change(
    tables: tuple[Results, Results], names: tuple[str, str], titles: dict[str, str], margin: float
) -> Change:
    table: Results = {
        _BEFORE: tables[0].get(names[0], {}),
        _AFTER: tables[1].get(names[1], {}),
    }
    (comparison,) = comparisons(table, [_BEFORE, _AFTER], _BEFORE, margin)
    of = pair(table, _AFTER, _BEFORE)
    tasks = [task for task, did in table[_AFTER].items() if did.scored and _scored(table, task)]
    moved = dict(zip(tasks, of.differences, strict=True))
    return Change(
        before=names[0],
        after=names[1],
        comparison=comparison,
        rates=(_mean(of.theirs), _mean(of.ours)) if tasks else None,
        gained=tuple(titles[task] for task, by in moved.items() if by > 0),
        lost=tuple(titles[task] for task, by in moved.items() if by < 0),
    )


def _scored(table: Results, task: str) -> bool:
    did = table[_BEFORE].get(task)
    return did is not None and did.scored > 0


def _mean(did: Sequence[Did]) -> float:
    return float(sum(one.share for one in did) / len(did))


def _corrected(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Each comparison judged as one of all that were made."""
    p_values = holm([one.comparison.p for one in changes])
    as_good = holm([one.comparison.not_worse_p or 1.0 for one in changes])
    made = []
    for one, p, good in zip(changes, p_values, as_good, strict=True):
        enough = one.comparison.tasks >= FEWEST_TASKS
        better = (one.comparison.difference or 0) > 0
        finding: Finding = "yes" if enough and good <= AS_GOOD else "undecided"
        called = ("better" if better else "worse") if enough and p < ALPHA else None
        update = {"p_holm": p, "called": called, "not_worse": finding}
        made.append((one, one.comparison.model_copy(update=update)))
    return tuple(
        Change(one.before, one.after, comparison, one.rates, one.gained, one.lost)
        for one, comparison in made
    )


def text(found: Across, margin: float) -> str:
    """All of it, for a terminal."""
    alone = f"{found.only_before} in the first alone, {found.only_after} in the second alone"
    lines = [f"{counted(found.shared, 'task')} in both runs, {alone}."]
    for change in found.changes:
        lines += ["", *_lines(change, margin)]
    if not found.changes:
        lines += ["", "No model took part in both."]
    if found.missing:
        names = ", ".join(one_line(name, 60) for name in found.missing)
        lines += ["", f"In one run alone: {names}."]
    return "\n".join(lines)


def _lines(change: Change, margin: float) -> list[str]:
    names = dict.fromkeys(one_line(name, 60) for name in (change.before, change.after))
    comparison = change.comparison
    if change.rates is None:
        return [" → ".join(names), "  not scored on one task in both runs"]
    before, after = map(per_cent, change.rates)
    counts = f"better on {comparison.wins}, worse on {comparison.losses}"
    tasks = counted(comparison.tasks, "task")
    lines = [
        " → ".join(names),
        f"  pass rate {before} → {after} on {tasks}: {counts} (p = {comparison.p_holm:.2g})",
        f"  {_said(comparison, margin)}",
    ]
    for word, ratio in (("cost", comparison.cost), ("time", comparison.seconds)):
        if ratio is not None:
            lines.append(f"  {word} × {_ratio(ratio)}")
    for word, titles in (("now pass", change.gained), ("no longer pass", change.lost)):
        shown = [f"    {one_line(title, 70)}" for title in titles[:_TITLES]]
        more = len(titles) - len(shown)
        lines += [f"  {word}:", *shown] if shown else []
        lines += [f"    and {more} more"] if more else []
    return lines


def _said(comparison: Comparison, margin: float) -> str:
    if comparison.tasks < FEWEST_TASKS:
        return f"below {FEWEST_TASKS} tasks no change can be told"
    if comparison.called is not None:
        return "solves more than before" if comparison.called == "better" else "solves fewer"
    if comparison.not_worse == "yes":
        return f"no worse than before by more than {round(100 * margin)} points"
    return "noise explains the difference"


def _ratio(ratio: Ratio) -> str:
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value:.2f}"
    return f"{ratio.value:.2f} (95 % {ratio.low:.2f}–{ratio.high:.2f})"
