"""Workbenches that take turns: while a model thinks its container idles, and another may work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from threading import Semaphore

from core.bench import Did, Workbench


@contextmanager
def gated(bench: AbstractContextManager[Workbench], gate: Semaphore) -> Iterator[Workbench]:
    """The bench, at work only while it holds the gate. Waiting for that is in no time it tells."""
    with ExitStack() as stack:
        with gate:
            inner = stack.enter_context(bench)
        yield _Gated(inner, gate)


@dataclass(frozen=True)
class _Gated:
    bench: Workbench
    gate: Semaphore

    @property
    def tests(self) -> str:
        """See Workbench.tests."""
        return self.bench.tests

    def run(self, command: str, *, given: str = "", seconds: float = 120) -> Did:
        """See Workbench.run."""
        with self.gate:
            return self.bench.run(command, given=given, seconds=seconds)

    def read(self, path: str) -> str | None:
        """See Workbench.read."""
        with self.gate:
            return self.bench.read(path)

    def diff(self) -> str:
        """See Workbench.diff."""
        with self.gate:
            return self.bench.diff()
