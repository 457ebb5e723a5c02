"""The statistics of a report as tables of words, the same for every rendering that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.analysis import Analysis, Breakdown, Comparison, EntrantFigures, GroupRate, Ratio, Route
from core.report import Report
from reports import numbers
from reports.words import listing

_MOST_ROWS = 12
_MOST_MODELS = 6
_BREAKDOWNS = {
    "difficulty": "By size of the real fix",
    "year": "By year of the fix",
    "cutoff": "By each model's training cutoff",
    "area": "By area of the code",
    "statement": "By source of the statement",
}


@dataclass(frozen=True)
class Table:
    """Rows of words below a head; `left_out` rows did not fit."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


def comparison_table(analysis: Analysis) -> Table | None:
    """Who is better, worse or as good: those beside the anchor first. None without a pair."""
    if not analysis.comparisons:
        return None
    of = analysis.current or ""
    title = f"Compared with {of}, the current model" if of else "Models compared in pairs"
    rows = [_comparison(one, analysis) for one in analysis.comparisons]
    head = ("Models", "Tasks", "Won / lost", "Difference", "p", "Cost", "Time", "Finding")
    return Table(title, head, tuple(rows[:_MOST_ROWS]), max(0, len(rows) - _MOST_ROWS))


def frontier_table(analysis: Analysis) -> Table | None:
    """Cost against pass rate, and the rates under both denominators."""
    shown = [one for one in analysis.entrants if one.rate is not None]
    if not shown:
        return None
    ks = sorted({at.k for one in shown for at in one.pass_at if at.k > 1})[-2:]
    more = [f"{sign}{k}" for k in ks for sign in ("pass@", "pass^")]
    head = ("Model", "Passed", "95 %", "Of all asked", "Per attempt", "Frontier", *more)
    rows = tuple((*_figures(one), *_attempts(one, ks)) for one in shown[:_MOST_ROWS])
    return Table("Cost against pass rate", head, rows, len(shown) - len(rows))


def routing_table(analysis: Analysis) -> Table | None:
    """What models together would have cost and solved, beside the best one and the ideal."""
    if analysis.routing is None:
        return None
    routes = analysis.routing.routes
    best = analysis.routing.best_single
    cascades = sorted(
        (one for one in routes if one.kind == "cascade"),
        key=lambda one: (-one.solved, one.cost_per_task_usd),
    )
    singles = [one for one in routes if one.kind == "single"]
    others = [one for one in routes if one.kind not in ("cascade", "single")]
    rows = [_route(one, best) for one in (*singles, *cascades[:3], *others)]
    title = f"Routing, on {numbers.counted(analysis.routing.tasks, 'shared task')}"
    head = ("Route", "Solved", "95 %", "Per task", "95 %")
    return Table(title, head, tuple(rows), max(0, len(cascades) - 3))


def breakdown_tables(analysis: Analysis) -> list[Table]:
    """One table a property of the tasks; the best models only, where there are many."""
    return [_breakdown(one) for one in analysis.breakdowns]


def evidence_tables(report: Report) -> list[Table]:
    """All of them; none in a report without an analysis."""
    of = report.analysis
    if of is None:
        return []
    found = [comparison_table(of), frontier_table(of), routing_table(of)]
    return [*(table for table in found if table is not None), *breakdown_tables(of)]


def evidence_notes(report: Report) -> list[str]:
    """How to read these tables, and what they cannot show, one sentence each."""
    of = report.analysis
    if of is None or not of.entrants:
        return []
    found = []
    if of.comparisons:
        found += [_smallest(of), *_COMPARED]
        found.append(
            f"As good: the 95 % interval of the difference excludes {numbers.points(of.margin)} "
            "and more to the worse, for all models that are asked about together."
        )
    found.append("Frontier: no other model was seen to pass as much for less.")
    if of.routing:
        found.append(_ROUTED)
    if of.breakdowns:
        found.append("Breakdowns show where to look; differences between groups are not tested.")
    return found


_COMPARED = (
    (
        "Each task is one pair, however many attempts it had; p is two-sided and corrected for all "
        "pairs (Holm). Cost and time are ratios with bootstrap intervals, whole tasks drawn."
    ),
)
_ROUTED = (
    "A cascade asks the next model where the tests fail: it needs tests that are there before the "
    "fix. Routes by kind choose for each task by all others. The best of several routes looks "
    "better here than it will be."
)


def _smallest(of: Analysis) -> str:
    beside = [one for one in of.comparisons if one.second == of.anchor]
    tasks = min(one.tasks for one in beside)
    few = f"Below {of.fewest_tasks} paired tasks nothing can be called"
    if tasks < of.fewest_tasks:
        return f"{few}, and here there are {tasks}."
    sizes = [one.detectable for one in beside if one.detectable is not None]
    if not sizes:
        return f"{few}; with these {tasks} no difference would be found 4 times of 5."
    return (
        f"{few}; with these {tasks} a true difference of {numbers.points(round(max(sizes), 2))} "
        "would be found 4 times of 5, a smaller one less often."
    )


def _comparison(one: Comparison, analysis: Analysis) -> tuple[str, ...]:
    beside = one.first if one.second == analysis.current else f"{one.first} – {one.second}"
    return (
        beside,
        str(one.tasks),
        f"{one.wins} / {one.losses}",
        _difference(one),
        numbers.p_value(one.p_holm),
        _ratio(one.cost),
        _ratio(one.seconds),
        _finding(one, analysis.margin),
    )


def _difference(one: Comparison) -> str:
    if one.difference is None or one.low is None or one.high is None:
        return numbers.NONE
    mean, low, high = (f"{100 * value:+.0f}" for value in (one.difference, one.low, one.high))
    return f"{mean} ({low} to {high})".replace("-", "−").replace("+0", "0").replace("−0", "0")


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return numbers.UNKNOWN
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value:.2g}×"
    return f"{ratio.value:.2g}× ({ratio.low:.2g}–{ratio.high:.2g})"


def _finding(one: Comparison, margin: float) -> str:
    if one.called:
        return one.called
    if one.not_worse == "yes":
        return f"not worse by {numbers.points(margin)}"
    if one.not_worse == "no":
        return f"worse by over {numbers.points(margin)}"
    more = "" if one.more_tasks is None else f", {numbers.counted(one.more_tasks, 'more task')}"
    return f"open{more}"


def _figures(one: EntrantFigures) -> tuple[str, ...]:
    frontier = numbers.NONE if one.on_frontier is None else "yes"
    if one.dominated_by:
        frontier = f"no: {listing([one.dominated_by])}"
    return (
        one.entrant,
        numbers.per_cent(one.rate),
        numbers.interval(one.low, one.high),
        numbers.per_cent(one.asked_rate),
        numbers.money(one.cost_per_attempt_usd),
        frontier,
    )


def _attempts(one: EntrantFigures, ks: Sequence[int]) -> list[str]:
    at = {found.k: found for found in one.pass_at}
    return [
        numbers.per_cent(share)
        for k in ks
        for share in ((at[k].any_of, at[k].all_of) if k in at else (None, None))
    ]


def _route(one: Route, best: str) -> tuple[str, ...]:
    return (
        _route_words(one, best),
        numbers.per_cent(one.solved),
        numbers.interval(one.solved_low, one.solved_high),
        numbers.money(one.cost_per_task_usd),
        f"{numbers.money(one.cost_low_usd)}–{numbers.money(one.cost_high_usd)}"
        if one.cost_low_usd is not None
        else numbers.NONE,
    )


def _route_words(one: Route, best: str) -> str:
    if one.kind == "single":
        return f"{one.models[0]} alone{' (best single)' if one.models[0] == best else ''}"
    if one.kind == "cascade":
        return ", then ".join(one.models)
    if one.kind == "oracle":
        return "the right one each time, which nobody can know"
    return f"by {one.kind}: {' or '.join(one.models)}"


def _breakdown(of: Breakdown) -> Table:
    models = list(dict.fromkeys(rate.entrant for group in of.groups for rate in group.rates))
    shown = models[:_MOST_MODELS]
    rows = []
    for group in of.groups:
        by_name = {rate.entrant: rate for rate in group.rates}
        cells = [_group_rate(by_name.get(name)) for name in shown]
        rows.append((group.name.replace("_", " "), str(group.tasks), *cells))
    return Table(_BREAKDOWNS[of.by], ("", "Tasks", *shown), tuple(rows[:_MOST_ROWS]))


def _group_rate(rate: GroupRate | None) -> str:
    if rate is None or not rate.tasks:
        return numbers.NONE
    share = numbers.per_cent(rate.rate)
    return f"{share} of {rate.tasks} ({numbers.interval(rate.low, rate.high)})"
