"""Numbers as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reports import numbers


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (None, "unknown"),
        ("NaN", "unknown"),
        ("0", "$0"),
        ("0.00009", "<$0.0001"),
        ("0.0042", "$0.0042"),
        ("0.00999", "$0.010"),
        ("0.0123", "$0.012"),
        ("0.0999", "$0.10"),
        ("0.314", "$0.31"),
        ("1.234", "$1.23"),
        ("999.994", "$999.99"),
        ("999.996", "$1,000"),
        ("1234567.8", "$1,234,568"),
        ("1e30", "unknown"),
    ],
)
def test_money(amount: str | None, words: str) -> None:
    assert numbers.money(None if amount is None else Decimal(amount)) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(None, "–"), (0, "0 %"), (0.001, "<1 %"), (0.714, "71 %"), (0.999, ">99 %"), (1.0, "100 %")],
)
def test_per_cent_is_never_rounded_to_all_or_nothing(share: float | None, words: str) -> None:
    assert numbers.per_cent(share) == words


def test_a_rate_says_what_it_is_made_of() -> None:
    assert numbers.rate(10 / 14, 10, 14) == "71 % (10/14)"
    assert numbers.rate(None, 0, 0) == "not scored"


def test_an_interval_is_never_shown_narrower_than_it_is() -> None:
    assert numbers.interval(0.4535, 0.8827) == "45–89 %"
    assert numbers.interval(0.0, 1.0) == "0–100 %"
    assert numbers.interval(None, None) == "–"


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (None, "–"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (94, "1 min 34 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (float("nan"), "–"),
        (1e308, "–"),
    ],
)
def test_seconds(amount: float | None, words: str) -> None:
    assert numbers.seconds(amount) == words
