"""Prices, the budget and the waits between retries."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ProviderError
from core.types import Usage
from models.budget import Budget, OverBudgetError
from models.pricing import Price, PriceList
from models.retry import _backoff, retrying, seconds_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MILLION = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


@pytest.mark.parametrize(
    ("provider", "model", "usage", "usd"),
    [
        ("anthropic", "claude-opus-4-8", MILLION, "30"),
        ("anthropic", "claude-haiku-4-5-20251001", MILLION, "6"),
        ("google", "gemini-3.5-flash", MILLION, "10.5"),
        ("google", "models/gemini-3.5-flash", MILLION, "10.5"),
        (
            "anthropic",
            "claude-opus-4-8",
            Usage(input_tokens=1_000_000, cache_read_tokens=400_000, cache_write_tokens=200_000),
            "3.45",  # 0.4 × 5 + 0.4 × 0.50 + 0.2 × 6.25
        ),
    ],
)
def test_listed_prices(provider: str, model: str, usage: Usage, usd: str) -> None:
    cost = PriceList().cost(provider, model, None, usage, NOW)
    assert cost is not None
    assert cost.usd == Decimal(usd)
    assert cost.price.date == NOW.date()
    assert cost.price.source.startswith("genai-prices ")


def test_a_price_that_changes_on_a_date_is_that_of_the_request() -> None:
    later = datetime(2027, 1, 2, tzinfo=UTC)
    costs = [
        PriceList().cost("google", "gemini-3.6-flash", None, MILLION, at) for at in (NOW, later)
    ]
    assert [cost.usd for cost in costs if cost] == [Decimal("4.5"), Decimal(9)]


@pytest.mark.parametrize("model", ["claude-mystery", "gpt-4o", ""])
def test_an_unknown_price_is_none_and_never_zero(model: str) -> None:
    assert PriceList().cost("anthropic", model, None, MILLION, NOW) is None


def test_the_model_that_served_is_the_one_billed() -> None:
    cost = PriceList().cost("anthropic", "claude-opus-4-8", "claude-haiku-4-5", MILLION, NOW)
    assert cost is not None
    assert cost.usd == 6
    assert PriceList().cost("anthropic", "claude-opus-4-8", "who-knows", MILLION, NOW) is None


def test_the_users_price_goes_first_for_either_name() -> None:
    own = Price(
        input_usd_per_mtok=Decimal(1),
        output_usd_per_mtok=Decimal(2),
        cache_read_usd_per_mtok=Decimal("0.1"),
    )
    prices = PriceList({"anthropic:claude-opus-4-8": own})
    usage = Usage(
        input_tokens=1_000_000,
        cache_read_tokens=500_000,
        cache_write_tokens=100_000,
        output_tokens=10,
    )
    for requested, served in [("claude-opus-4-8", "x"), ("latest", "claude-opus-4-8")]:
        cost = prices.cost("anthropic", requested, served, usage, NOW)
        assert cost is not None
        assert cost.usd == Decimal("0.4") + Decimal("0.05") + Decimal("0.1") + Decimal("0.00002")
        assert cost.price.source == "settings"


def test_contradictory_counts_have_no_price() -> None:
    usage = Usage(input_tokens=10, cache_read_tokens=20)
    assert PriceList().cost("anthropic", "claude-opus-4-8", None, usage, NOW) is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 100)), max_size=30))
def test_the_cap_is_never_passed(requests: list[tuple[int, int]]) -> None:
    budget = Budget(Decimal(100))
    for worst, share in requests:
        try:
            with budget.reserve(Decimal(worst)) as reservation:
                reservation.settle(Decimal(worst * share) / 100)
        except OverBudgetError:
            assert budget.spent + worst > 100
        assert budget.spent <= 100


def test_a_cost_that_stays_unknown_counts_as_the_worst() -> None:
    budget = Budget(Decimal(10))
    with budget.reserve(Decimal(6)) as reservation:
        reservation.settle(None)
    assert budget.spent == 6
    with pytest.raises(RuntimeError), budget.reserve(Decimal(3)):
        raise RuntimeError
    assert budget.spent == 9


def test_a_request_waits_for_one_under_way_that_may_turn_out_cheap() -> None:
    budget = Budget(Decimal(10))
    begun, entered = threading.Event(), threading.Event()

    def second() -> None:
        begun.set()
        with budget.reserve(Decimal(6)) as reservation:
            entered.set()
            reservation.settle(Decimal(1))

    thread = threading.Thread(target=second)
    with budget.reserve(Decimal(6)) as reservation:
        thread.start()
        begun.wait(5)
        assert not entered.wait(0.1)
        reservation.settle(Decimal(1))
    thread.join(5)
    assert entered.is_set()
    assert budget.spent == 2


@pytest.mark.parametrize(
    ("retriable", "retry_after", "wait"),
    [
        (False, None, False),
        (False, 5.0, False),
        (True, None, True),
        (True, 5.0, 5.0),
        (True, 3600.0, 60.0),
        (True, -1.0, 0.0),
    ],
)
def test_waits(retriable: bool, retry_after: float | None, wait: bool | float) -> None:
    error = ProviderError("x", retriable=retriable, retry_after=retry_after)
    assert _backoff(error) == wait
    assert type(_backoff(error)) is type(wait)


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("13s", 13.0), (None, None), ("", None), ("Wed, 21", None)]
)
def test_retry_after_headers(text: str | None, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_four_attempts_and_no_more() -> None:
    tries = []

    def call() -> None:
        tries.append(1)
        raise ProviderError("down", retriable=True, retry_after=0.0)

    with stamina.set_testing(False), pytest.raises(ProviderError, match="down"):
        retrying(call)
    assert len(tries) == 4
