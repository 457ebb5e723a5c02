"""The contract of a container engine: one-shot jobs in fresh containers, and images made by them.

A job that ran is always a `Ran`, however badly it ended; EngineError means that the engine
itself failed, and must never be presented as the job's own failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import IO, Protocol


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a container may use. Time counts from its start, never from the queue."""

    seconds: float = 600
    idle_seconds: float = 300
    """How long it may neither work nor print nor send; 0 = as long as it likes."""
    memory_mib: int = 4096
    cpus: float = 1.0
    processes: int = 512
    disk_mib: int = 4096
    """What its own layer may hold, and each file that it writes."""
    output_mib: int = 256
    """What it may print; only the end is kept."""

    def record(self) -> dict[str, float]:
        """The limits in force, for a report."""
        return asdict(self)


BUILD_LIMITS = Limits(seconds=1800, cpus=2.0, disk_mib=20 * 1024)


@dataclass(frozen=True, kw_only=True)
class File:
    """A file put into a container before it starts."""

    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, kw_only=True)
class Job:
    """One command in one fresh container."""

    image: str
    command: tuple[str, ...]
    files: Mapping[str, File] = field(default_factory=dict)
    """Absolute path in the container → file."""
    folders: tuple[str, ...] = ()
    """Folders made before the start and writable by `user` (root makes its own); brought back
    after the end."""
    told: frozenset[int] = frozenset()
    """Exit codes by which the command says that its output holds all: no folder is brought."""
    user: str = "root"
    capabilities: tuple[str, ...] = ()
    """Linux capabilities that the command starts with; none are left to other users."""
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True)
class Build:
    """A script whose container becomes an image. It may use the network; jobs may not."""

    image: str
    script: str
    archives: tuple[bytes, ...] = ()
    """Tar archives unpacked at / before the start."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Environment of the script. In no layer and no image configuration."""
    ca_bundle: bytes | None = None
    cache_volume: str | None = None
    """Named volume mounted at /cache while building; never part of the image. One that a build
    fills beyond its limit is emptied."""
    tag: str
    limits: Limits = BUILD_LIMITS


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a container ended."""

    exit_code: int | None
    """None where it was killed at a limit."""
    timed_out: bool
    """It ran or waited too long."""
    stopped: str = ""
    """At which limit it was killed, in words that follow "it"."""
    out_of_memory: bool
    output: str
    """The end of what it printed, both streams, decoded leniently, without secrets."""
    files: Mapping[str, bytes]
    """Path → content of what lay in the job's folders at the end."""
    seconds: float


class Engine(Protocol):
    """What the sandbox asks of Docker, Podman or anything else that can do it."""

    def run(self, job: Job) -> Ran:
        """Run a job without any network. Raises EngineError when the engine fails."""
        ...

    def build(self, build: Build) -> Ran:
        """Run a build script and, if it exits with 0, keep its container as `build.tag`.

        An image that has this name by then stays: it is another run's, and the same.
        """
        ...

    def build_dockerfile(
        self,
        context: bytes,
        dockerfile: str,
        tag: str,
        *,
        secrets: Mapping[str, str] | None = None,
        limits: Limits = BUILD_LIMITS,
    ) -> str | None:
        """Build a Dockerfile of a tar archive; None where it worked, else why it did not.

        Of `secrets` it gets the proxies, which an engine can hand over without keeping them.
        """
        ...

    def image_id(self, reference: str) -> str | None:
        """Content id of a local image, None where there is none."""
        ...

    def image_bytes(self, reference: str) -> int:
        """Size of a local image with all its layers, 0 where there is none."""
        ...

    def pull(self, reference: str) -> bool:
        """Fetch an image; False where no registry has it or can be reached."""
        ...

    def remove_image(self, reference: str) -> None:
        """Remove an image's name, and the image where that was its last; no error if gone."""
        ...

    def name(self, reference: str, tag: str) -> str | None:
        """Give an image another name, instead of the one it has; its content id."""
        ...

    def also_name(self, reference: str, tag: str) -> bool:
        """Give an image one more name; False where there is no such image."""
        ...

    def load_rootfs(self, tar: IO[bytes], tag: str) -> None:
        """Make an image of a root file system."""
        ...

    def answers(self) -> bool:
        """True where the engine is up: what failed a moment ago was not its end."""
        ...

    def close(self) -> list[str]:
        """Remove the containers that still run and let go of the engine; those that cannot be
        removed are returned.
        """
        ...
