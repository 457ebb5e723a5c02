"""How many requests a service is sent at once, and when the next may go: a lane for each.

A lane begins narrow. Answers widen it as long as it is full; being turned away (429, overload)
halves it, and nothing goes before the moment that the service names. From then on it soon is as
wide again as went well before, and tries more only now and then. Where its answers tell
what is left of its limits, requests go at that pace, so that hardly any is turned away. A
request that waits holds no place, and one that was turned away before goes first.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.errors import PatchmarkError
from models.rates import Bucket, heard
from models.retry import LONGEST_WAIT

FIRST = 16
"""Requests at once before anything is known of a service."""
_ROUNDS = 4
"""Rounds of answers until one more is tried than went well before."""


class LaneClosedError(PatchmarkError):
    """The run is ending: what waited for its turn was not sent."""


@dataclass(frozen=True)
class Turn:
    """One request's time in its lane."""

    lane: Lane
    began: float

    def answered(self) -> None:
        """The service kept up."""
        self.lane.widen()

    def turned_away(self, retry_after: float | None) -> None:
        """The service asks for less, and perhaps for a pause of so many seconds."""
        self.lane.narrow(self.began, retry_after)


class Lane:
    """The requests to one service. Safe from many threads."""

    def __init__(self, most: int):
        self.most = most
        """Requests at once, however well it goes."""
        self.longest = 0.0
        """Seconds that one request took at most."""
        self._room = float(min(FIRST, most))
        self._ceiling = float(most)
        self._narrowed = self._opens = 0.0
        self._buckets: dict[str, Bucket] = {}
        self._unheard: dict[int, tuple[float, int]] = {}  # since when, and tokens, by thread
        self._active = 0
        self._closed = False
        self._line: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    @property
    def room(self) -> int:
        """Requests that may be under way at once now."""
        return int(self._room)

    @contextmanager
    def turn(self, tokens: int = 0, failed: int = 0) -> Iterator[Turn]:
        """Wait until one request of about so many tokens may be sent, and hold its place.

        `failed` = how often it was sent in vain. Raises LaneClosedError.
        """
        began = self._enter(tokens, (-failed, next(self._numbers)))
        try:
            yield Turn(self, began)
        finally:
            with self._changed:
                self.longest = max(self.longest, time.monotonic() - began)
                self._active -= 1
                self._unheard.pop(threading.get_ident(), None)
                self._changed.notify_all()

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take what an answer to the calling thread's request says about limits.

        A service counts when a request comes in, however long it then thinks: what it says is of
        that moment. What was sent later is taken off, and what came back since is there.
        """
        with self._changed:
            now = time.monotonic()
            began, _ = self._unheard.pop(threading.get_ident(), (now, 0))
            later = [tokens for at, tokens in self._unheard.values() if at > began]
            for kind, bucket in heard(headers, began).items():
                bucket.take(len(later) if kind == "requests" else sum(later), now)
                if kind in self._buckets:
                    bucket.refine(self._buckets[kind], now)
                self._buckets[kind] = bucket
            self._changed.notify_all()

    def widen(self) -> None:
        """One more at once for each answer; where that was too many before, in a few rounds."""
        with self._changed:
            # Of answers that come together the first makes room that is not taken yet.
            if self._active >= self.room or self._line:
                more = 1.0 if self._room < self._ceiling else 1 / (_ROUNDS * self._room)
                self._room = min(self._room + more, float(self.most))
                self._changed.notify_all()

    def narrow(self, began: float, retry_after: float | None) -> None:
        """Half as many at once, or as many as went well of those under way, if that is fewer."""
        with self._changed:
            now = time.monotonic()
            if began >= self._narrowed:
                self._ceiling = max(1.0, self.room - 1.0)
                self._room, self._narrowed = max(1.0, self.room // 2), now
            else:  # one more of the same that was too many
                self._ceiling = max(1.0, self._ceiling - 1)
                self._room = min(self._room, self._ceiling)
            pause = min(max(retry_after or 0.0, 0.0), LONGEST_WAIT)
            self._opens = max(self._opens, now + pause)

    def close(self) -> None:
        """Send nothing more; whoever waits gets a LaneClosedError."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _enter(self, tokens: int, ticket: tuple[int, int]) -> float:
        with self._changed:
            heapq.heappush(self._line, ticket)
            try:
                while (wait := self._wait(ticket, tokens)) != 0.0:
                    self._changed.wait(wait)
            finally:
                self._line.remove(ticket)
                heapq.heapify(self._line)
                self._changed.notify_all()
            now = time.monotonic()
            for kind, bucket in self._buckets.items():
                bucket.take(1 if kind == "requests" else tokens, now)
            self._active += 1
            self._unheard[threading.get_ident()] = (now, tokens)
            return now

    def _wait(self, ticket: tuple[int, int], tokens: int) -> float | None:
        """Seconds until a request may go, as things stand; None = until something changes."""
        if self._closed:
            raise LaneClosedError("the run is ending; this was not asked")
        if self._line[0] != ticket or self._active >= self.room:
            return None
        now = time.monotonic()
        waits = [
            bucket.wait(1 if kind == "requests" else tokens, now)
            for kind, bucket in self._buckets.items()
        ]
        return max([self._opens - now, 0.0, *waits])


@dataclass
class Lanes:
    """The lanes of a run, one for each service."""

    _lanes: dict[str, Lane] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def of(self, service: str, most: int) -> Lane:
        """The lane of a service, the same for all that ask it."""
        with self._making:
            lane = self._lanes.setdefault(service, Lane(most))
            if self._closed:
                lane.close()
            return lane

    def longest(self) -> float:
        """Seconds that one request took at most, whoever was asked."""
        with self._making:
            return max((lane.longest for lane in self._lanes.values()), default=0.0)

    def close(self) -> None:
        """Let nothing more be sent, by lanes made later either."""
        with self._making:
            self._closed = True
            for lane in self._lanes.values():
                lane.close()
