"""Where a container engine may answer on this machine, best guess first."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from core.errors import EngineError
from core.redact import NOTHING, Redactor
from sandbox.docker import DockerEngine

HELP = (
    "no container engine answers; start Docker or Podman, or set DOCKER_HOST "
    "(on Debian or Ubuntu: apt-get install docker.io)"
)


def endpoints(environment: Mapping[str, str]) -> list[str]:
    """DOCKER_HOST if set and nothing else; otherwise the current context, then known sockets."""
    if host := environment.get("DOCKER_HOST"):
        return [host]
    found = _context()
    user = environment.get("XDG_RUNTIME_DIR", "")
    for path in (
        "/var/run/docker.sock",
        f"{user}/docker.sock" if user else "",
        f"{user}/podman/podman.sock" if user else "",
        "/run/podman/podman.sock",
    ):
        if path and _is_socket(Path(path)):
            found.append(f"unix://{path}")
    return list(dict.fromkeys(found))


def connect(
    environment: Mapping[str, str], redactor: Redactor = NOTHING, runtime: str | None = None
) -> DockerEngine:
    """The first engine that answers; what its containers print goes through `redactor`.

    They run on `runtime`, if one is named. Raises EngineError saying what to do when no engine
    answers, UsageError for a runtime that it has not.
    """
    reasons = []
    for endpoint in endpoints(environment):
        try:
            return DockerEngine(endpoint, redact=redactor.text, runtime=runtime)
        except EngineError as error:
            reasons.append(str(error))
    raise EngineError("; ".join([HELP, *reasons]))


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _context() -> list[str]:
    from docker import ContextAPI
    from docker.errors import DockerException

    try:
        context = ContextAPI.get_current_context()
    except (DockerException, OSError, ValueError):
        return []
    host = getattr(context, "Host", None)
    return [host] if host and not host.startswith("npipe") else []
