"""One way to a container engine's API, its errors told as EngineError."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from core.errors import EngineError, UsageError


class Connection:
    """A pool of connections to one engine. Safe to use from many threads."""

    def __init__(self, endpoint: str, *, timeout: int = 120, runtime: str | None = None):
        """Connect to the engine at `endpoint` (a DOCKER_HOST value).

        Raises EngineError when nothing answers there, UsageError when it has no such runtime.
        """
        import docker

        self._docker = docker
        self.endpoint = endpoint
        with self._engine_errors():
            self._api: Any = docker.APIClient(
                base_url=endpoint, version="auto", timeout=timeout, num_pools=32
            )
            if endpoint.startswith("unix:"):
                # No proxy leads to a socket. Else each request would read the whole environment,
                # and one that another thread changes meanwhile ends it.
                self._api.trust_env = False
            self.version: Mapping[str, Any] = self._api.version()
            self.runtime = self._known(runtime) if runtime else None

    @contextmanager
    def api(self) -> Iterator[Any]:
        """The engine's own client, its errors told as EngineError."""
        with self._engine_errors():
            yield self._api

    def answers(self) -> bool:
        """See Engine.answers. Asked anew: one that shuts down still serves old connections."""
        try:
            with self._engine_errors():
                fresh = self._docker.APIClient(
                    base_url=self.endpoint, version=self._api.api_version, timeout=10
                )
                with closing(fresh):
                    return bool(fresh.ping())
        except EngineError:
            return False

    def _known(self, runtime: str) -> str:
        offered = sorted(self._api.info().get("Runtimes") or {})
        if runtime not in offered:
            self._api.close()
            raise UsageError(
                f"[sandbox] runtime or PATCHMARK_RUNTIME: the engine at {self.endpoint} has no "
                f"{runtime!r}; it offers {', '.join(offered) or 'no choice'}"
            )
        return runtime

    @contextmanager
    def _engine_errors(self) -> Iterator[None]:
        try:
            yield
        except (self._docker.errors.DockerException, OSError) as error:
            said = _one_line(error)
            mend = next((mend for words, mend in _MENDS.items() if words in str(error)), "")
            raise EngineError(f"container engine at {self.endpoint}: {mend}{said}") from error


_MENDS = {
    "container-init binary not found": "Podman lacks the program that every container starts "
    "with (apt-get install catatonit): "
}
"""What an engine says → how to mend it."""


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
