"""Giving orders to workers: whom, how often, and what to do when one cannot."""

from __future__ import annotations

import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from core.bench import BenchEndedError
from core.errors import EngineError, UsageError
from core.git import Repository
from core.git_copy import write_copy
from core.outlet import NotInstalledError
from patchmark.cluster import work
from patchmark.cluster.link import Link
from patchmark.cluster.records import Reply, made, read_made, unpack

_TRIES = 3
"""How many workers are asked for one thing of which they say that they cannot do it."""
_PART = 8 << 20


class NotDoneError(EngineError):
    """As many workers as may be asked could not do this; others they can."""


class Orders:
    """Orders of one run. Safe from many threads."""

    def __init__(self, link: Link, setup: bytes, repository: Repository, name: str,
                 tell: Callable[[str], None]):  # fmt: skip
        self.link = link
        self._setup = setup
        self._repository = repository
        self._name = name
        self._tell = tell
        self._sending: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._down: dict[str, str] = {}
        """Worker → why it is given nothing more."""
        self._lock = threading.Lock()

    def any(self, function: Callable[..., Reply], *given: object) -> Reply:
        """Have whichever worker do it: one that fails is not asked for it again.

        Raises NotDoneError, KilledError, NotInstalledError; EngineError where nobody is left.
        """
        barred: dict[str, str] = {}
        while True:
            at = self._others(barred)
            reply = self._given(function, given, at)
            if reply.kind == "wants":
                self._send(reply.at)
            elif reply.kind in ("elsewhere", "failed"):
                barred[reply.at] = words(reply)
                if len(barred) == min(_TRIES, len(self.link.workers)):
                    raise NotDoneError("; ".join(f"{a}: {why}" for a, why in barred.items()))
            elif reply.kind == "down":
                self._is_down(reply)
            else:
                return _good(reply)

    def at(self, worker: str, function: Callable[..., Reply], *given: object) -> Reply:
        """Have one worker do it. Raises WorkerLostError, EngineError, BenchEndedError."""
        return _good(self._given(function, given, [worker]))

    def _given(
        self, function: Callable[..., Reply], given: tuple[object, ...], at: list[str] | None
    ) -> Reply:
        future = self.link.submit(function, self._setup, made(), *given, at=at)
        reply: Reply = self.link.result(future)
        return reply

    def _others(self, barred: dict[str, str]) -> list[str] | None:
        """Who may be asked, None = anybody. Raises EngineError where nobody may."""
        without = {**self._down, **barred}
        if not without:
            return None
        left = [worker for worker in self.link.workers if worker not in without]
        if left:
            return left
        why = "; ".join(f"{worker}: {why}" for worker, why in without.items())
        if barred:
            raise NotDoneError(why)
        raise EngineError(f"no worker of {self.link.address} can do anything: {why}")

    def _is_down(self, reply: Reply) -> None:
        with self._lock:
            if reply.at not in self._down:
                self._down[reply.at] = words(reply)
                self._tell(f"the worker {reply.at} is given nothing more: {words(reply)}")

    def _send(self, worker: str) -> None:
        """Bring a worker the repository, once."""
        with self._lock:
            lock = self._sending[worker]
        with lock:
            if self.link.ask(worker, work.has, self._name):
                return
            self._tell(f"the repository is sent to {worker}")
            with self._copy() as stream:
                first = True
                while (part := stream.read(_PART)) or first:
                    self.link.ask(worker, work.take, self._name, part, first)
                    first = False
            self.link.ask(worker, work.unfold, self._name)

    @contextmanager
    def _copy(self) -> Iterator[IO[bytes]]:
        with tempfile.TemporaryFile() as stream:
            write_copy(self._repository, stream)
            stream.seek(0)
            yield stream


def words(reply: Reply) -> str:
    """What a worker says of itself."""
    return unpack(reply.content).decode()


def refusal(worker: str, there: bytes) -> UsageError:
    """What is to be said of a worker that is made otherwise."""
    return UsageError(
        f"the worker {worker} has {read_made(there)}, and here is {read_made(made())}: "
        "install the same at both ends"
    )


def _good(reply: Reply) -> Reply:
    if reply.kind == "refuses":
        raise refusal(reply.at, reply.content)
    errors: dict[str, Any] = {"ended": BenchEndedError, "not installed": NotInstalledError}
    if reply.kind != "did":
        raise errors.get(reply.kind, EngineError)(words(reply))
    return reply
