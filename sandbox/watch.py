"""Limits that no engine holds by itself: disk, output and idleness of a running container."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from types import TracebackType
from typing import Any, Self

from sandbox.engine import Limits

CACHE_FULL = "filled the cache"
LOG_MIB = 8
"""What an engine keeps of a container's output before it starts its log anew."""
_PAUSE = 1.0
_WHILE_FLOODED = 0.1
_REST = 10
"""How many times as long as a look took nobody looks there again."""
_IDLE_SHARE = 0.01
"""Of one processor: who uses less does not work but waits."""
_IDLE_TRAFFIC = 100
"""Bytes a second that come in where nobody asked for anything."""


class Watch:
    """Looks at a container from its start on, and ends it at a limit.

    `stopped` then says why, and `idle` that it waited for what did not come. What cannot be
    looked at is not limited: who waits for the container notices that its engine is gone.
    """

    def __init__(
        self,
        api: Any,
        name: str,
        limits: Limits,
        kill: Callable[[], None],
        cache_volume: str | None = None,
    ):
        self._name = name
        self._kill = kill
        self._ended = threading.Event()
        self._looks = [_Disk(api, name, limits), _Output(api, name, limits)]
        if limits.idle_seconds:
            self._looks.append(_Idle(api, name, limits))
        if cache_volume:
            self._looks.append(_Cache(api, cache_volume, limits))
        self._thread = threading.Thread(target=self._watch, name=f"watch-{name[:12]}", daemon=True)
        self.stopped = ""
        self.idle = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        pause = _PAUSE
        while not self._ended.wait(pause):
            started = time.monotonic()
            for look in self._looks:
                reason = look.at(started)
                if reason and not self._ended.is_set():
                    self.stopped, self.idle = reason, isinstance(look, _Idle)
                    self._kill()
                    return
            pause = min(look.pause for look in self._looks)


class _Look:
    """One limit."""

    pause = _PAUSE
    every = 0.0
    """Seconds between two looks at least."""

    def __init__(self, api: Any, name: str, limits: Limits):
        self._api = api
        self._what = name
        self._limits = limits
        self._next = 0.0

    def at(self, now: float) -> str:
        """Why the container has to end, empty where it need not."""
        import docker

        if now < self._next:
            return ""
        started = time.monotonic()
        try:
            return self._look()
        except (docker.errors.DockerException, OSError):
            return ""
        finally:
            ended = time.monotonic()
            self._next = ended + max(self.every, _REST * (ended - started))

    def _look(self) -> str:
        raise NotImplementedError

    def _get(self, path: str, **params: object) -> Any:
        url = f"{self._api.base_url}/v{self._api.api_version}/containers/{self._what}/{path}"
        answer = self._api.get(url, params=params, stream=True, timeout=self._api.timeout)
        answer.raise_for_status()
        return answer


class _Disk(_Look):
    """The container's own layer: all that it wrote and did not remove again."""

    def _look(self) -> str:
        with closing(self._get("json", size=1)) as answer:
            used = int(answer.json().get("SizeRw") or 0)
        return _too_large("wrote", used, self._limits.disk_mib)


class _Cache(_Look):
    """The volume that builds share; the engine knows its size only by measuring everything."""

    every = 15.0

    def _look(self) -> str:
        volumes = self._api.df().get("Volumes") or ()
        used = sum(int(v["UsageData"]["Size"]) for v in volumes if v["Name"] == self._what)
        return _too_large(f"{CACHE_FULL} with", used, self._limits.disk_mib)


class _Output(_Look):
    """The log starts anew when it is full: each time its first line is another one."""

    def __init__(self, api: Any, name: str, limits: Limits):
        super().__init__(api, name, limits)
        self._first = b""
        self._mib = 0

    def _look(self) -> str:
        first = self._first_line()
        flooded = bool(self._first) and first != self._first
        self._first = first or self._first
        self._mib += LOG_MIB * flooded
        self.pause = _WHILE_FLOODED if flooded else _PAUSE
        return _too_large("printed", self._mib * 2**20, self._limits.output_mib)

    def _first_line(self) -> bytes:
        with closing(self._get("logs", stdout=1, stderr=1, timestamps=1, tail="all")) as answer:
            # A frame's header of 8 bytes, then the time with nanoseconds.
            return bytes(answer.raw.read(38))


class _Idle(_Look):
    """No processor time, no traffic and no output: it waits for what does not come."""

    def __init__(self, api: Any, name: str, limits: Limits):
        super().__init__(api, name, limits)
        self.every = min(15.0, limits.idle_seconds / 10)
        self._since: float | None = None
        self._clock = 0.0
        self._used = self._traffic = 0

    def _look(self) -> str:
        now = time.monotonic()
        with closing(self._get("stats", **{"stream": "false", "one-shot": "true"})) as answer:
            stats = answer.json()
        used = int(stats["cpu_stats"]["cpu_usage"]["total_usage"])
        networks = stats.get("networks") or {}
        traffic = sum(int(one["rx_bytes"]) + int(one["tx_bytes"]) for one in networks.values())
        passed = now - (self._since if self._since is not None else now)
        span = max(passed, self.every)
        works = used - self._used > _IDLE_SHARE * 1e9 * span
        if self._since is None or works or traffic - self._traffic > _IDLE_TRAFFIC * span:
            self._restart(now, used, traffic)
        elif passed >= self._limits.idle_seconds:
            if not self._printed():
                return f"did nothing for {passed:.0f} s: neither work nor traffic nor output"
            self._restart(now, used, traffic)
        return ""

    def _restart(self, now: float, used: int, traffic: int) -> None:
        self._since, self._clock = now, time.time()
        self._used, self._traffic = used, traffic

    def _printed(self) -> bool:
        since = int(self._clock)
        with closing(self._get("logs", stdout=1, stderr=1, tail=1, since=since)) as answer:
            return bool(answer.raw.read(1))


def _too_large(what: str, used: int, limit_mib: int) -> str:
    return f"{what} more than {limit_mib} MiB" if used > limit_mib * 2**20 else ""
