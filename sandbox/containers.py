"""A container of ours from its making to its removal, on an engine that may fail at any step."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from core.errors import EngineError
from sandbox.engine import Limits, Ran
from sandbox.output import Output
from sandbox.owned import LABEL, OWNER, owner
from sandbox.tars import unpack
from sandbox.watch import Watch, too_much

_DEATH_SECONDS = 20.0
"""How long a killed container may take to end; a process in the kernel cannot be killed."""

_BY_SIGNAL = (137, 143)
"""What a container ends with whose engine ends it."""


def limited(limits: Limits) -> dict[str, Any]:
    """The limits that an engine holds by itself, as it takes them."""
    return {
        "mem_limit": limits.memory_mib * 1024 * 1024,
        "memswap_limit": limits.memory_mib * 1024 * 1024,
        "nano_cpus": int(min(limits.cpus, os.cpu_count() or 1) * 1e9),
        "pids_limit": limits.processes,
        "init": True,
        "log_config": {"type": "none"},
        "ulimits": [
            {"Name": "fsize", "Soft": limits.disk_mib << 20, "Hard": limits.disk_mib << 20},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
    }


class Containers:
    """The containers of this process on one engine."""

    def __init__(self, api: Any, runtime: str | None, answers: Callable[[], bool]):
        import docker
        import requests

        self._api = api
        self._runtime = runtime
        self._answers = answers
        self._errors = (docker.errors.DockerException, OSError)
        self._not_found = docker.errors.NotFound
        self._read_errors = (requests.ReadTimeout, requests.ConnectionError)
        self._live: set[str] = set()
        self._closed = False
        self._lock = threading.Lock()

    @contextmanager
    def made(
        self,
        *,
        image: str,
        command: tuple[str, ...],
        user: str,
        environment: Mapping[str, str],
        host: Mapping[str, Any],
    ) -> Iterator[str]:
        """A container that is not started yet; gone at the end.

        None is made once these are closed. Raises EngineError then.
        """
        self._refuse_if_closed()
        runtime = {"runtime": self._runtime} if self._runtime else {}
        name = self._api.create_container(
            image,
            # As entry point: an image that has its own would otherwise take ours as arguments.
            entrypoint=list(command[:1]),
            command=list(command[1:]),
            user=user,
            environment=dict(environment),
            labels={LABEL: "container", OWNER: owner()},
            host_config=self._api.create_host_config(**host, **runtime),
            # The client would hand over the proxies of the user's own configuration.
            use_config_proxy=False,
        )["Id"]
        with self._lock:
            self._live.add(name)
        try:
            self._refuse_if_closed()
            yield name
        finally:
            self._remove(name)

    def ran(
        self,
        name: str,
        limits: Limits,
        folders: tuple[str, ...] = (),
        told: frozenset[int] = frozenset(),
        cache_volume: str | None = None,
    ) -> Ran:
        """Start a container and wait for its end, or end it at a limit."""
        flood = too_much("printed", (limits.output_mib << 20) + 1, limits.output_mib)
        output = Output(self._api, name, limits.output_mib << 20, lambda: watch.stop(flood))
        watch = Watch(
            self._api,
            name,
            limits,
            partial(self._kill, name),
            printed_at=lambda: output.last_at,
            cache_volume=cache_volume,
        )
        with output:
            started = time.monotonic()
            self._api.start(name)
            with watch:
                exit_code = self._wait(name, limits.seconds)
            seconds = time.monotonic() - started
        if exit_code in _BY_SIGNAL and not watch.stopped and not self._answers():
            raise EngineError("the engine shut down and took the container with it")
        late = f"took longer than {limits.seconds:g} s" if exit_code is None else ""
        return Ran(
            exit_code=None if watch.stopped else exit_code,
            timed_out=watch.idle or bool(late and not watch.stopped),
            stopped=watch.stopped or late,
            out_of_memory=bool(self._state(name).get("OOMKilled")),
            output=output.text(),
            files={} if exit_code in told else self._brought(name, folders),
            seconds=seconds,
        )

    def close(self) -> list[str]:
        """Remove those that still run; what cannot be removed is returned."""
        with self._lock:
            self._closed = True
            left = list(self._live)
        for name in left:
            self._remove(name)
        with self._lock:
            return sorted(self._live)

    def _refuse_if_closed(self) -> None:
        with self._lock:
            if self._closed:
                raise EngineError("the run is ending; no container is made any more")

    def _remove(self, name: str) -> None:
        try:
            self._api.remove_container(name, force=True, v=True)
        except self._not_found:
            pass
        except self._errors:
            return
        with self._lock:
            self._live.discard(name)

    def _kill(self, name: str) -> None:
        # An engine that fails to kill is found out by waiting for the end.
        with suppress(*self._errors):
            self._api.kill(name)

    def _wait(self, name: str, seconds: float) -> int | None:
        """Exit code, or None after killing what ran longer than `seconds`."""
        deadline = time.monotonic() + seconds
        try:
            return int(self._api.wait(name, timeout=seconds)["StatusCode"])
        except self._read_errors:
            # requests reports a read timeout of a stream as ConnectionError: the clock knows.
            if time.monotonic() < deadline:
                raise
        state = self._state(name)
        if not state["Running"]:
            return int(state["ExitCode"])
        self._kill(name)
        try:
            self._api.wait(name, timeout=min(_DEATH_SECONDS, self._api.timeout))
        except self._read_errors as error:
            raise EngineError(f"container {name[:12]} was killed and does not end") from error
        return None

    def _state(self, name: str) -> dict[str, Any]:
        return dict(self._api.inspect_container(name)["State"])

    def _brought(self, name: str, folders: tuple[str, ...]) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        for folder in folders:
            # A job may well have removed its folder: then it leaves nothing behind.
            with suppress(self._not_found):
                stream, _ = self._api.get_archive(name, folder)
                files |= unpack(stream, str(PurePosixPath(folder).parent))
        return files
