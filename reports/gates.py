"""Gates: what a run was asked to meet, whether it does, and where that cannot be told.

All look at the best model: the highest pass rate, the cheaper of equals. Where only baselines
ran, at the best of them. What cannot be told is a state of its own and never passes for met.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from core.analysis import Gate
from core.report import EntrantRow, Report
from reports import numbers, view
from reports.comparison import Margin, Pair, called, pair
from reports.results import results
from reports.statistics import AS_GOOD, FEWEST_TASKS
from reports.statistics_paired import permutation_p
from reports.statistics_score import difference_interval
from reports.words import listing


@dataclass(frozen=True)
class Wanted:
    """What is to be met; None = not asked."""

    fail_under: float | None = None
    fail_if_worse_than: str | None = None
    max_cost_per_solve: Decimal | None = None
    """US dollars."""


def gates(report: Report, wanted: Wanted) -> tuple[Gate, ...]:
    """Every gate that was asked for. The margin is the one of the report's analysis."""
    found = []
    if wanted.fail_under is not None:
        found.append(_under(report, wanted.fail_under))
    if wanted.fail_if_worse_than is not None:
        found.append(_worse(report, wanted.fail_if_worse_than))
    if wanted.max_cost_per_solve is not None:
        found.append(_cost(report, wanted.max_cost_per_solve))
    return tuple(found)


def _best(report: Report, but: str | None = None) -> EntrantRow | None:
    scored = [line.row for line in view.models(report) if line.row.scored and line.row.name != but]
    baselines = [row for row in report.entrants if row.baseline and row.scored and row.name != but]
    # As a rival, a baseline stands for nobody.
    rows = scored or (baselines if but is None else [])
    return max(rows, key=lambda row: row.pass_rate or 0, default=None)


def _under(report: Report, least: float) -> Gate:
    best, asked = _best(report), numbers.per_cent(least)
    if best is None or best.pass_rate is None:
        state, why = "cannot be told", "Nothing was scored"
    else:
        state = "met" if best.pass_rate >= least else "not met"
        rate = numbers.rate(best.pass_rate, best.passed, best.scored)
        why = f"{listing([best.name])} passed {rate}"
    return Gate.model_validate({"name": "fail-under", "asked": asked, "state": state, "why": why})


def _cost(report: Report, most: Decimal) -> Gate:
    best, asked = _best(report), numbers.money(most)
    if best is None:
        state, why = "cannot be told", "Nothing was scored"
    elif not best.passed:
        state, why = "not met", f"{listing([best.name])} solved nothing"
    elif best.cost_per_solve_usd is None:
        state, why = "cannot be told", f"What {listing([best.name])} cost is unknown"
    else:
        state = "met" if best.cost_per_solve_usd <= most else "not met"
        cost = numbers.money(best.cost_per_solve_usd)
        why = f"{listing([best.name])} cost {cost} per solved task"
    return Gate.model_validate(
        {"name": "max-cost-per-solve", "asked": asked, "state": state, "why": why}
    )


def _worse(report: Report, base: str) -> Gate:
    state, why = _beside(report, base)
    return Gate.model_validate(
        {"name": "fail-if-worse-than", "asked": base, "state": state, "why": why}
    )


def _beside(report: Report, base: str) -> tuple[str, str]:
    """State and reason, by one paired test: it was named before, so nothing is corrected."""
    rival = _best(report, but=base)
    if base not in {row.name for row in report.entrants if row.scored}:
        return "cannot be told", f"{listing([base])} was not scored in this run"
    if rival is None:
        return "cannot be told", "No other model was scored"
    of = pair(results(report.tasks), rival.name, base)
    count = numbers.counted(len(of.ours), "shared task")
    names = f"{listing([of.first])} beside {listing([base])} on {count}"
    if not of.enough:
        return "cannot be told", f"{names}: a paired test takes at least {FEWEST_TASKS}"
    p = permutation_p(of.differences)
    say = called(of, p)
    if say:
        return "not met" if say == "worse" else "met", f"{names}: {say}, p = {numbers.p_value(p)}"
    return "met", f"{names}: {_not_called(report, of, p)}"


def _not_called(report: Report, of: Pair, p: float) -> str:
    """What a test that finds no difference still leaves open."""
    margin = report.analysis.margin if report.analysis else 0.0
    if Margin(of, margin, 1).p_yes <= AS_GOOD:
        return f"not worse by more than {numbers.points(margin)} (95 %)"
    interval = difference_interval(of.differences)
    low = numbers.points(ceil(-100 * interval.low) / 100) if interval else numbers.UNKNOWN
    return (
        f"not shown to be worse, p = {numbers.p_value(p)}, which is no proof that it is not: "
        f"up to {low} worse would fit"
    )
