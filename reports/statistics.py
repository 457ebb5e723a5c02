"""The few pieces of statistics a report needs, small enough to be checked by hand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

normal = NormalDist()
Z_95 = 1.959963984540054
"""The 97.5 % point of the standard normal distribution."""
ALPHA = 0.025
"""How often a run of equals may call any of them better than another, both directions together."""
AS_GOOD = 0.025
"""How often one that is worse by the whole margin may be called as good; one-sided."""
FEWEST_TASKS = 8
"""Below this many shared tasks no difference is called, whatever its p value."""


@dataclass(frozen=True)
class Interval:
    """A range of shares, each from 0 to 1."""

    low: float
    high: float


def wilson(passed: int, scored: int) -> Interval | None:
    """95 % score interval of a share; None when nothing was scored.

    Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical
    inference", JASA 22:209-212, without continuity correction:
    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n).
    """
    if scored == 0:
        return None
    rate = passed / scored
    spread = Z_95**2 / scored
    centre = rate + spread / 2
    half = Z_95 * math.sqrt(rate * (1 - rate) / scored + spread / (4 * scored))
    # At 0 and `scored` the formula is exact in theory and off by a rounding error in floats.
    low = 0.0 if passed == 0 else max(0.0, (centre - half) / (1 + spread))
    high = 1.0 if passed == scored else min(1.0, (centre + half) / (1 + spread))
    return Interval(low, high)


def linear_kappa(pairs: Sequence[tuple[int, int]], categories: int) -> float | None:
    """Agreement of two judges beyond chance, on categories in order, numbered from 0.

    Cohen, J. (1968), "Weighted kappa", Psychological Bulletin 70:213-220, with weights
    |i - j| / (k - 1): 1 - Σ w·observed / Σ w·expected. None where one category is all there is.
    """
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    away = sum(abs(a - b) for a, b in pairs)
    chance = sum(
        first[a] * second[b] * abs(a - b) for a in range(categories) for b in range(categories)
    )
    return 1 - away * len(pairs) / chance if chance else None


def pass_any(passed: int, attempts: int, k: int) -> Fraction:
    """pass@k of one task: the chance that at least one of k attempts passes, unbiased.

    Chen, M. et al. (2021), "Evaluating large language models trained on code", arXiv:2107.03374:
    1 - C(n - c, k) / C(n, k).
    """
    return 1 - Fraction(math.comb(attempts - passed, k), math.comb(attempts, k))


def pass_all(passed: int, attempts: int, k: int) -> Fraction:
    """pass^k of one task: the chance that each of k attempts passes, unbiased.

    Yao, S. et al. (2024), "τ-bench", arXiv:2406.12045: C(c, k) / C(n, k).
    """
    return Fraction(math.comb(passed, k), math.comb(attempts, k))


def mcnemar_exact(wins: int, losses: int) -> float:
    """Two-sided p value of the exact McNemar test on the pairs that differ.

    McNemar, Q. (1947), Psychometrika 12:153-157, with binomial probabilities in place of χ²:
    p = min(1, 2 · Σ_{i ≤ min(wins, losses)} C(n, i) / 2ⁿ), n = wins + losses.
    """
    pairs = wins + losses
    tail = sum(math.comb(pairs, i) for i in range(min(wins, losses) + 1))
    return min(1.0, float(Fraction(2 * tail, 2**pairs)))


def level(models: int) -> float:
    """What a p value must be below when every two of so many models could be compared.

    Bonferroni: `ALPHA` shared out over all pairs, because the pair is picked after looking.
    """
    pairs = max(1, math.comb(models, 2))
    return ALPHA / pairs


def tasks_needed(models: int) -> int:
    """The fewest shared tasks on which one of so many models can be called better."""
    tasks = FEWEST_TASKS
    while mcnemar_exact(tasks, 0) >= level(models):
        tasks += 1
    return tasks
