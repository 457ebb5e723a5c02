"""US dollars as flags and settings give them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from core.errors import UsageError
from models.pricing import Price
from patchmark.config import PriceSection


def money(flag: str, text: str | None, otherwise: Decimal | None) -> Decimal | None:
    """The amount a flag names, else the other one. Raises UsageError, naming the flag."""
    if not text:
        return otherwise
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise UsageError(f"--{flag}: {text!r} is no amount of US dollars") from error
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"--{flag}: {text!r} is no amount of US dollars")
    return amount


def price(section: PriceSection) -> Price:
    """A price list's entry."""
    return Price(
        input_usd_per_mtok=section.input,
        output_usd_per_mtok=section.output,
        cache_read_usd_per_mtok=section.cache_read,
        cache_write_usd_per_mtok=section.cache_write,
    )
