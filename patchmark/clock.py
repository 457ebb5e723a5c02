"""How long a run may take: what is still begun, and what happens when the time is up.

Work of a kind is begun only while there is more time left than such work took so far. What is
then still under way shortly before the limit is broken off, so that a report is written within it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, TypeVar

from core.errors import PatchmarkError
from models.lanes import LaneClosedError

T = TypeVar("T")

QUESTION, PROOF, JUDGEMENT, AGENT = "question", "proof", "judgement", "agent"
"""Kinds of work: one question to a model, one candidate, one patch, one attempt in a container."""

_FLOOR = 30.0
"""Seconds that work is thought to take of which nothing is known yet."""
_FOR_THE_REPORT = 60.0
"""Seconds kept for what comes after the work."""
_SHARE = 0.1
"""Of a short limit neither is more than this share."""
_SLACK = 1.25
"""The next one may take that many times as long as the longest so far."""

_ends_at: list[float] = []
"""When this process has to be gone whose time was up; empty where that never happened."""


class TooLateError(PatchmarkError):
    """There is no time left for this; it was not begun, or it was broken off."""


class TimeUpError(KeyboardInterrupt):
    """The time is up: nothing that is under way is waited for, as when a person stops a run."""


class Clock:
    """The time of one run; without a limit it never runs out. Safe from many threads."""

    def __init__(self, seconds: float | None = None):
        self.seconds = seconds
        limit = seconds or 0.0
        self._end = time.monotonic() + limit
        self._kept = min(_FOR_THE_REPORT, limit * _SHARE)
        self._floor = min(_FLOOR, limit * _SHARE)
        self._longest: dict[str, float] = {}
        self._silent = False  # no more questions are asked
        self.late = False
        """Whether anything was not begun, or was broken off, because of the time."""
        self.over = False
        """Whether what was under way was broken off."""

    def left(self) -> float:
        """Seconds until what is under way is broken off."""
        return self._end - self._kept - time.monotonic() if self.seconds else float("inf")

    def allows(self, kind: str, longest: float = 0.0) -> bool:
        """Whether there is time to begin one more; `longest` = what one took at most so far."""
        longest = max(longest, self._longest.get(kind, 0.0))
        return self.left() >= max(self._floor, _SLACK * longest)

    @contextmanager
    def work(self, kind: str) -> Iterator[None]:
        """One piece of work. Raises TooLateError for what has no time, or was broken off."""
        if not self.allows(kind):
            self.late = True
            raise TooLateError(f"no time is left for another {kind}")
        began = time.monotonic()
        try:
            yield
        except PatchmarkError as error:
            self.check(error)
            raise
        self.check()
        self._longest[kind] = max(self._longest.get(kind, 0.0), time.monotonic() - began)

    def unless_late(self, work: Callable[[], T]) -> T | None:
        """What some work gives; None where the time for it, or for its questions, was up."""
        try:
            done = work()
            self.check()
        except TooLateError:
            return None
        except LaneClosedError:
            if not self._silent:
                raise
            self.late = True
            return None
        return done

    @contextmanager
    def running(self, close: Callable[[], None], longest: Callable[[], float]) -> Iterator[None]:
        """While this lasts, `close` is called when there is no time for another question, of
        which the longest took `longest()` seconds, and TimeUpError is raised at the end.
        """
        if self.seconds is None:
            yield
            return
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(min(1.0, self._floor / 4)):
                if not self.allows(QUESTION, longest()):
                    self._silent = True
                    close()
                    return

        watching = threading.Thread(target=watch, name="clock", daemon=True)
        before = signal.signal(signal.SIGALRM, self._ring)
        watching.start()
        signal.setitimer(signal.ITIMER_REAL, max(self.left(), 0.001))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            ended.set()

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        self.late = self.over = True
        _ends_at.append(self._end)
        raise TimeUpError

    def check(self, because: BaseException | None = None) -> None:
        """Raise TooLateError where what was under way was broken off."""
        # What comes of work whose container was taken away says nothing about anybody.
        if self.over:
            raise TooLateError("the time was up") from because


def leave(code: int) -> NoReturn:
    """End the process; whom a run left behind at its time's end is waited for up to the limit.

    An answer that comes by then is kept. One that does not could take minutes more.
    """
    if not _ends_at:
        raise SystemExit(code)
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, _ends_at[-1] - time.monotonic()))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
