"""Intervals for sums of money and time, which have no known distribution: whole tasks are drawn."""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter

from reports.statistics import FEWEST_TASKS, Z_95, Interval, normal

RESAMPLES = 2_000
_EXACT_BELOW = 500
"""Tasks."""
Pick = Callable[[Sequence[float]], tuple[float, ...]]
Statistic = Callable[[Sequence[float]], float]
"""From the sums of all columns over the drawn tasks to a number."""


def ratio(sums: Sequence[float]) -> float:
    """First column by second."""
    return sums[0] / sums[1]


def bootstrap(columns: Sequence[Sequence[float]], of: Statistic = ratio) -> Interval | None:
    """95 % interval of a function of column sums, drawing whole tasks, so all their attempts.

    Bias-corrected and accelerated (BCa): Efron, B. (1987), "Better bootstrap confidence
    intervals", JASA 82:171-185; acceleration from the jackknife. The same draws in every report.
    Each column holds one number a task; None for fewer than `FEWEST_TASKS` tasks, where the
    draws tell next to nothing, and where the statistic is not defined on a draw.
    """
    size = len(columns[0])
    if size < FEWEST_TASKS:
        return None
    totals = [math.fsum(column) for column in columns]
    try:
        found = sorted(_draws(columns, of))
        left_out = [
            of([total - column[at] for total, column in zip(totals, columns, strict=True)])
            for at in range(size)
        ]
        seen = of(totals)
    except ZeroDivisionError:
        return None
    if found[0] == found[-1]:
        return Interval(seen, seen)
    below = (bisect_left(found, seen) + bisect_right(found, seen)) / 2
    bias = normal.inv_cdf(min(max(below, 0.5), RESAMPLES - 0.5) / RESAMPLES)
    bend = _acceleration(left_out)
    return Interval(_at(found, bias, bend, -Z_95), _at(found, bias, bend, Z_95))


def _draws(columns: Sequence[Sequence[float]], of: Statistic) -> list[float]:
    return [of(sums) for sums in zip(*(_sums(tuple(one)) for one in columns), strict=True)]


@lru_cache(maxsize=64)
def _sums(column: tuple[float, ...]) -> list[float]:
    """A column's sum over each draw; kept, because the same one is compared with several others."""
    if min(column) == max(column):
        return [math.fsum(column)] * RESAMPLES
    # Exact where draws tie with what was seen, which the bias goes by; ties of many tasks are rare,
    # and an exact sum of theirs takes seven times as long.
    add = math.fsum if len(column) < _EXACT_BELOW else sum
    return [add(pick(column)) for pick in _drawn(len(column))]


@lru_cache(maxsize=2)
def _drawn(size: int) -> list[Pick]:
    """What takes the drawn tasks out of a column; kept, because reports ask for the same again."""
    chance = random.Random(size)  # noqa: S311 - statistics, and the same in every report
    places = list(range(size))  # one number for all its draws: else they fill the memory
    return [itemgetter(*chance.choices(places, k=size)) for _ in range(RESAMPLES)]


def _acceleration(left_out: Sequence[float]) -> float:
    mean = math.fsum(left_out) / len(left_out)
    away = [mean - value for value in left_out]
    spread = math.fsum(value**2 for value in away)
    return math.fsum(value**3 for value in away) / (6 * spread**1.5) if spread else 0.0


def _at(found: Sequence[float], bias: float, bend: float, z: float) -> float:
    """The draw at the corrected percentile."""
    share = normal.cdf(bias + (bias + z) / (1 - bend * (bias + z)))
    place = share * (len(found) - 1)
    low = math.floor(place)
    high = min(low + 1, len(found) - 1)
    return found[low] + (found[high] - found[low]) * (place - low)
