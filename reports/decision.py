"""The verdict line: what a busy person acts on, and never more than the numbers hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from core.analysis import Analysis, Comparison
from core.report import EntrantRow, Report
from core.types import Outcome
from reports.advice import advice, against_anchor, recommended, too_early
from reports.numbers import counted, interval, money, p_value, per_cent
from reports.statistics import tasks_needed
from reports.words import EMPTY, REFERENCE, SIGNS, listing

_FICTION = "Demo with invented answers: "
_REPLAYED = "From recorded answers: "


def decide(report: Report) -> str:
    """One line about a run with its analysis; `report.verdict` itself is not looked at.

    A model is called better only where the paired test on shared tasks says so at 2.5 %, both
    directions together, after Holm's correction for all pairs, and as good only where it is
    surely not worse by more than the margin. Baselines are never recommended.
    """
    finding = _finding(report)
    if report.tasks_broken or not report.tasks:
        return finding
    if report.fiction:
        return _FICTION + finding
    return _REPLAYED + finding if report.replayed else finding


def _finding(report: Report) -> str:
    models = [row for row in report.entrants if not row.baseline]
    scored = [row for row in models if row.scored]
    if not report.tasks:
        return _no_tasks(report)
    if report.tasks_broken:
        return _broken(report)
    if not models:
        return f"No model was entered: only baselines ran on {_tasks(report)}."
    if not scored:
        return f"Nothing was scored: {_why_not_scored(models)}. This says nothing about any model."
    return _result(report, scored) + _missing(models)


def _result(report: Report, scored: Sequence[EntrantRow]) -> str:
    if not any(row.passed for row in scored):
        return _none_passed(report, scored)
    if len(scored) == 1:
        return _alone(scored[0])
    assert report.analysis is not None  # `tally` has made it
    if told := advice(report.analysis):
        return told
    if all(row.passed == row.scored for row in scored):
        return (
            f"{_all_of(scored)} solved every task they were scored on, so {_these(report)} cannot "
            f"tell them apart{_cheapest(scored)}."
        )
    return _compared(report.analysis, scored)


def _no_tasks(report: Report) -> str:
    return (
        f"No tasks, so nothing was measured: {counted(report.commits_seen, 'commit')} looked at, "
        f"{counted(report.candidates, 'candidate')}, none of them proven by the tests."
    )


def _broken(report: Report) -> str:
    facts = []
    for row in report.entrants:
        if row.name == REFERENCE and row.passed < row.tasks:
            facts.append(f"the real fixes passed only {row.passed} of {row.tasks}")
        if row.name == EMPTY and row.passed:
            facts.append(f"the empty patch passed {row.passed} of {row.tasks}")
    return f"TASKS ARE BROKEN: {' and '.join(facts)}. No number below may be trusted."


def _why_not_scored(models: Sequence[EntrantRow]) -> str:
    counts: Counter[Outcome] = Counter()
    for row in models:
        counts.update(row.outcomes)
    total = sum(row.tasks for row in models)
    words = [f"{count} {SIGNS[outcome].word}" for outcome, count in counts.most_common()]
    return f"of {counted(total, 'attempt')} {listing(words, len(words))}"


def _none_passed(report: Report, scored: Sequence[EntrantRow]) -> str:
    if len(scored) == 1:
        row = scored[0]
        return (
            f"{listing([row.name])} solved none of {_attempts(row)} "
            f"(95 % interval {interval(row.ci_low, row.ci_high)})."
        )
    return f"{_none_of(scored)} solved any of {_these(report)}: there is none to recommend."


def _alone(row: EntrantRow) -> str:
    price = "; what it cost is unknown"
    if row.cost_per_solve_usd is not None:
        price = f" at {money(row.cost_per_solve_usd)} per solved task"
    return (
        f"{listing([row.name])} solved {row.passed} of {_attempts(row)} ({per_cent(row.pass_rate)},"
        f" 95 % interval {interval(row.ci_low, row.ci_high)}){price}. "
        "There is no other model to compare it with."
    )


def _compared(analysis: Analysis, scored: Sequence[EntrantRow]) -> str:
    rows = {row.name: row for row in scored}
    best = rows[analysis.anchor or ""]
    pairs = {one.first: one for one in against_anchor(analysis)}
    beaten = [rows[name] for name, one in pairs.items() if one.called == "worse"]
    level_with = [rows[name] for name in pairs if rows[name] not in beaten]
    if not level_with:
        return _winner(best, beaten, pairs)
    if analysis.current is None and (told := recommended(analysis, "Choose")):
        return told + _worse(best, beaten)
    leaders = [best, *level_with]
    fewest = min(pairs[row.name].tasks for row in level_with)
    tie = _tie(leaders, fewest, tasks_needed(len(scored))) + _cheapest(leaders)
    return f"{too_early(analysis)}{tie}.{_worse(best, beaten)}"


def _winner(best: EntrantRow, others: Sequence[EntrantRow], pairs: dict[str, Comparison]) -> str:
    name = listing([best.name])
    if len(others) == 1:
        pair, other = pairs[others[0].name], others[0]
        than = f"{listing([other.name])}: on {counted(pair.tasks, 'shared task')} it did better"
        than += f" on {pair.losses} and worse on {pair.wins} ({_p('=', pair.p)})"
    else:
        worst = max(pair.p_holm for pair in pairs.values())
        than = f"each of the {len(others)} other models ({_p('≤', worst)} for each)"
    prices = [f"{listing([row.name])} {money(row.cost_per_solve_usd)}" for row in (best, *others)]
    known = all(row.cost_per_solve_usd is not None for row in (best, *others))
    cost = f". Per solved task: {listing(prices)}." if known and len(others) < 4 else "."
    return f"{name} solves more than {than}{cost}"


def _tie(leaders: Sequence[EntrantRow], tasks: int, needed: int) -> str:
    names = listing([row.name for row in leaders])
    if tasks < needed:
        return (
            f"{names} cannot be told apart: with {counted(tasks, 'shared task')} no difference "
            f"can be called, that takes at least {needed}"
        )
    return f"{names} cannot be told apart on {counted(tasks, 'task')}"


def _worse(best: EntrantRow, beaten: Sequence[EntrantRow]) -> str:
    if not beaten:
        return ""
    return f" {listing([best.name])} solves more than {listing([row.name for row in beaten])}."


def _cheapest(leaders: Sequence[EntrantRow]) -> str:
    """What the cheapest of equals costs; never guessed where a price is missing."""
    solvers = [row for row in leaders if row.passed]
    priced = [row for row in solvers if row.cost_per_solve_usd is not None]
    unpriced = [row.name for row in solvers if row.cost_per_solve_usd is None]
    if not priced:
        return "; what they cost is unknown"
    ranked = sorted(priced, key=_price)
    low, name = _price(ranked[0]), listing([ranked[0].name])
    if unpriced:
        return f"; {name} costs {money(low)} per solved task, {listing(unpriced)} an unknown sum"
    if len(ranked) == 1:
        return f"; only {name} solved any, at {money(low)} per solved task"
    return f"; {_least(ranked)}"


def _least(ranked: Sequence[EntrantRow]) -> str:
    low, high = _price(ranked[0]), _price(ranked[-1])
    if low == high:
        return f"each costs {money(low)} per solved task"
    name = listing([row.name for row in ranked if _price(row) == low])
    if len(ranked) == 2 and low > 0:
        other = listing([ranked[1].name])
        share = per_cent(float(low / high))
        return f"{name} costs {share} of {other} per solved task ({money(low)} to {money(high)})"
    several = _price(ranked[1]) == low
    return f"{name} {'cost' if several else 'costs'} the least, {money(low)} per solved task"


def _missing(models: Sequence[EntrantRow]) -> str:
    total = sum(row.tasks for row in models)
    missing = total - sum(row.scored for row in models)
    if not missing:
        return ""
    return f" {missing} of {total} attempts {'was' if missing == 1 else 'were'} not scored."


def _price(row: EntrantRow) -> Decimal:
    return row.cost_per_solve_usd if row.cost_per_solve_usd is not None else Decimal("Infinity")


def _p(sign: str, value: float) -> str:
    return f"p {sign} {p_value(value)}" if value >= 0.001 else "p < 0.001"


def _all_of(rows: Sequence[EntrantRow]) -> str:
    names = listing([row.name for row in rows])
    return f"Both {names}" if len(rows) == 2 else f"All {len(rows)} models ({names})"


def _none_of(rows: Sequence[EntrantRow]) -> str:
    if len(rows) == 2:
        return f"Neither {listing([rows[0].name])} nor {listing([rows[1].name])}"
    return f"None of the {len(rows)} models"


def _tasks(report: Report) -> str:
    return counted(len(report.tasks), "task")


def _these(report: Report) -> str:
    return "this 1 task" if len(report.tasks) == 1 else f"these {len(report.tasks)} tasks"


def _attempts(row: EntrantRow) -> str:
    return counted(row.scored, "scored attempt")
