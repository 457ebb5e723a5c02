"""Whether two models differ on the tasks both were scored on: tests, and their correction."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from reports.statistics import mcnemar_exact

_DRAWS = 20_000
_MOST_TERMS = 2_000_000
"""Above so many products the distribution is sampled and not computed."""


def permutation_p(differences: Sequence[Fraction]) -> float:
    """Two-sided p value of the paired permutation test on one difference a task.

    If the two models do equally well on a task, exchanging all their attempts at it changes
    nothing: each difference may have either sign. p = share of all 2ⁿ signs whose sum is as far
    from 0 as what was seen. Fisher, R. A. (1935), "The Design of Experiments", section 21. With
    one attempt each this is the exact McNemar test. Attempts at one task stay together. Where
    exact is too long: 20,000 draws with a fixed seed and p = (b + 1) / (m + 1), Phipson & Smyth
    (2010), Statistical Applications in Genetics and Molecular Biology 9:39.
    """
    scale = math.lcm(*(value.denominator for value in differences)) if differences else 1
    whole = [int(value * scale) for value in differences if value]
    sizes, seen = Counter(map(abs, whole)), abs(sum(whole))
    if len(sizes) < 2:
        wins = sum(value > 0 for value in whole)
        return mcnemar_exact(wins, len(whole) - wins)
    if not seen:
        return 1.0
    [(size, count)] = sizes.most_common(1)
    rest = Counter({other: times for other, times in sizes.items() if other != size})
    if _terms(rest) > _MOST_TERMS:
        return _sampled(sizes, seen)
    # Of the most frequent size nothing but its tail is needed, which saves most of the products.
    tail = _tail(count)
    far = (
        p * tail[min(count + 1, max(0, -(-(seen - at + size * count) // (2 * size))))]
        for at, p in _distribution(rest).items()
    )
    return min(1.0, 2 * math.fsum(far))


def _tail(count: int) -> list[float]:
    """Chance of i or more heads of so many, for each i up to one too many."""
    ways, heads = [], 1
    for i in range(count + 1):
        ways.append(heads)
        heads = heads * (count - i) // (i + 1)
    so_far, found = 0, [0.0]
    for one in reversed(ways):
        so_far += one
        found.append(so_far / 2**count)
    return found[::-1]


def _terms(sizes: Counter[int]) -> int:
    """Products that the exact distribution takes: sums so far × signs of the next size."""
    terms, reach = 0, 1
    for size, count in sorted(sizes.items()):
        terms += reach * (count + 1)
        reach = min(reach * (count + 1), reach + 2 * size * count)
    return terms


def _distribution(sizes: Counter[int]) -> dict[int, float]:
    """Probability of every sum of signed sizes: the sizes' binomial distributions, convolved."""
    found = {0: 1.0}
    for size, count in sorted(sizes.items()):
        chances = [
            (size * (2 * i - count), math.comb(count, i) / 2**count) for i in range(count + 1)
        ]
        wider: dict[int, float] = {}
        for at, p in found.items():
            for step, chance in chances:
                wider[at + step] = wider.get(at + step, 0.0) + p * chance
        found = wider
    return found


def _sampled(sizes: Counter[int], seen: int) -> float:
    chance = random.Random(sizes.total())  # noqa: S311 - statistics, and the same in every report
    hits = 0
    for _ in range(_DRAWS):
        # As many signs of each size at once as there are bits.
        drawn = sum(
            size * (2 * chance.getrandbits(count).bit_count() - count)
            for size, count in sizes.items()
        )
        hits += abs(drawn) >= seen
    return (hits + 1) / (_DRAWS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """P values that hold for all of these tests together, in the order given.

    Holm, S. (1979), "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6:65-70: the i-th smallest of k times k - i + 1, never falling, at most 1.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    found, highest = [1.0] * len(p_values), 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, p_values[at] * (len(p_values) - rank)))
        found[at] = highest
    return found
