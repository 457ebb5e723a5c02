"""How large a difference so many tasks can show, and how many tasks a given one takes.

All from the normal approximation, at a power of 80 %: the tests themselves are exact and a little
more careful, `benchmarks/statistics.py` shows by how much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from reports.statistics import ALPHA, AS_GOOD, FEWEST_TASKS, normal

POWER = 0.8
MOST_TASKS = 10_000
"""More than this no repository has."""


def spread(differences: Sequence[Fraction]) -> float:
    """Mean square of the differences, as if two more tasks had been seen that differ wholly.

    With one attempt each this is the share of tasks where exactly one model passes. The two tasks
    are those of Bonett & Price (2012), Journal of Educational and Behavioral Statistics
    37:479-488: without them, models that never differed so far would be said never to differ.
    """
    squares = math.fsum(float(value) ** 2 for value in differences)
    return (squares + 2) / (len(differences) + 2)


def detectable(tasks: int, square: float, tests: int = 1) -> float | None:
    """The smallest true difference that a two-sided test at `ALPHA` / `tests` finds at this power.

    None where even the largest would not be found. Solves `tasks_for_difference` for it.
    """
    if tasks < FEWEST_TASKS or tasks_for_difference(1.0, square, tests) > tasks:
        return None
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        enough = tasks_for_difference(middle, square, tests) <= tasks
        low, high = (low, middle) if enough else (middle, high)
    return high


def tasks_for_difference(difference: float, square: float, tests: int = 1) -> float:
    """Tasks on which such a difference is called, with a mean square difference of `square`.

    Connor, R. J. (1987), "Sample size for testing differences in proportions for the
    paired-sample design", Biometrics 43:207-211: (z_α/2 √ψ + z_β √(ψ - d²))² / d².
    """
    if not difference:
        return math.inf
    size = abs(difference)
    square = max(square, size)  # nothing differs on average by more than it does in all
    surely = normal.inv_cdf(1 - ALPHA / 2 / tests)
    found = surely * math.sqrt(square) + normal.inv_cdf(POWER) * math.sqrt(square - size**2)
    return max(FEWEST_TASKS, (found / size) ** 2)


def tasks_for_margin(difference: float, square: float, margin: float, tests: int = 1) -> float:
    """Tasks on which it is told, either way, whether the first is worse by less than `margin`.

    (z_α + z_β)² (ψ - d²) / (d + margin)², with α = `AS_GOOD` / `tests` one-sided: Liu, Hsueh, Hsieh
    & Chen (2002), "Tests for equivalence or non-inferiority for paired binary data", Statistics in
    Medicine 21:231-245.
    """
    away = abs(difference + margin)
    if not away:
        return math.inf
    z = normal.inv_cdf(1 - AS_GOOD / tests) + normal.inv_cdf(POWER)
    return max(FEWEST_TASKS, z**2 * max(0.0, square - difference**2) / away**2)


def more(tasks: int, needed: float) -> int | None:
    """How many tasks to add, at least one; None for more than any repository has."""
    if needed > MOST_TASKS:
        return None
    return max(1, math.ceil(needed) - tasks)
