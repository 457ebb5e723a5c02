"""Whether shares rise or fall with time, task by task."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

_DRAWS = 5_000
_MOST_STEPS = 2_000_000
"""Above so many the sum's distribution is taken as normal, which it then nearly is."""

Series = Sequence[tuple[float, float]]
"""Moments in days and shares from 0 to 1, of one task."""


@dataclass(frozen=True)
class Trend:
    """A slope in shares a day, and how easily chance makes one as steep."""

    slope: float | None
    p_value: float


def trend(tasks: Sequence[Series]) -> Trend:
    """The common slope of all tasks, and its two-sided p value; each task keeps its own level.

    Without any drift the shares of a task could have come in any order. S = Σ (t - t̄)·share,
    both sums within tasks; p = share of all orders within tasks with an S as far from 0, from
    5,000 draws with a fixed seed and p = (b + 1) / (m + 1), Phipson & Smyth (2010), Statistical
    Applications in Genetics and Molecular Biology 9:39. Large samples by the normal
    approximation, variance Σ Σ(t - t̄)²·Σ(y - ȳ)² / (n - 1): Mantel, N. (1963), JASA 58:690-700.
    """
    centred = [[(t - _mean([t for t, _ in one]), y) for t, y in one] for one in tasks]
    width = sum(t * t for one in centred for t, _ in one)
    if width == 0:
        return Trend(None, 1.0)
    seen = _sum(centred)
    moving = [one for one in centred if len({y for _, y in one}) > 1 and any(t for t, _ in one)]
    return Trend(seen / width, _p_value(moving, abs(seen)))


def _p_value(moving: Sequence[Series], seen: float) -> float:
    if not moving:
        return 1.0
    if sum(map(len, moving)) * _DRAWS > _MOST_STEPS:
        variance = sum(_variance(one) for one in moving)
        return math.erfc(seen / math.sqrt(2 * variance))
    chance = random.Random(len(moving))  # noqa: S311 - statistics, and the same in every report
    times = [[t for t, _ in one] for one in moving]
    shares = [[y for _, y in one] for one in moving]
    hits = 0
    for _ in range(_DRAWS):
        found = 0.0
        for at, values in zip(times, shares, strict=True):
            chance.shuffle(values)
            found += sum(t * y for t, y in zip(at, values, strict=True))
        hits += abs(found) >= seen - 1e-9
    return (hits + 1) / (_DRAWS + 1)


def _variance(one: Series) -> float:
    level = _mean([y for _, y in one])
    return sum(t * t for t, _ in one) * sum((y - level) ** 2 for _, y in one) / (len(one) - 1)


def _sum(tasks: Sequence[Series]) -> float:
    return sum(t * y for one in tasks for t, y in one)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
