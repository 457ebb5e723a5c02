"""Two models on the tasks both were scored on: what may be said of them, and what it would take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import fsum

from core.analysis import Called, Comparison, Finding, Ratio
from reports.results import Did, Results, scored
from reports.statistics import ALPHA, AS_GOOD, FEWEST_TASKS
from reports.statistics_bootstrap import bootstrap
from reports.statistics_paired import holm, permutation_p
from reports.statistics_power import (
    detectable,
    more,
    spread,
    tasks_for_difference,
    tasks_for_margin,
)
from reports.statistics_score import difference_interval, p_above


@dataclass(frozen=True)
class Pair:
    """Two entrants, task by task."""

    first: str
    second: str
    ours: Sequence[Did]
    theirs: Sequence[Did]

    @cached_property
    def differences(self) -> list[Fraction]:
        """The first's share of passed attempts less the second's, one a task."""
        return [a.share - b.share for a, b in zip(self.ours, self.theirs, strict=True)]

    @property
    def enough(self) -> bool:
        """Whether there are tasks enough to say anything."""
        return len(self.ours) >= FEWEST_TASKS


def pair(table: Results, first: str, second: str) -> Pair:
    """The tasks on which both have a scored attempt."""
    ours, theirs = scored(table, first), scored(table, second)
    both = [task for task in ours if task in theirs]
    return Pair(first, second, [ours[t] for t in both], [theirs[t] for t in both])


def called(of: Pair, p: float) -> Called | None:
    """What a two-sided p value, corrected where there are several, says of the first."""
    if not of.enough or p >= ALPHA:
        return None
    return "better" if sum(of.differences) > 0 else "worse"


def comparisons(
    table: Results, models: Sequence[str], anchor: str | None, margin: float
) -> tuple[Comparison, ...]:
    """Every two of these models: each with the anchor first, then the others in their order.

    Of each pair but the anchor's, the one that comes first in `models` is the first.
    """
    others = [name for name in models if name != anchor]
    pairs = [pair(table, name, anchor) for name in others if anchor is not None]
    told = [Margin(of, margin, len(pairs)) for of in pairs]
    pairs += [pair(table, *two) for two in combinations(others, 2)]
    return compared(pairs, told)


def compared(pairs: Sequence[Pair], told: Sequence[Margin]) -> tuple[Comparison, ...]:
    """These pairs as all that are looked at; `told` are the margins of the first of them."""
    found = findings(told)
    p_values = [permutation_p(of.differences) for of in pairs]
    corrected = holm(p_values)
    return tuple(
        _comparison(
            of,
            (p, p_holm),
            tests=len(pairs),
            margin=told[at] if at < len(told) else None,
            finding=found[at] if at < len(told) else None,
        )
        for at, (of, p, p_holm) in enumerate(zip(pairs, p_values, corrected, strict=True))
    )


class Margin:
    """Whether the first of a pair is worse by less than a margin, one of `tests` such questions."""

    def __init__(self, of: Pair, margin: float, tests: int):
        self.margin, self.tests = margin, tests
        differences = of.differences
        self.p_yes = p_above(differences, -margin) if of.enough else 1.0
        self.p_no = p_above([-d for d in differences], margin) if of.enough else 1.0


def findings(told: Sequence[Margin]) -> list[Finding]:
    """Each at 2.5 % a side for all of them together."""
    yes, no = holm([of.p_yes for of in told]), holm([of.p_no for of in told])
    return [
        "yes" if y <= AS_GOOD else "no" if n <= AS_GOOD else "undecided"
        for y, n in zip(yes, no, strict=True)
    ]


def _comparison(
    of: Pair,
    p_values: tuple[float, float],
    *,
    tests: int,
    margin: Margin | None,
    finding: Finding | None,
) -> Comparison:
    differences = of.differences
    interval = difference_interval(differences)
    square = spread(differences)
    mean = fsum(map(float, differences)) / len(differences) if differences else None
    say = called(of, p_values[1])
    firm = say is not None or finding in ("yes", "no")
    return Comparison(
        first=of.first,
        second=of.second,
        tasks=len(differences),
        wins=sum(d.numerator > 0 for d in differences),
        losses=sum(d.numerator < 0 for d in differences),
        ties=sum(not d.numerator for d in differences),
        difference=mean,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        p=p_values[0],
        p_holm=p_values[1],
        called=say,
        not_worse=finding,
        not_worse_p=margin.p_yes if margin and of.enough else None,
        cost=_ratio(of, lambda did: did.cost, drawn=margin is not None),
        seconds=_ratio(of, lambda did: did.seconds, drawn=margin is not None),
        detectable=detectable(len(differences), square, tests),
        more_tasks=0 if firm else _more(len(differences), mean, square, tests, margin),
    )


def _more(
    tasks: int, mean: float | None, square: float, tests: int, margin: Margin | None
) -> int | None:
    if mean is None:
        return None
    needed = tasks_for_difference(mean, square, tests)
    if margin:
        needed = min(needed, tasks_for_margin(mean, square, margin.margin, margin.tests))
    return more(tasks, needed)


def _ratio(
    of: Pair, value: Callable[[Did], Decimal | float | None], *, drawn: bool
) -> Ratio | None:
    """First by second over all tasks; None where one is unknown, or a sum is nothing."""
    sides = (of.ours, of.theirs)
    columns = [[float(v) for did in side if (v := value(did)) is not None] for side in sides]
    if min(map(len, columns)) < len(of.ours):
        return None
    ours, theirs = map(sum, columns)
    if not ours or not theirs:
        return None
    interval = bootstrap(columns) if drawn else None
    return Ratio(
        tasks=len(of.ours),
        value=ours / theirs,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )
