"""Whether shares changed with time, task by task: the latest against all before, and the slope.

Without any change the shares of a task could have come in any order, whatever its level: so each
task is only ever compared with itself.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations

_DRAWS = 5_000
_MOST_STEPS = 2_000_000
"""Above so many the latest is sampled, and the slope taken as normal, which it then nearly is."""
_MOST_ORDERS = 1_000
"""Up to so many orders of one task's shares are written out; of 12 runs that is every one."""

Series = Sequence[tuple[float, float]]
"""Moments in days and shares from 0 to 1, of one task."""


@dataclass(frozen=True)
class Trend:
    """A slope in shares a day, and how easily chance makes one as steep."""

    slope: float | None
    p_value: float


def latest_p(tasks: Sequence[Sequence[Fraction]]) -> float:
    """Two-sided p value of the last of each task's shares against the mean of those before.

    D = Σ (last - mean of the others); p = share of all choices of a last one, one a task, with a D
    as far from 0: Fisher's randomisation within strata (Pitman, E. J. G. (1937), Supplement to the
    Journal of the Royal Statistical Society 4:119-130). With one share before, this is
    `permutation_p`; with more, exchanging signs would err where most shares are near 0 or 1
    (`benchmarks/statistics.py`). Exact where that is not too long, else 5,000 draws with a fixed
    seed and p = (b + 1) / (m + 1), Phipson & Smyth (2010).
    """
    away = [[_against_others(one, value) for value in one] for one in tasks]
    scale = math.lcm(*(d.denominator for one in away for d in one))
    whole = [[int(d * scale) for d in one] for one in away if len(set(one)) > 1]
    seen = abs(sum(one[-1] for one in whole))
    if not whole:
        return 1.0
    if _terms(whole) <= _MOST_STEPS:
        far = (p for at, p in _distribution(whole).items() if abs(at) >= seen)
        return min(1.0, math.fsum(far))
    chance = random.Random(len(whole))  # noqa: S311 - statistics, and the same in every report
    return _as_far([chance.choices(one, k=_DRAWS) for one in whole], seen)


def _as_far(drawn: Sequence[Sequence[float]], seen: float) -> float:
    """P value from all draws of each task."""
    hits: int = sum(abs(sum(one)) >= seen for one in zip(*drawn, strict=True))
    return (hits + 1) / (_DRAWS + 1)


def _against_others(values: Sequence[Fraction], value: Fraction) -> Fraction:
    return value - (sum(values, Fraction(0)) - value) / (len(values) - 1)


def _terms(tasks: Sequence[Sequence[int]]) -> int:
    """Products that the exact distribution takes."""
    terms, reach = 0, 1
    for one in tasks:
        terms += reach * len(set(one))
        reach = min(reach * len(set(one)), reach + max(one) - min(one))
    return terms


def _distribution(tasks: Sequence[Sequence[int]]) -> dict[int, float]:
    """Probability of every sum of one value a task."""
    found = {0: 1.0}
    for one in tasks:
        wider: dict[int, float] = {}
        for step, count in Counter(one).items():
            for at, p in found.items():
                wider[at + step] = wider.get(at + step, 0.0) + p * count / len(one)
        found = wider
    return found


def trend(tasks: Sequence[Series]) -> Trend:
    """The common slope of all tasks, and its two-sided p value.

    S = Σ (t - t̄)·share, both sums within tasks; p = share of all orders within tasks with an S as
    far from 0, from 5,000 draws as in `latest_p`. Large samples by the normal approximation,
    variance Σ Σ(t - t̄)²·Σ(y - ȳ)² / (n - 1): Mantel, N. (1963), JASA 58:690-700.
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
    return _as_far([_drawn(one, chance) for one in moving], seen - 1e-9)


def _drawn(task: Series, chance: random.Random) -> list[float]:
    """A task's part of S in random orders of its shares."""
    times, shares = tuple(t for t, _ in task), sorted(y for _, y in task)
    ways = math.factorial(len(shares))
    for count in Counter(shares).values():
        ways //= math.factorial(count)
    if ways <= _MOST_ORDERS:
        return chance.choices(_in_all_orders(times, tuple(shares)), k=_DRAWS)
    found = []
    for _ in range(_DRAWS):
        chance.shuffle(shares)
        found.append(sum(t * y for t, y in zip(times, shares, strict=True)))
    return found


@lru_cache(maxsize=64)
def _in_all_orders(times: tuple[float, ...], shares: tuple[float, ...]) -> list[float]:
    """Σ t·share of every order that differs; kept, because tasks of the same runs ask again."""
    found = [(0.0, times)]
    for share, count in Counter(shares).items():
        found = [
            (
                so_far + share * sum(free[at] for at in chosen),
                tuple(t for at, t in enumerate(free) if at not in chosen),
            )
            for so_far, free in found
            for chosen in combinations(range(len(free)), count)
        ]
    return [total for total, _ in found]


def _variance(one: Series) -> float:
    level = _mean([y for _, y in one])
    return sum(t * t for t, _ in one) * sum((y - level) ** 2 for _, y in one) / (len(one) - 1)


def _sum(tasks: Sequence[Series]) -> float:
    return sum(t * y for one in tasks for t, y in one)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
