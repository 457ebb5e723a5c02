"""A container that stays, and takes one command after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from core.bench import BenchEndedError
from core.errors import EngineError
from core.outlet import Outlet
from sandbox.base import USER
from sandbox.bridge import bridged
from sandbox.docker import DockerEngine
from sandbox.engine import File, Limits
from sandbox.output import frames
from sandbox.tars import pack
from sandbox.watch import Watch

_GIVEN = "/patchmark/given"


@dataclass(frozen=True)
class Output:
    """What one command printed, and how it ended."""

    output: bytes
    cut: bool
    """Whether there was more in the middle."""
    exit_code: int | None
    """None where it was stopped for its time."""
    seconds: float


class Session:
    """One such container. Not for many threads at once."""

    def __init__(self, engine: DockerEngine, name: str, watch: Watch):
        self._engine, self._name, self._watch = engine, name, watch

    @classmethod
    @contextmanager
    def opened(cls, engine: DockerEngine, image: str, limits: Limits) -> Iterator[Self]:
        """Start one, without network and with all limits but those on time. Raises EngineError."""
        lasting = replace(limits, idle_seconds=0)
        with engine.waiting(image, lasting, {_GIVEN: File(content=b"")}) as name:
            with engine.api() as api:
                watch = Watch(
                    api, name, lasting, partial(_kill, engine, name), printed_at=time.monotonic
                )
            with watch:
                yield cls(engine, name, watch)

    def run(
        self,
        script: str,
        environment: Mapping[str, str],
        given: bytes,
        seconds: float,
        most: int,
    ) -> Output:
        """Run a shell script as the tests' user; of its output `most` bytes are kept, from both
        ends. Whoever runs too long is ended with all that the user runs.

        Raises EngineError, BenchEndedError.
        """
        if given:
            with self._engine.api() as api:
                api.put_archive(self._name, "/", pack({_GIVEN: File(content=given)}))
        source = _GIVEN if given else "/dev/null"
        # One stream: of two, the engine does not say what came first.
        command = ["sh", "-c", f"exec < {source} 2>&1\n{script}"]
        return self._run(command, USER, environment, seconds, most)

    def as_root(self, script: str, seconds: float) -> None:
        """Prepare something. Raises EngineError where it fails."""
        ran = self._run(["sh", "-c", script], "0", {}, seconds, 4000)
        if ran.exit_code != 0:
            words = ran.output.decode(errors="replace").strip()
            raise EngineError(f"a workbench cannot be prepared: {words}")

    def bridged(self, outlet: Outlet) -> AbstractContextManager[str]:
        """An address inside whose requests go to `outlet`. Raises EngineError."""
        return bridged(self._engine, self._name, outlet)

    def end(self) -> None:
        """End all that the tests' user runs, from another thread."""
        self._end_all(threading.Event())

    def _run(
        self,
        command: list[str],
        user: str,
        environment: Mapping[str, str],
        seconds: float,
        most: int,
    ) -> Output:
        kept, late = _BothEnds(most), threading.Event()
        timer = threading.Timer(seconds, self._end_all, [late])
        with self._engine.api() as api:
            name = api.exec_create(
                self._name, command, user=user, environment=dict(environment), workdir="/repo"
            )["Id"]
            started = time.monotonic()
            timer.start()
            try:
                # The client's own method leaves its socket open.
                url = f"{api.base_url}/v{api.api_version}/exec/{name}/start"
                wanted = {"Detach": False, "Tty": False}
                with closing(
                    api.post(url, json=wanted, stream=True, timeout=(api.timeout, None))
                ) as answer:
                    answer.raise_for_status()
                    for data in frames(answer.raw):
                        kept.add(data)
            finally:
                timer.cancel()
            took = time.monotonic() - started
            code = api.exec_inspect(name)["ExitCode"]
        if self._watch.stopped:
            raise BenchEndedError(f"the workbench was ended: it {self._watch.stopped}")
        return Output(kept.content(), kept.cut, None if late.is_set() else code, took)

    def _end_all(self, late: threading.Event) -> None:
        late.set()
        # Who waits for the command notices where the engine cannot do this.
        with suppress(EngineError), self._engine.api() as api:
            killer = api.exec_create(self._name, ["sh", "-c", "kill -9 -1"], user=USER)["Id"]
            api.exec_start(killer, detach=True)


def _kill(engine: DockerEngine, name: str) -> None:
    with suppress(EngineError), engine.api() as api:
        api.kill(name)


class _BothEnds:
    """The beginning and the end of much output."""

    def __init__(self, most: int):
        self._half = most // 2
        self._head, self._tail = bytearray(), bytearray()
        self._missing = 0

    def add(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room] if room > 0 else b""
        self._tail += data[max(room, 0) :]
        if len(self._tail) > 2 * self._half:
            self._missing += len(self._tail) - self._half
            del self._tail[: -self._half]

    @property
    def cut(self) -> bool:
        return self._missing > 0 or len(self._tail) > self._half

    def content(self) -> bytes:
        missing = self._missing + max(len(self._tail) - self._half, 0)
        if not missing:
            return bytes(self._head + self._tail)
        note = f"\n... {missing} bytes left out ...\n".encode()
        return bytes(self._head) + note + bytes(self._tail[-self._half :])
