"""Every formula against scipy, statsmodels, or all possibilities counted one by one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from reports import statistics_bootstrap, statistics_paired
from reports.statistics import mcnemar_exact, pass_all, pass_any, wilson
from reports.statistics_bootstrap import bootstrap, ratio
from reports.statistics_paired import holm, permutation_p
from reports.statistics_power import detectable, tasks_for_difference, tasks_for_margin
from reports.statistics_score import difference_interval, p_above, score_interval

ONE = st.sampled_from([Fraction(0), Fraction(1)])
SHARES = st.sampled_from([Fraction(n, 3) for n in range(4)])
THIRDS = st.sampled_from([Fraction(n, 3) for n in range(-3, 4)])
SIGNS = st.sampled_from([Fraction(-1), Fraction(0), Fraction(1)])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.data())
def test_wilson_equals_statsmodels(scored: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, scored))
    found = wilson(passed, scored)
    assert found is not None
    low, high = proportion_confint(passed, scored, method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(ONE, min_size=1, max_size=80))
def test_the_score_interval_is_wilsons_with_one_attempt(values: list[Fraction]) -> None:
    found, known = score_interval(values), wilson(int(sum(values)), len(values))
    assert found is not None
    assert known is not None
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-9)


def _z(values: list[Fraction], m: float, least: float, moved: float) -> float:
    """The score statistic, with the likeliest distribution found by a general optimiser."""
    support = sorted({least, 1.0, *map(float, values)})
    counts = np.array([Counter(map(float, values))[v] for v in support], dtype=float)
    at = np.array(support)
    start = np.full(len(at), 1 / len(at))
    found = optimize.minimize(
        lambda p: -float(counts @ np.log(np.maximum(p, 1e-300))), start, method="SLSQP",
        jac=lambda p: -counts / np.maximum(p, 1e-9), bounds=[(1e-12, 1)] * len(at),
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1},
            {"type": "eq", "fun": lambda p: float(p @ at) - m},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    variance = float(found.x @ (at - m) ** 2)
    mean = float(sum(values)) / len(values)
    return float((mean - moved - m) / math.sqrt(variance / len(values)))


@settings(max_examples=30, deadline=None)
@given(st.lists(THIRDS, min_size=3, max_size=25), st.sampled_from([-0.3, -0.1, 0.05]))
def test_p_above_equals_a_general_optimiser(values: list[Fraction], m: float) -> None:
    expected = stats.norm.sf(_z(values, m, -1.0, 1 / len(values)))
    assert p_above(values, m) == pytest.approx(expected, abs=2e-4)


@settings(max_examples=30, deadline=None)
@given(st.lists(THIRDS, min_size=3, max_size=25))
def test_the_ends_of_an_interval_are_where_the_test_turns(values: list[Fraction]) -> None:
    found = difference_interval(values)
    assert found is not None
    assert found.low <= float(sum(values)) / len(values) <= found.high
    if found.low > -1:
        assert p_above(values, found.low) == pytest.approx(0.025, abs=1e-6)
    if found.high < 1:
        assert p_above([-v for v in values], -found.high) == pytest.approx(0.025, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(SIGNS, min_size=5, max_size=60), st.sampled_from([0.05, 0.1, 0.2]))
def test_p_above_is_tangos_test_with_one_attempt(values: list[Fraction], margin: float) -> None:
    """Tango (1998), equation 6: the likeliest share of losses in closed form."""
    n, wins, losses = len(values), values.count(Fraction(1)), values.count(Fraction(-1))
    a, b, c = (
        2 * n,
        -wins - losses + (2 * n + wins - losses) * margin,
        -wins * margin * (1 - margin),
    )
    won = (math.sqrt(b * b - 4 * a * c) - b) / (2 * a)
    error = math.sqrt(n * (2 * won + margin * (1 - margin)))
    expected = stats.norm.sf((wins - losses - 1 + n * margin) / error)
    assert p_above(values, -margin) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("tenths", [-3, 0, 1])
def test_a_test_of_just_what_was_seen_finds_nothing(tenths: int) -> None:
    """Ten attempts, one fewer passed at every task: asked for 10 points, a division by zero."""
    values = [Fraction(tenths, 10)] * 9
    assert p_above(values, tenths / 10) > 0.5
    assert p_above(values, tenths / 10 - 0.3) < 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_equals_statsmodels(wins: int, losses: int) -> None:
    expected = mcnemar([[0, wins], [losses, 0]], exact=True).pvalue
    expected = 1.0 if math.isnan(expected) else min(1.0, expected)
    assert mcnemar_exact(wins, losses) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.lists(THIRDS, min_size=2, max_size=10))
def test_the_permutation_test_equals_scipys_on_all_signs(values: list[Fraction]) -> None:
    thirds = np.array([int(3 * v) for v in values])  # whole numbers: no tie is lost to rounding
    expected = stats.permutation_test(
        (thirds, np.zeros_like(thirds)), lambda x, y, axis: (x - y).sum(axis=axis),
        permutation_type="samples", n_resamples=np.inf, vectorized=True,
    ).pvalue  # fmt: skip
    assert permutation_p(values) == pytest.approx(expected, abs=1e-12)


def test_the_permutation_test_is_mcnemars_with_one_attempt() -> None:
    values = [Fraction(1)] * 9 + [Fraction(-1)] * 2 + [Fraction(0)] * 30
    assert permutation_p(values) == mcnemar_exact(9, 2)
    assert permutation_p([]) == permutation_p([Fraction(0)]) == 1.0


def test_where_exact_is_too_long_the_sample_is_close_and_never_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = [Fraction(n % 7 - 2, 6) for n in range(40)]
    exact = permutation_p(values)
    monkeypatch.setattr(statistics_paired, "_MOST_TERMS", 1)
    assert 0.001 < exact < 0.2
    assert permutation_p(values) == pytest.approx(exact, abs=0.005)
    assert permutation_p(values) == permutation_p(values)
    assert permutation_p([*[Fraction(1)] * 40, Fraction(1, 2)]) == 1 / 20_001


def test_holm_equals_statsmodels() -> None:
    for size in (1, 2, 5, 12):
        p_values = np.random.default_rng(size).beta(0.3, 4, size).tolist()
        expected = multipletests(p_values, method="holm")[1]
        assert holm(p_values) == pytest.approx(list(expected), abs=1e-12)
    assert holm([0.02, 0.02, 0.9]) == [0.06, 0.06, 0.9]
    assert holm([]) == []


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 3), (4, 0, 2), (3, 3, 3), (6, 4, 1), (10, 7, 5)])
def test_pass_at_k_counts_all_choices(n: int, c: int, k: int) -> None:
    choices = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_any(c, n, k) == Fraction(sum(map(any, choices)), len(choices))
    assert pass_all(c, n, k) == Fraction(sum(map(all, choices)), len(choices))


@pytest.fixture
def many_draws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """So many that chance does not hide which method it is."""
    statistics_bootstrap._drawn.cache_clear()
    statistics_bootstrap._sums.cache_clear()
    monkeypatch.setattr(statistics_bootstrap, "RESAMPLES", 20_000)
    yield
    statistics_bootstrap._drawn.cache_clear()
    statistics_bootstrap._sums.cache_clear()


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.usefixtures("many_draws")
def test_the_bootstrap_equals_scipys_bca(seed: int) -> None:
    """Few and skewed values: the plain percentiles are far off."""
    drawn = np.random.default_rng(seed)
    first, second = drawn.lognormal(0, 1.3, 15), drawn.lognormal(1, 0.5, 15)
    found = bootstrap([list(first), list(second)], ratio)
    assert found is not None

    def known(method: str) -> tuple[float, float]:
        interval = stats.bootstrap(
            (first, second), lambda a, b, axis: a.sum(axis=axis) / b.sum(axis=axis),
            paired=True, vectorized=True, method=method, n_resamples=20_000, rng=drawn,
        ).confidence_interval  # fmt: skip
        return float(interval.low), float(interval.high)

    assert (found.low, found.high) == pytest.approx(known("BCa"), rel=0.05)
    assert known("percentile") != pytest.approx(known("BCa"), rel=0.1)
    assert bootstrap([list(first), list(second)], ratio) == found


def test_a_bootstrap_of_few_tasks_of_nothing_or_of_equals() -> None:
    assert bootstrap([[1.0] * 7, [2.0] * 7]) is None
    assert bootstrap([[1.0] * 20, [0.0] * 20]) is None
    same = bootstrap([[1.0] * 20, [4.0] * 20])
    assert same is not None
    assert (same.low, same.high) == (0.25, 0.25)


def _power(tasks: int, difference: float, differ: float) -> float:
    """Exact: that McNemar's test finds a true difference, over all numbers of wins and losses."""
    better = (differ + difference) / 2
    chances = [better, differ - better, 1 - differ]
    pairs = product(range(tasks + 1), repeat=2)
    counts = np.array([(w, lost, tasks - w - lost) for w, lost in pairs if w + lost <= tasks])
    found = np.array(
        [w > lost and mcnemar_exact(w, lost) < 0.025 for w, lost, _ in counts.tolist()]
    )
    return float(stats.multinomial.pmf(counts[found], tasks, chances).sum())


@pytest.mark.parametrize(("tasks", "differ"), [(30, 0.4), (100, 0.3)])
def test_the_detectable_difference_is_found_about_four_times_of_five(
    tasks: int, differ: float
) -> None:
    """Exact tests are careful, so a little less often; half of it, much less."""
    found = detectable(tasks, differ)
    assert found is not None
    assert 0.68 < _power(tasks, found, max(differ, found)) < 0.82
    assert _power(tasks, found / 2, differ) < 0.4
    assert tasks_for_difference(found, differ) == pytest.approx(tasks, rel=1e-6)


def test_no_difference_is_detectable_on_too_few_tasks() -> None:
    assert detectable(7, 0.3) is None
    assert detectable(8, 1.0, tests=1000) is None
    assert tasks_for_difference(0, 0.3) == math.inf
    assert tasks_for_margin(-0.1, 0.3, 0.1) == math.inf
    # By hand: (1.95996 + 0.84162)² · 0.3 / 0.1².
    assert tasks_for_margin(0, 0.3, 0.1) == pytest.approx(235.466, abs=0.01)
