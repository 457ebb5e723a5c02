"""Whether a change of guidance or settings helps: head less base, paired by task."""

from __future__ import annotations

from collections.abc import Sequence

from core.analysis import Comparison
from core.change_check import ChangeCheck, CheckedEntrant, Says
from core.report import Report
from reports.comparison import Margin, Pair, compared, pair
from reports.numbers import counted, p_value, per_cent, points
from reports.results import Did, results
from reports.statistics import FEWEST_TASKS
from reports.words import listing

_FICTION = "Demo with invented answers: "
_REPLAYED = "From recorded answers: "


def with_change(report: Report, about: ChangeCheck) -> Report:
    """The report with what the change does, as its verdict and in `change`.

    Holm's correction is for the models of the check: of these pairs and no others is anything
    asked.
    """
    table = results(report.tasks)
    pairs = [pair(table, one.head, one.base) for one in about.entrants]
    found = compared(pairs, [Margin(of, about.margin, len(pairs)) for of in pairs])
    entrants = [
        _measured(one, of, comparison)
        for one, of, comparison in zip(about.entrants, pairs, found, strict=True)
    ]
    change = about.model_copy(update={"entrants": tuple(entrants)})
    # A run that could not do its work says why itself.
    broken = about.entrants and (report.tasks_broken or not report.tasks)
    verdict = report.verdict if broken else f"{_worth(report)}{verdict_of(change)}"
    return report.model_copy(update={"change": change, "verdict": verdict})


def verdict_of(change: ChangeCheck) -> str:
    """One line: for whom it helps, and how surely."""
    if not change.entrants:
        return _nobody(change)
    if len(change.entrants) == 1:
        return _of_one(change.entrants[0], change.margin)
    words = []
    for says, text in _GROUPS.items():
        names = [one.entrant for one in change.entrants if one.says == says]
        if names:
            words.append(text.format(listing(names)))
    first, *rest = words
    return "; ".join([f"The change {first}", *(f"it {more}" for more in rest)]) + _needed(change)


_GROUPS: dict[Says, str] = {
    "helps": "helps {}",
    "hurts": "hurts {}",
    "as good": "leaves {} as good as before",
    "cannot be told": "cannot be told to help or hurt {}",
}


def more_words(comparison: Comparison) -> str:
    """How many tasks it takes to tell."""
    if comparison.more_tasks is None:
        return "more tasks than any repository has, or an unknown number, would be needed"
    return f"about {counted(comparison.more_tasks, 'more task')} would tell"


def _measured(one: CheckedEntrant, of: Pair, comparison: Comparison) -> CheckedEntrant:
    return one.model_copy(
        update={
            "base_rate": _mean(of.theirs),
            "head_rate": _mean(of.ours),
            "comparison": comparison,
            "says": _says(comparison),
        }
    )


def _says(comparison: Comparison) -> Says:
    if comparison.called == "better":
        return "helps"
    if comparison.called == "worse" or comparison.not_worse == "no":
        return "hurts"
    return "as good" if comparison.not_worse == "yes" else "cannot be told"


def _mean(did: Sequence[Did]) -> float | None:
    return float(sum(one.share for one in did) / len(did)) if did else None


def _worth(report: Report) -> str:
    """What the answers are worth, where they are no model's of today."""
    return _FICTION if report.fiction else _REPLAYED if report.replayed else ""


def _nobody(change: ChangeCheck) -> str:
    if not change.compared:
        return "Nothing that a model is told differs between the two versions: nobody was asked."
    return "No model here is told what differs between the two versions: nobody was asked."


def _of_one(one: CheckedEntrant, margin: float) -> str:
    comparison, name = one.comparison, listing([one.entrant])
    if comparison is None or not comparison.tasks:
        return f"Whether the change helps {name} cannot be told: no task was scored with both."
    tasks = counted(comparison.tasks, "task")
    rates = f"{per_cent(one.base_rate)} → {per_cent(one.head_rate)} on {tasks}"
    counts = f"better on {comparison.wins}, worse on {comparison.losses}"
    seen = f"{rates}: {counts} (p {_p(comparison.p_holm)})"
    if one.says == "helps":
        return f"The change helps {name}: {seen}."
    if one.says == "hurts":
        by = "" if comparison.called else f", worse by more than {points(margin)}"
        return f"The change hurts {name}{by}: {seen}."
    if one.says == "as good":
        return f"With the change {name} is as good, not worse by {points(margin)}: {seen}."
    few = comparison.tasks < FEWEST_TASKS
    why = f"below {FEWEST_TASKS} tasks nothing is called" if few else more_words(comparison)
    return f"Whether the change helps {name} cannot be told: {seen}; {why}."


def _needed(change: ChangeCheck) -> str:
    open_ones = [one.comparison for one in change.entrants if one.says == "cannot be told"]
    needed = [one.more_tasks for one in open_ones if one and one.more_tasks]
    if not needed or len(needed) < len(open_ones):
        return "."
    return f"; about {counted(max(needed), 'more task')} would tell."


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p_value(p)}"
