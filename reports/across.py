"""Two runs side by side, paired by task: what changed for each entrant, and what is only noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.analysis import Comparison, Ratio
from core.report import Report
from reports.comparison import Margin, Pair, compared
from reports.escape import one_line
from reports.numbers import counted, per_cent, points
from reports.results import Did, Results, results, scored
from reports.statistics import FEWEST_TASKS
from reports.words import fiction_words, replay_words

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
    warnings: tuple[str, ...]
    """What must be read before the numbers."""


def across(before: Report, after: Report, margin: float) -> Across:
    """Compare every model that both runs have; where there is none, the only one of each."""
    tables = results(before.tasks), results(after.tasks)
    names = [_models(before), _models(after)]
    pairs = [(name, name) for name in names[0] if name in names[1]]
    if not pairs and len(names[0]) == len(names[1]) == 1:
        pairs = [(names[0][0], names[1][0])]
    titles = {task.id: task.title for report in (before, after) for task in report.tasks}
    shared = [_shared(tables, two) for two in pairs]
    both = [Pair(_AFTER, _BEFORE, [*now.values()], [*then.values()]) for then, now in shared]
    found = compared(both, [Margin(of, margin, len(both)) for of in both])
    changes = [
        _change(two, of, one, [titles[task] for task in now])
        for two, of, one, (_, now) in zip(pairs, both, found, shared, strict=True)
    ]
    ids = [{task.id for task in report.tasks} for report in (before, after)]
    used = {name for two in pairs for name in two}
    return Across(
        changes=tuple(changes),
        shared=len(ids[0] & ids[1]),
        only_before=len(ids[0] - ids[1]),
        only_after=len(ids[1] - ids[0]),
        missing=tuple(name for name in dict.fromkeys(names[0] + names[1]) if name not in used),
        warnings=(*_warnings("first", before), *_warnings("second", after)),
    )


def _models(report: Report) -> list[str]:
    return [row.name for row in report.entrants if not row.baseline]


def _warnings(which: str, report: Report) -> list[str]:
    told = ["its tasks are broken, trust no number below"] if report.tasks_broken else []
    told += [fiction_words(report)] if report.fiction else []
    told += [replay_words(report)] if report.replayed else []
    return [f"Of the {which} run: {words}." for words in told]


def _shared(
    tables: tuple[Results, Results], names: tuple[str, str]
) -> tuple[dict[str, Did], dict[str, Did]]:
    """What both did at the tasks they were both scored on, in one order."""
    then, now = (scored(table, name) for table, name in zip(tables, names, strict=True))
    tasks = [task for task in now if task in then]
    return {task: then[task] for task in tasks}, {task: now[task] for task in tasks}


def _change(
    names: tuple[str, str], of: Pair, comparison: Comparison, titles: Sequence[str]
) -> Change:
    moved = list(zip(titles, of.differences, strict=True))
    return Change(
        before=names[0],
        after=names[1],
        comparison=comparison,
        rates=(_mean(of.theirs), _mean(of.ours)) if moved else None,
        gained=tuple(title for title, by in moved if by > 0),
        lost=tuple(title for title, by in moved if by < 0),
    )


def _mean(did: Sequence[Did]) -> float:
    return float(sum(one.share for one in did) / len(did))


def text(found: Across, margin: float) -> str:
    """All of it, for a terminal."""
    alone = f"{found.only_before} in the first alone, {found.only_after} in the second alone"
    lines = [
        *(one_line(words, 300) for words in found.warnings),
        f"{counted(found.shared, 'task')} in both runs, {alone}.",
    ]
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
        than = "more" if comparison.called == "better" else "fewer"
        return f"solves {than} than before"
    if comparison.not_worse == "no":
        return f"worse than before by more than {points(margin)} (95 %)"
    if comparison.not_worse == "yes":
        return f"not worse than before by more than {points(margin)} (95 %)"
    changed = comparison.wins or comparison.losses
    return "noise can explain the difference" if changed else "no task changed"


def _ratio(ratio: Ratio) -> str:
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value:.2f}"
    return f"{ratio.value:.2f} (95 % {ratio.low:.2f}–{ratio.high:.2f})"
