"""What a service says about its rate limits, in the headers of its answers.

Two families say so: `anthropic-ratelimit-…` and `x-ratelimit-…`, the latter of OpenAI and of
many servers that speak its language. Google says nothing before it turns a request away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from models.retry import LONGEST_WAIT

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


@dataclass
class Bucket:
    """What is left of a limit and how fast it comes back, as of a moment of the own clock."""

    limit: float
    level: float
    per_second: float
    at: float

    def wait(self, need: float, now: float) -> float:
        """Seconds until so much is there; what is more than the limit waits for all of it."""
        missing = min(need, self.limit) - self._now(now)
        return max(0.0, missing / self.per_second)

    def take(self, need: float, now: float) -> None:
        """So much is used."""
        self.level, self.at = self._now(now) - need, now

    def refine(self, before: Bucket, now: float) -> None:
        """Headers round down to whole requests; what was known before tells the rest."""
        if before.limit == self.limit:
            self.level = min(max(self.level, before._now(now)), self.level + 1)

    def _now(self, now: float) -> float:
        return min(self.limit, self.level + (now - self.at) * self.per_second)


def heard(headers: Mapping[str, str], now: float) -> dict[str, Bucket]:
    """The limits of `requests` and of `tokens` that an answer tells of, as far as it does."""
    found = {}
    for kind, names in _NAMES.items():
        buckets = [bucket for name in names if (bucket := _bucket(headers, name, now))]
        if buckets:
            found[kind] = min(buckets, key=lambda bucket: bucket.level)
    return found


# {} stands for limit, remaining and reset. A name that counts output says nothing of a prompt.
_NAMES = {
    "requests": ("anthropic-ratelimit-requests-{}", "x-ratelimit-{}-requests"),
    "tokens": (
        "anthropic-ratelimit-tokens-{}",
        "anthropic-ratelimit-input-tokens-{}",
        "x-ratelimit-{}-tokens",
    ),
}


def _bucket(headers: Mapping[str, str], name: str, now: float) -> Bucket | None:
    limit, left = (_number(headers.get(name.format(word))) for word in ("limit", "remaining"))
    full = seconds_until(headers.get(name.format("reset")))
    if limit is None or left is None or full is None or left >= limit:
        return None
    # A day's limit tells of hours; a run must not stand still that long.
    full = min(max(full, 0.001), LONGEST_WAIT)
    return Bucket(limit, left, (limit - left) / full, now)


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\d{1,12}", text.strip()) else None


def seconds_until(text: str | None) -> float | None:
    """Seconds of `6m0s`, `20ms` or `1.5`, or until `2026-01-31T00:00:00Z`; None = not said."""
    text = (text or "").strip()
    parts = _DURATION.findall(text)
    if parts and "".join(map("".join, parts)) == text:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
