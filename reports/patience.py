"""Asking GitHub again: how long, for what, and when it is no use."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from github.GithubException import GithubException

T = TypeVar("T")


@dataclass(frozen=True)
class Pace:
    """Seconds."""

    settle: float = 1.0
    """Before looking whether another run wrote meanwhile; GitHub wants as much between writes."""
    again: float = 2.0
    """Before asking a GitHub again that is down; twice as long the next time."""
    unsaid: float = 60.0
    """What a limit takes that does not say how long."""
    patience: float = 180.0
    """All waiting together; a limit that asks for more is not waited for."""
    tries: int = 4


def patiently(call: Callable[[], T], pace: Pace) -> T:
    """Call until it works; raises what it raised last.

    What is called must be safe to repeat as a whole: a request that failed may have worked.
    """
    from github.GithubException import GithubException

    left = pace.patience
    for tried in range(1, pace.tries):
        try:
            return call()
        except GithubException as error:
            wait = _wait(error, pace, tried)
            if wait is None or wait > left:
                raise
        except OSError:  # what requests raises when nobody answers
            wait = _longer(pace, tried)
        left -= wait
        time.sleep(wait)
    return call()


def limited(error: GithubException) -> bool:
    """Whether GitHub asks for fewer requests, and does not refuse this one for good."""
    from github.GithubException import RateLimitExceededException

    if error.status not in (403, 429):
        return False
    headers = error.headers or {}
    said = str(error.data).casefold()
    return (
        isinstance(error, RateLimitExceededException)
        or error.status == 429
        or "retry-after" in headers
        or "secondary rate limit" in said
    )


def _wait(error: GithubException, pace: Pace, tried: int) -> float | None:
    """Seconds to wait; None = it will be refused again."""
    if error.status >= 500:
        return _longer(pace, tried)
    if not limited(error):
        return None
    headers: dict[str, str] = error.headers or {}
    if (seconds := headers.get("retry-after", "")).isdecimal():
        return float(seconds)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        # A second more, for nobody knows when within that second.
        return max(0.0, float(reset) - time.time()) + 1
    return pace.unsaid


def _longer(pace: Pace, tried: int) -> float:
    """Twice as long each time."""
    return pace.again * float(2 ** (tried - 1))
