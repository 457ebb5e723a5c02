"""From a counted run to what can be said of its models: the statistics of a report together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from core.analysis import Analysis, EntrantFigures, PassAt
from core.report import EntrantRow, Report
from core.types import Outcome
from reports.breakdown import breakdowns
from reports.comparison import comparisons
from reports.results import Did, Results, results, scored
from reports.routing import routing
from reports.statistics import FEWEST_TASKS, pass_all, pass_any
from reports.statistics_score import score_interval
from reports.view import models as ranked

MARGIN = 0.1
"""How much worse still counts as good as, where nobody said otherwise."""
_MOST_K = (1, 2, 3, 4, 5, 8, 10, 16, 32, 64, 100)


def analyse(report: Report, *, current: str | None = None, margin: float = MARGIN) -> Analysis:
    """Reckon everything from the report's own tasks. Baselines measure tasks: they are in none.

    A `current` model that did not take part, or was not scored, is nobody's anchor.
    """
    table = results(report.tasks)
    rows = [line.row for line in ranked(report)]
    names = [row.name for row in rows if row.scored]
    named = current if current in names else None
    anchor = named or (names[0] if names else None)
    figures = _with_frontier([_figures(row, report, table) for row in rows])
    priced = {one.entrant: one for one in figures if one.cost_per_attempt_usd is not None}
    # A model that is off the frontier may still solve what no other does.
    routed = sorted(
        (name for name in names if name in priced),
        key=lambda name: (name != anchor, not priced[name].on_frontier),
    )
    return Analysis(
        current=named,
        anchor=anchor,
        margin=margin,
        fewest_tasks=FEWEST_TASKS,
        comparisons=comparisons(table, names, anchor, margin),
        entrants=figures,
        routing=routing(table, report.tasks, routed),
        breakdowns=breakdowns(table, report.tasks, names, report.memory),
    )


def _figures(row: EntrantRow, report: Report, table: Results) -> EntrantFigures:
    did = scored(table, row.name)
    asked = list(table.get(row.name, {}).values())
    shares = [one.share for one in did.values()]
    all_shares = [Fraction(one.passed, one.asked) for one in asked]
    interval, over_all = score_interval(shares), score_interval(all_shares)
    causes = Counter(
        cell.cause
        for task in report.tasks
        for cell in task.cells
        if cell.entrant == row.name and cell.outcome is not Outcome.PASSED and cell.cause
    )
    return EntrantFigures(
        entrant=row.name,
        tasks=len(did),
        rate=_mean(shares),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        asked_rate=_mean(all_shares),
        asked_low=over_all.low if over_all else None,
        asked_high=over_all.high if over_all else None,
        pass_at=_pass_at(list(did.values())),
        causes=dict(causes),
        cost_per_attempt_usd=_cost(row, report),
    )


def _mean(values: Sequence[Fraction]) -> float | None:
    return float(sum(values) / len(values)) if values else None


def _pass_at(did: Sequence[Did]) -> tuple[PassAt, ...]:
    """For every k that some task has attempts for; none where each was tried once."""
    most = max((one.scored for one in did), default=0)
    found = []
    for k in (k for k in _MOST_K if k <= most > 1):
        tried = [one for one in did if one.scored >= k]
        any_of = sum((pass_any(one.passed, one.scored, k) for one in tried), Fraction(0))
        all_of = sum((pass_all(one.passed, one.scored, k) for one in tried), Fraction(0))
        count = len(tried)
        found.append(
            PassAt(k=k, tasks=count, any_of=float(any_of / count), all_of=float(all_of / count))
        )
    return tuple(found)


def _cost(row: EntrantRow, report: Report) -> Decimal | None:
    cells = [
        cell
        for task in report.tasks
        for cell in task.cells
        if cell.entrant == row.name and cell.outcome.scored
    ]
    known = [cell.cost_usd for cell in cells if cell.cost_usd is not None]
    if not cells or len(known) < len(cells):
        return None
    return sum(known, Decimal(0)) / len(known)


def _with_frontier(figures: Sequence[EntrantFigures]) -> tuple[EntrantFigures, ...]:
    """Mark who is on the Pareto frontier of cost against pass rate, and who dominates the rest.

    By what was seen: whether a point is surely off the frontier is for the comparisons to say.
    """
    points = [
        (one, one.rate, one.cost_per_attempt_usd)
        for one in figures
        if one.rate is not None and one.cost_per_attempt_usd is not None
    ]
    marked = {}
    for one, rate, cost in points:
        better = [
            (-other_rate, other_cost, other.entrant)
            for other, other_rate, other_cost in points
            if other_rate >= rate
            and other_cost <= cost
            and (other_rate, other_cost) != (rate, cost)
        ]
        by = min(better)[2] if better else None
        marked[one.entrant] = {"on_frontier": by is None, "dominated_by": by}
    return tuple(one.model_copy(update=marked.get(one.entrant, {})) for one in figures)
