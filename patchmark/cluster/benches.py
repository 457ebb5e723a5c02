"""A run's side of workbenches on workers: commands go there, and what is asked inside comes here.

So every question of an agent is put down and paid for by the run, wherever its container is.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

from core.bench import Did
from core.errors import EngineError
from core.outlet import BreakOffError, OpenBench, Outlet, Sent
from core.types import Task
from patchmark.cluster import work
from patchmark.cluster.host_bench import Frame
from patchmark.cluster.orders import Orders
from patchmark.cluster.records import Reply, pack, unpack


@contextmanager
def opened(
    orders: Orders, session: str, task: Task, install: tuple[str, ...] | None
) -> Iterator[OpenBench]:
    """One on any worker; see `work.open_bench`. Raises EngineError, NotInstalledError."""
    name = uuid4().hex
    reply = orders.any(work.open_bench, name, pack(task.model_dump_json()), install)
    bench = _Bench(orders, session, name, reply)
    try:
        yield bench
    finally:
        with suppress(EngineError):  # its worker is gone, or ends it with the run
            bench.ask(work.shut)


class _Bench:
    """See OpenBench."""

    def __init__(self, orders: Orders, session: str, name: str, reply: Reply):
        self._orders, self._session, self._name, self._at = orders, session, name, reply.at
        self.tests: str = json.loads(unpack(reply.content))

    def run(self, command: str, *, given: str = "", seconds: float = 120) -> Did:
        """See Workbench.run."""
        return Did(**self._do(work.run, command, given, seconds))

    def read(self, path: str) -> str | None:
        """See Workbench.read."""
        found: str | None = self._do(work.read, path)
        return found

    def diff(self) -> str:
        """See Workbench.diff."""
        return str(self._do(work.diff))

    @contextmanager
    def through(self, outlet: Outlet) -> Iterator[str]:
        """See OpenBench.through."""
        address = str(self._do(work.open_way))
        way = _Way(self, outlet)
        way.start()
        try:
            yield address
        finally:
            try:
                with suppress(EngineError):
                    self._do(work.close_way)
            finally:
                way.finish()

    def end(self) -> None:
        """See OpenBench.end."""
        with suppress(EngineError):
            self.ask(work.stop)

    def ask(self, function: Any, *given: object) -> Any:
        """Beside what runs in it. Raises EngineError."""
        return self._orders.link.ask(self._at, function, self._session, self._name, *given)

    def _do(self, function: Any, *given: object) -> Any:
        reply = self._orders.at(self._at, function, self._name, *given)
        return json.loads(unpack(reply.content))


class _Way:
    """Takes away what is asked in a workbench, and brings the answers."""

    def __init__(self, bench: _Bench, outlet: Outlet):
        self._bench, self._outlet = bench, outlet
        self._ended = threading.Event()
        self._fetching = threading.Thread(target=self._fetch, name="way-out", daemon=True)
        self._answering: list[threading.Thread] = []

    def start(self) -> None:
        """Begin."""
        self._fetching.start()

    def finish(self) -> None:
        """End, when all that was fetched is answered: what it cost is known then."""
        self._ended.set()
        self._fetching.join()
        for thread in self._answering:
            thread.join()

    def _fetch(self) -> None:
        with suppress(EngineError):
            while not self._ended.is_set():
                found = self._bench.ask(work.questions)
                if found is None:
                    return
                for number, sent in found:
                    thread = threading.Thread(
                        target=self._answer, args=(number, Sent(**sent)), name="way-out"
                    )
                    thread.start()
                    self._answering.append(thread)

    def _answer(self, number: int, sent: Sent) -> None:
        frames = _Frames()
        bringing = threading.Thread(target=self._bring, args=(number, frames), name="way-out")
        bringing.start()
        last = "broken"
        try:
            with suppress(BreakOffError):
                self._outlet(sent, frames)
                last = "end"
        finally:
            frames.put((last, None, None))
            bringing.join()

    def _bring(self, number: int, frames: _Frames) -> None:
        """One request after the other, each with all that came meanwhile."""
        listened = True
        while True:
            some = frames.some()
            if listened:
                try:
                    self._bench.ask(work.answer, number, some)
                except EngineError:
                    listened = False  # the answer is kept, whether or not anybody is there
            if some[-1][0] in ("end", "broken"):
                return


class _Frames:
    """See Answering."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self.put = self._queue.put

    def begin(self, status: int, headers: Any) -> None:
        """See Answering.begin."""
        self.put(("begin", status, dict(headers)))

    def part(self, content: bytes) -> None:
        """See Answering.part."""
        self.put(("part", content, None))

    def some(self) -> list[Frame]:
        """All there is; waits for the first."""
        found = [self._queue.get()]
        with suppress(queue.Empty):
            while True:
                found.append(self._queue.get_nowait())
        return found
