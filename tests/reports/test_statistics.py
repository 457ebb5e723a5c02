"""The two formulas, against values from elsewhere and from pencil and paper."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.statistics import level, mcnemar_exact, tasks_needed, wilson


@pytest.mark.parametrize(
    ("passed", "scored", "low", "high"),
    [
        # scipy 1.x: binomtest(passed, scored).proportion_ci(method="wilson")
        (10, 14, 0.4535091567010682, 0.8827862135542307),
        (1, 3, 0.06149194472039626, 0.7923403991979523),
        (150, 300, 0.4437795161339169, 0.5562204838660831),
        # By hand: with none passed, high = z² / (n + z²) = 3.841459 / 17.841459.
        (0, 14, 0.0, 3.841458820694124 / 17.841458820694124),
        (14, 14, 14 / 17.841458820694124, 1.0),
    ],
)
def test_wilson_equals_known_intervals(passed: int, scored: int, low: float, high: float) -> None:
    found = wilson(passed, scored)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


def test_nothing_scored_has_no_interval() -> None:
    assert wilson(0, 0) is None


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_rate_and_mirrors(passed: int, failed: int) -> None:
    found, mirror = wilson(passed, passed + failed), wilson(failed, passed + failed)
    if found is None or mirror is None:
        assert passed + failed == 0
        return
    assert 0 <= found.low <= passed / (passed + failed) <= found.high <= 1
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx((found.low, found.high))


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [
        # By hand: 2 · (1/2)ⁿ when all n pairs point one way.
        (5, 0, 2 / 32),
        (6, 0, 2 / 64),
        # By hand: 2 · (C(9,0) + C(9,1)) / 2⁹ = 20 / 512.
        (8, 1, 20 / 512),
        # The p value that scipy gives for wins in wins + losses throws of a fair coin.
        (9, 2, 0.0654296875),
        (12, 3, 0.03515625),
        (10, 1, 0.01171875),
        (5, 5, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_equals_known_values(wins: int, losses: int, p: float) -> None:
    assert mcnemar_exact(wins, losses) == mcnemar_exact(losses, wins) == pytest.approx(p, abs=1e-15)


def test_thousands_of_pairs_are_no_problem_for_floats() -> None:
    assert mcnemar_exact(3000, 100) < 1e-300 or mcnemar_exact(3000, 100) == 0
    assert mcnemar_exact(1500, 1500) == 1.0


@pytest.mark.parametrize(("models", "tasks"), [(1, 8), (2, 8), (3, 8), (4, 9), (5, 10), (30, 16)])
def test_more_models_need_more_tasks(models: int, tasks: int) -> None:
    """By hand: the least n with 2 · (1/2)ⁿ < 0.025 / C(models, 2), and 8 at least."""
    assert tasks_needed(models) == tasks
    assert mcnemar_exact(tasks, 0) < level(models)
