"""How numbers are written, the same in every rendering. Money is US dollars."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal

UNKNOWN = "unknown"
NONE = "–"
_SMALLEST = Decimal("0.0001")
_MOST_DIGITS = 20
"""Before the point; what is longer was never paid, and has no room."""
_LONGEST = 1e9
"""Seconds; 30 years."""


def money(amount: Decimal | None) -> str:
    """Dollars with as many digits as help: `$0.0042`, `$0.31`, `$1.23`, `$1,235`."""
    if amount is None or not amount.is_finite() or amount.adjusted() > _MOST_DIGITS:
        return UNKNOWN
    if amount == 0:
        return "$0"
    if amount < _SMALLEST:
        return "<$0.0001"
    if amount >= Decimal("999.995"):
        return f"${amount.quantize(Decimal(1), ROUND_HALF_EVEN):,}"
    if amount >= Decimal("0.0995"):
        return f"${amount.quantize(Decimal('0.01'), ROUND_HALF_EVEN)}"
    return f"${_two_digits(amount)}"


def _two_digits(amount: Decimal) -> Decimal:
    rounded = amount.quantize(Decimal(1).scaleb(amount.adjusted() - 1), ROUND_HALF_EVEN)
    return rounded.quantize(Decimal(1).scaleb(rounded.adjusted() - 1))


def per_cent(share: float | None) -> str:
    """A share from 0 to 1 in whole per cent; 0 and 100 only where they are exact."""
    if share is None:
        return NONE
    whole = _whole_per_cent(share)
    if whole == 0 and share > 0:
        return "<1 %"
    if whole == 100 and share < 1:
        return ">99 %"
    return f"{whole} %"


def rate(share: float | None, passed: int, scored: int) -> str:
    """A pass rate with what it is made of: `71 % (10/14)`."""
    return f"{per_cent(share)} ({passed}/{scored})" if scored else "not scored"


def interval(low: float | None, high: float | None) -> str:
    """A range of shares, rounded outwards, so that it is never narrower than it is: `45–89 %`."""
    if low is None or high is None:
        return NONE
    return f"{math.floor(100 * low + 1e-9)}–{math.ceil(100 * high - 1e-9)} %"


def points(share: float) -> str:
    """A difference of two shares in percentage points: `10 points`, `1 point`, `2.5 points`."""
    number = f"{100 * share:.1f}".removesuffix(".0")
    return f"{number} {'point' if number in ('1', '-1') else 'points'}"


def p_value(p: float) -> str:
    """Two digits, never 0: `0.035`, `<0.001`, `1`."""
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def seconds(amount: float | None) -> str:
    """A duration: `0.4 s`, `42 s`, `1 min 34 s`, `2 h 05 min`; `–` where there is none."""
    if amount is None or not math.isfinite(amount) or amount > _LONGEST:
        return NONE
    if amount < 9.95:
        return f"{amount:.1f} s"
    whole = round(amount)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(amount / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 task`, `14 tasks`, `1,200 commits`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _whole_per_cent(share: float) -> int:
    return math.floor(100 * share + 0.5)
