"""The one interval for means of shares over tasks: pass rates, and differences of two of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from reports.statistics import Z_95, Interval, normal, wilson

_STEPS = 36
"""Halvings: the last one moves a share by less than 1e-10."""


def score_interval(values: Sequence[Fraction]) -> Interval | None:
    """95 % score interval of the mean of one share a task, each from 0 to 1; None without any.

    All means m that a two-sided score test at 5 % does not refuse: |mean - m| / √(σ²(m) / n) < z,
    where σ²(m) is the variance of the likeliest distribution on [0, 1] with mean m (see
    `_variance`). With one attempt at each task this is Wilson's interval, `statistics.wilson`.
    """
    counts = _counts(values)
    if counts.keys() <= {0.0, 1.0}:
        return wilson(counts.get(1.0, 0), len(values))
    return _interval(counts, 0.0, 0.0)


def difference_interval(values: Sequence[Fraction]) -> Interval | None:
    """The same for one difference of two shares a task, each from -1 to 1.

    With one attempt at each task and without the correction this is the interval of Tango, T.
    (1998), "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17:891-908. That one refuses a difference that
    is true in up to 5 % of runs (`benchmarks/statistics.py`); so the mean is first moved by one
    task, 1/n, towards what is tested: half of what a win in place of a loss changes.
    """
    return _interval(_counts(values), -1.0, 1 / len(values)) if values else None


def p_above(values: Sequence[Fraction], m: float) -> float:
    """One-sided p value of the test that `difference_interval` turns round: of "m or less"."""
    counts = _counts(values)
    return 1 - normal.cdf(_statistic(counts, _mean(counts) - 1 / len(values), m, -1.0))


def _interval(counts: Mapping[float, int], least: float, moved: float) -> Interval:
    mean = _mean(counts)
    down, up = mean - moved, mean + moved

    def above(m: float) -> bool:
        return _statistic(counts, down, m, least) > Z_95

    def below(m: float) -> bool:
        return _statistic(counts, up, m, least) > -Z_95

    return Interval(
        least if down <= least else _edge(above, least, down),
        1.0 if up >= 1 else _edge(below, up, 1.0),
    )


def _counts(values: Sequence[Fraction]) -> dict[float, int]:
    return dict(Counter(map(float, values)))


def _mean(counts: Mapping[float, int]) -> float:
    return math.fsum(value * count for value, count in counts.items()) / sum(counts.values())


def _edge(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where between `low` and `high` the condition stops to hold."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _statistic(counts: Mapping[float, int], mean: float, m: float, low: float) -> float:
    variance = _variance(counts, m, low)
    if variance <= 0:
        return math.copysign(math.inf, mean - m) if mean != m else 0.0
    return (mean - m) / math.sqrt(variance / sum(counts.values()))


def _variance(counts: Mapping[float, int], m: float, low: float) -> float:
    """σ²(m): variance of the multinomial on [low, 1] that is likeliest to give these counts.

    Lagrange multipliers give a value v the probability count / (n · (1 + λ(v - m))); λ is the
    largest or smallest that leaves no weight negative, or where the mean is m. What is missing
    to 1 then lies on the end of the range. Owen, A. (2001), "Empirical Likelihood", section 2.9;
    with the ends of the range: Honda & Takemura (2010), COLT, theorem 8.
    """
    total = sum(counts.values())
    weight = _multiplier(counts, m, low)
    shares = [(v - m, count / (total * (1 + weight * (v - m)))) for v, count in counts.items()]
    rest = max(0.0, 1 - sum(share for _, share in shares))
    end = (low if weight > 0 else 1.0) - m
    return sum(share * away**2 for away, share in shares) + rest * end**2


def _multiplier(counts: Mapping[float, int], m: float, low: float) -> float:
    """λ of `_variance`, by Newton's method within the bracket where all weights are positive."""
    # The sum below falls as λ grows, so that its sign at 0 tells on which side the root lies.
    lean = sum(count * (v - m) for v, count in counts.items())
    if not lean:
        return 0.0
    up = lean > 0
    end = 1 / (m - low) if up else 1 / (m - 1)
    inner = 0.0
    outer = end
    if all(1 + end * (v - m) > 1e-9 for v in counts):
        slope = sum(count * (v - m) / (1 + end * (v - m)) for v, count in counts.items())
        if (slope >= 0) == up:
            return end
    at = outer / 2
    for _ in range(_STEPS):
        terms = [(count, (v - m) / (1 + at * (v - m))) for v, count in counts.items()]
        value = sum(count * term for count, term in terms)
        inner, outer = (at, outer) if (value > 0) == up else (inner, at)
        step = at + value / sum(count * term**2 for count, term in terms)
        if abs(step - at) <= 1e-13 * abs(end):
            return at
        at = step if min(inner, outer) < step < max(inner, outer) else (inner + outer) / 2
    return at
