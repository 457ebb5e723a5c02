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
_PAUSE = 1.0
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
        *,
        printed_at: Callable[[], float],
        cache_volume: str | None = None,
    ):
        self._kill = kill
        self._wake = threading.Event()
        self._ended = False
        self._looks: list[_Look] = [_Disk(api, name, limits)]
        if limits.idle_seconds:
            self._looks.append(_Idle(api, name, limits, printed_at))
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
        self._ended = True
        self._wake.set()
        self._thread.join()

    def stop(self, reason: str) -> None:
        """Have the container ended. Does not wait for it: who reads its output must go on, since
        an engine kills nobody whose last words are not taken.
        """
        self.stopped = self.stopped or reason
        self._wake.set()

    def _watch(self) -> None:
        while not self._wake.wait(_PAUSE):
            for look in self._looks:
                reason = look.at(time.monotonic())
                if reason and not self._ended:
                    self.idle = isinstance(look, _Idle)
                    self.stop(reason)
                    break
        if self.stopped and not self._ended:
            self._kill()


class _Look:
    """One limit."""

    every = 0.0
    """Seconds between two looks at least."""

    def __init__(self, api: Any, what: str, limits: Limits):
        import docker

        self._errors = (docker.errors.DockerException, OSError)
        self._api = api
        self._what = what
        self._limits = limits
        self._next = 0.0

    def at(self, now: float) -> str:
        """Why the container has to end, empty where it need not."""
        if now < self._next:
            return ""
        started = time.monotonic()
        try:
            return self._look(started)
        except self._errors:
            return ""
        finally:
            ended = time.monotonic()
            self._next = ended + max(self.every, _REST * (ended - started))

    def _look(self, now: float) -> str:
        raise NotImplementedError

    def _get(self, path: str, **params: object) -> Any:
        url = f"{self._api.base_url}/v{self._api.api_version}/containers/{self._what}/{path}"
        with closing(self._api.get(url, params=params, timeout=self._api.timeout)) as answer:
            answer.raise_for_status()
            return answer.json()


class _Disk(_Look):
    """The container's own layer: all that it wrote and did not remove again."""

    def _look(self, _now: float) -> str:
        used = int(self._get("json", size=1).get("SizeRw") or 0)
        return too_much("wrote", used, self._limits.disk_mib)


class _Cache(_Look):
    """The volume that builds share; the engine knows its size only by measuring everything."""

    every = 15.0

    def _look(self, _now: float) -> str:
        volumes = self._api.df().get("Volumes") or ()
        used = sum(int(v["UsageData"]["Size"]) for v in volumes if v["Name"] == self._what)
        return too_much(f"{CACHE_FULL} with", used, self._limits.disk_mib)


class _Idle(_Look):
    """No processor time, no traffic and no output: it waits for what does not come."""

    def __init__(self, api: Any, name: str, limits: Limits, printed_at: Callable[[], float]):
        super().__init__(api, name, limits)
        self.every = min(15.0, limits.idle_seconds / 10)
        # A look takes the engine as long as a short test takes: those are never looked at.
        self._next = time.monotonic() + self.every
        self._printed_at = printed_at
        self._since = 0.0
        self._used = self._traffic = 0

    def _look(self, now: float) -> str:
        stats = self._get("stats", **{"stream": "false", "one-shot": "true"})
        used = int(stats["cpu_stats"]["cpu_usage"]["total_usage"])
        networks = (stats.get("networks") or {}).values()
        traffic = sum(int(one["rx_bytes"]) + int(one["tx_bytes"]) for one in networks)
        span = max(now - self._since, self.every)
        busy = (
            used - self._used > _IDLE_SHARE * 1e9 * span
            or traffic - self._traffic > _IDLE_TRAFFIC * span
            or self._printed_at() > self._since
        )
        if busy or not self._since:
            self._since, self._used, self._traffic = now, used, traffic
        elif span >= self._limits.idle_seconds:
            return f"did nothing for {span:.0f} s: neither work nor traffic nor output"
        return ""


def too_much(what: str, used: int, limit_mib: int) -> str:
    """The reason, where there is one."""
    return f"{what} more than {limit_mib} MiB" if used > limit_mib * 2**20 else ""
