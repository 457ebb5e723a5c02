"""A worker's side of workbenches: each stays open there while the run says what is done in it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from core.bench import Workbench
from core.errors import EngineError, PatchmarkError
from core.outlet import Answering, BreakOffError, OpenBench, Sent

Frame = tuple[str, Any, Any]
"""Of an answer: `begin` with status and headers, `part` with content, `end` or `broken`."""
_LOST_SECONDS = 3600.0
"""Until an answer is given up of which nothing comes; long before, its run has ended."""


@dataclass
class _Asked:
    to: Answering
    ended: threading.Event = field(default_factory=threading.Event)
    whole: bool = False


class Questions:
    """The way out of one workbench: what is asked waits here until the run takes it away."""

    def __init__(self) -> None:
        self._asked: dict[int, _Asked] = {}
        self._waiting: queue.SimpleQueue[tuple[int, Sent]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False

    def __call__(self, sent: Sent, to: Answering) -> None:
        """See Outlet."""
        one = _Asked(to)
        with self._lock:
            if self._closed:
                raise BreakOffError
            number = len(self._asked) + 1
            self._asked[number] = one
        self._waiting.put((number, sent))
        if not one.ended.wait(_LOST_SECONDS) or not one.whole:
            raise BreakOffError

    def next(self) -> list[tuple[int, Sent]]:
        """What was asked since the last time."""
        found = []
        with suppress(queue.Empty):
            while True:
                found.append(self._waiting.get_nowait())
        return found

    def answer(self, number: int, frames: Sequence[Frame]) -> None:
        """Pass on what comes next of an answer."""
        one = self._asked[number]
        for kind, first, second in frames:
            if kind == "begin":
                one.to.begin(first, second)
            elif kind == "part":
                one.to.part(first)
            else:
                one.whole = kind == "end"
                one.ended.set()

    def close(self) -> None:
        """Break off what is not answered yet."""
        with self._lock:
            self._closed = True
        for one in self._asked.values():
            one.ended.set()


class Opened:
    """One open workbench. Not for many threads at once, but for `end` and `questions`."""

    def __init__(self, bench: AbstractContextManager[Workbench]):
        """Raises EngineError, NotInstalledError."""
        self._stack = ExitStack()
        self.bench = self._stack.enter_context(bench)
        self.questions: Questions | None = None
        self._way: ExitStack | None = None

    def open_way(self) -> str:
        """Begin a way out; its address inside. Raises EngineError."""
        bench: OpenBench = self.bench  # type: ignore[assignment]
        self.questions, self._way = Questions(), ExitStack()
        return self._way.enter_context(bench.through(self.questions))

    def close_way(self) -> None:
        """End it when all that was asked is answered."""
        if self._way is not None:
            self._way.close()
            self._way = None

    def end(self) -> None:
        """End what is being run in it."""
        bench: OpenBench = self.bench  # type: ignore[assignment]
        bench.end()

    def close(self) -> None:
        """Remove its container."""
        if self.questions is not None:
            self.questions.close()
        with suppress(PatchmarkError):
            self.close_way()
        self._stack.close()


class OpenBenches:
    """Those of one run. Safe from many threads."""

    def __init__(self) -> None:
        self._open: dict[str, Opened] = {}

    def add(self, name: str, bench: AbstractContextManager[Workbench]) -> Opened:
        """Open one. Raises EngineError, NotInstalledError."""
        self._open[name] = opened = Opened(bench)
        return opened

    def get(self, name: str) -> Opened:
        """An open one. Raises EngineError where it is gone."""
        if name not in self._open:
            raise EngineError("the workbench is gone")
        return self._open[name]

    def close(self, name: str) -> None:
        """Close one; nothing where it is gone."""
        if opened := self._open.pop(name, None):
            opened.close()

    def end(self) -> None:
        """Break off the questions of all; their containers go with the engine's connection."""
        for opened in list(self._open.values()):
            if opened.questions is not None:
                opened.questions.close()
        self._open.clear()
