"""Which candidates a run is about: the filters, and the order in which they are taken.

The order is made of dates, sizes and ids alone, so that it is the same on every machine, and
a grown history changes little of it: what was taken stays among what is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from core.paths import matches
from core.types import Candidate

C = TypeVar("C", bound=Candidate)

DEFAULT_MAX_LEAK = 0.5
DEFAULT_MAX_VAGUENESS = 0.99

_BANDS = (5, 20, 80)
"""Changed lines up to which a fix belongs to a band of difficulty; the last one has no end."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a run wants of the candidates that were found."""

    since: datetime | None = None
    until: datetime | None = None
    """The first moment that is too late."""
    paths: tuple[str, ...] = ()
    """Globs, one of which a file of the fix has to match; a folder stands for all below it."""
    labels: tuple[str, ...] = ()
    """One of which an issue or the pull request has to have; capitals do not matter."""
    max_leak: float = DEFAULT_MAX_LEAK
    max_vagueness: float = DEFAULT_MAX_VAGUENESS

    def wants(self, candidate: Candidate) -> bool:
        """Whether a candidate passes all filters."""
        at = candidate.committed_at
        if (self.since and at < self.since) or (self.until and at >= self.until):
            return False
        if self.paths and not any(self._below(path) for path in candidate.source_files):
            return False
        have = {label.casefold() for label in candidate.labels}
        return not self.labels or any(label.casefold() in have for label in self.labels)

    def apart(self, candidate: Candidate) -> str:
        """Why a candidate is not to count among the others; empty where it may."""
        if candidate.leak > self.max_leak:
            share = f"{100 * candidate.leak:.0f} %"
            return f"the statement holds {share} of the lines that the fix adds"
        # The names that the tests expect say a lot where the statement does not.
        if candidate.vagueness > self.max_vagueness and not candidate.expects:
            return f"the statement says next to nothing (vagueness {candidate.vagueness:.2f})"
        return ""

    def _below(self, path: str) -> bool:
        return any(
            matches(path, glob) or matches(path, glob.rstrip("/") + "/**") for glob in self.paths
        )


def in_order(candidates: Iterable[C]) -> list[C]:
    """The order in which to take candidates: any first N of it are a sample.

    Each band of difficulty gives its share. Within a band, the places of the history that a
    power of two divides go first, the highest power before all others: so a sample of any size
    is spread over the whole time. Among equals the newest goes first.
    """
    placed = [
        ((position + 0.5) / len(band), number, candidate)
        for number, band in bands(candidates).items()
        for position, candidate in enumerate(_spread(band))
    ]
    placed.sort(key=lambda entry: entry[:2])
    return [candidate for _, _, candidate in placed]


def bands(candidates: Iterable[C]) -> dict[int, list[C]]:
    """The candidates of each band of difficulty, oldest first."""
    found: dict[int, list[C]] = {}
    for candidate in sorted(candidates, key=lambda c: (c.committed_at, c.id)):
        found.setdefault(_band(candidate), []).append(candidate)
    return found


def _spread(oldest_first: Sequence[C]) -> list[C]:
    """Places count from the oldest on, so that what comes later moves none of them."""
    places = range(len(oldest_first), 0, -1)
    return [oldest_first[place - 1] for place in sorted(places, key=lambda p: -(p & -p))]


def _band(candidate: Candidate) -> int:
    lines = candidate.difficulty.lines
    return next((n for n, most in enumerate(_BANDS) if lines <= most), len(_BANDS))
