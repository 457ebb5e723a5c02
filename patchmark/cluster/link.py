"""The way to a Dask cluster: the one place that imports `distributed`, and only when asked to."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any

from core.errors import EngineError, InfrastructureError, UsageError

CONNECT_SECONDS = 10.0
"""Until a scheduler that does not answer is none."""
WORKER_SECONDS = 60.0
"""Waited for the first worker, and while all of them are gone."""
_LOOK_SECONDS = 1.0
_GONE = (OSError, KeyError, CancelledError, RuntimeError)
"""What Dask raises where a connection ends, the last of a client that has closed itself."""


class WorkerLostError(EngineError):
    """The worker that held something is gone, and so is what it held."""


class KilledError(EngineError):
    """Every worker that was given this ended while it did it."""


class Link:
    """One client of one scheduler. Safe from many threads."""

    def __init__(self, address: str, tell: Callable[[str], None]):
        """Connect. Raises UsageError, or InfrastructureError where nothing answers."""
        self.address = address
        self._tell = tell
        self._client = _client(address)
        self._lock = threading.Lock()
        self._open: dict[Future[Any], str | None] = {}
        self._known: dict[str, int] = {}
        self._broken = ""
        """Why nothing can be done any more, in words."""
        self._ended = threading.Event()
        self._look()

    def begin(self, each_look: Callable[[], None]) -> None:
        """Wait for a worker; then look after them all until `close`. Raises InfrastructureError."""
        until = time.monotonic() + WORKER_SECONDS
        if not self._known:
            self._tell(f"{self.address}: no worker is there yet; one is waited for")
        while not self._known:
            if time.monotonic() > until:
                raise InfrastructureError(f"{self.address}: the cluster has no worker")
            time.sleep(_LOOK_SECONDS)
            self._look()
        threading.Thread(target=self._watch, args=(each_look,), name="cluster", daemon=True).start()

    @property
    def workers(self) -> Mapping[str, int]:
        """Address → how much it does at once, of those that were there a moment ago."""
        return self._known

    def submit(
        self, function: Callable[..., Any], *given: object, at: Collection[str] | None = None
    ) -> Future[Any]:
        """Have one of these workers do it; None = any. See `result`."""
        chosen: dict[str, object] = {} if at is None else {"workers": list(at)}
        with self._lock:
            self._check()
            executor = self._client.get_executor(pure=False, retries=0, **chosen)
            future: Future[Any] = executor.submit(function, *given)
            only = next(iter(at)) if at is not None and len(at) == 1 else None
            self._open[future] = only
        return future

    def result(self, future: Future[Any]) -> Any:
        """What came of it. A worker's death alone has it done again by another.

        Raises KilledError, WorkerLostError, or EngineError where the cluster is gone.
        """
        from distributed import KilledWorker

        try:
            return future.result()
        except KilledWorker as error:
            many = error.allowed_failures + 1
            who = "its worker" if many == 1 else f"{many} workers in turn"
            raise KilledError(f"{who} ended while doing this") from error
        except CancelledError as error:
            at = self._open.get(future)
            self._check()
            if at is not None:
                raise WorkerLostError(f"the worker {at} is gone") from error
            raise EngineError(f"{self.address}: the scheduler is gone") from error
        finally:
            with self._lock:
                self._open.pop(future, None)

    def ask(self, at: str, function: Callable[..., Any], *given: object) -> Any:
        """What an async function gives, run beside a worker's work. Raises WorkerLostError."""
        if at not in self._known:
            raise WorkerLostError(f"the worker {at} is gone")
        try:
            return self._client.run(function, *given, workers=[at])[at]
        except _GONE as error:
            self._check()
            raise WorkerLostError(f"the worker {at} does not answer: {error}") from error

    def ask_all(self, function: Callable[..., Any], *given: object) -> dict[str, Any]:
        """The same of every worker; an exception for one that cannot."""
        try:
            found: dict[str, Any] = self._client.run(function, *given, on_error="return")
        except _GONE as error:
            raise EngineError(f"{self.address}: the scheduler is gone: {error}") from error
        return found

    def close(self, last: Callable[[], None]) -> None:
        """End what is open, then do one last thing, then let go of the cluster."""
        self._give_up("the run is ending")
        self._ended.set()
        with suppress(EngineError):
            last()
        self._client.close(timeout=2)

    def _watch(self, each_look: Callable[[], None]) -> None:
        alone_since = None
        while not self._ended.wait(_LOOK_SECONDS):
            with suppress(EngineError):
                self._look()
                each_look()
            alone_since = None if self._known else alone_since or time.monotonic()
            if alone_since is not None and time.monotonic() - alone_since > WORKER_SECONDS:
                self._give_up(f"{self.address}: no worker is left")

    def _look(self) -> None:
        """See who is there; what was only to be had from a worker that is gone, is gone."""
        try:
            told = self._client.scheduler_info(n_workers=-1)["workers"]
        except _GONE as error:
            raise EngineError(f"{self.address}: the scheduler is gone: {error}") from error
        now = {at: int(worker["nthreads"]) for at, worker in told.items()}
        before, self._known = self._known, now
        for at in before.keys() - now.keys():
            self._tell(f"the worker {at} is gone: what it was doing is done again elsewhere")
        for at in now.keys() - before.keys() if before else ():
            self._tell(f"the worker {at} is there")
        with self._lock:
            lost = [future for future, at in self._open.items() if at is not None and at not in now]
        for future in lost:
            future.cancel()

    def _give_up(self, why: str) -> None:
        with self._lock:
            self._broken = self._broken or why
            left = list(self._open)
        for future in left:
            future.cancel()

    def _check(self) -> None:
        if self._broken:
            raise EngineError(self._broken)


_ADDRESS = re.compile(r"(tcp|tls|ws|wss)://[^\s/]+:\d+/?")


def _client(address: str) -> Any:
    if not _ADDRESS.fullmatch(address):
        raise UsageError(f"--cluster {address}: give a Dask scheduler, as tls://host:8786")
    try:
        import distributed
    except ImportError as error:
        raise UsageError(
            "--cluster needs dask.distributed: install patchmark with its extra, patchmark[cluster]"
        ) from error
    client: Any = distributed.Client  # it has no types
    try:
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except OSError as error:
        raise InfrastructureError(
            f"{address}: no scheduler answers within {CONNECT_SECONDS:g} s: {error}"
        ) from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(f"--cluster {address}: {error}") from error


def here() -> str:
    """The address of the worker that does this."""
    from distributed import get_worker

    return str(get_worker().address)
