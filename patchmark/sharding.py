"""A run split over several machines: who takes which candidates, and how many tasks.

The split is made of dates, sizes and ids alone, as the sample is: the same on every machine. Which
shard a candidate belongs to does not depend on what was added to the history after it, so that
next week the shard that has its answers still has the candidate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import TypeVar

from core.errors import UsageError
from core.types import Candidate
from patchmark.sampling import bands, in_order

C = TypeVar("C", bound=Candidate)

MOST = 256
"""Jobs that GitHub makes of one matrix."""
_DIGITS = Decimal("0.000001")


@dataclass(frozen=True)
class Shard:
    """One part of a run, counted from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def folder(self) -> str:
        """Its run folder, unless another is named."""
        return f"patchmark-run-{self.number}-of-{self.of}"

    def part(self, usd: Decimal) -> Decimal:
        """Its part of some US dollars; all parts together are never more."""
        return (usd / self.of).quantize(_DIGITS, ROUND_DOWN)


@dataclass(frozen=True)
class Share:
    """What a run is to take."""

    candidates: Sequence[Candidate]
    """In the order in which they are tried."""
    most: int
    """Tasks that are made of them at most."""


def shard_of(text: str | None, history: str | None) -> Shard | None:
    """The shard that flags ask for. Raises UsageError."""
    if not text:
        return None
    if history is not None:
        raise UsageError("--history: a shard is no run of a history; add what `merge` makes of all")
    return parse(text)


def parse(text: str) -> Shard:
    """`2/5` is the second of five. Raises UsageError."""
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text.strip())
    shard = Shard(int(found[1]), int(found[2])) if found else None
    if shard is None or not 1 <= shard.number <= shard.of <= MOST:
        raise UsageError(f"--shard: {text!r} is no shard; write 2/5 for the second of five")
    return shard


def share(candidates: Sequence[Candidate], most: int, shard: Shard | None) -> Share:
    """What a shard takes of the candidates of a run of at most so many tasks; None = all.

    Each candidate belongs to one shard. A shard makes as many tasks as it has candidates among
    the first `most` of the whole run: together they make `most`, and where all these prove to be
    tasks, the same ones.
    """
    ordered = in_order(candidates)
    if shard is None:
        return Share(ordered, most)
    numbers = _numbers(candidates, shard.of)
    mine = [one for one in ordered if numbers[one.id] == shard.number]
    return Share(mine, sum(numbers[one.id] == shard.number for one in ordered[:most]))


def _numbers(candidates: Sequence[Candidate], of: int) -> dict[str, int]:
    """The shard of each candidate, by id.

    `in_order` takes places of a band that a high power of two divides first. The places of one
    power take turns, oldest first, and each power and band begins with another shard: so every
    shard gets of all times, of all sizes, and of what comes first.
    """
    step = (of // 2) | 1
    found = {}
    for band, oldest_first in bands(candidates).items():
        for place, candidate in enumerate(oldest_first, 1):
            power = place & -place
            turn = place // power // 2 + (power.bit_length() - 1) * step + band
            found[candidate.id] = turn % of + 1
    return found
