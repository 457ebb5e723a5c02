"""The one retry policy: which failures are asked again, how often and how long after."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from core.errors import ProviderError

T = TypeVar("T")

ATTEMPTS = 4
OVERLOADED = frozenset({429, 503, 529})
"""Statuses by which a service asks for fewer requests."""
LONGEST_WAIT = 60.0
"""Seconds. An API may ask for an hour; a run must not stand still that long."""


def retrying(call: Callable[[], T]) -> T:
    """Call until it answers, up to ATTEMPTS times; raises the last ProviderError."""
    import stamina

    # Its own hook writes a log line a retry, across the progress; what failed is on disk anyway.
    stamina.instrumentation.set_on_retry_hooks([])
    caller = stamina.RetryingCaller(
        attempts=ATTEMPTS, timeout=None, wait_initial=1.0, wait_max=30.0, wait_jitter=1.0
    )
    return caller(_backoff, call)


def _backoff(error: Exception) -> bool | float:
    """False = give up, True = wait the usual time, a number = wait that many seconds."""
    if not isinstance(error, ProviderError) or not error.retriable:
        return False
    if error.retry_after is None:
        return True
    if error.overloaded:
        return 0.0  # its lane waits that long, and nobody else goes first
    return min(max(error.retry_after, 0.0), LONGEST_WAIT)


def seconds_of(header: str | None) -> float | None:
    """The number in a Retry-After header or a duration such as `13s`; None where there is none."""
    try:
        return float((header or "").strip().removesuffix("s"))
    except ValueError:
        return None
