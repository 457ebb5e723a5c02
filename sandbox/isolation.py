"""What isolation an engine gives: as it says itself, and as a container of ours finds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.confinement import Confinement
from sandbox.base import USER
from sandbox.docker import DockerEngine
from sandbox.engine import Job, Limits

_LOOK = """
echo "interfaces: $(ls /sys/class/net | tr '\\n' ' ')"
echo "routes: $(($(wc -l < /proc/net/route) - 1))"
grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status
echo "writable: $(find / \\( -path /proc -o -path /sys \\) -prune -o \
  \\( -type d -o -type f \\) -writable -prune -print 2> /dev/null | sort | tr '\\n' ' ')"
"""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What the engine says of itself."""

    runtime: str
    runtimes: tuple[str, ...]
    seccomp: str
    """Name of the profile; empty where there is none."""
    cgroups: str
    rootless: bool
    user_namespaces: bool
    driver: str
    """What keeps its file systems."""

    def __str__(self) -> str:
        others = [name for name in self.runtimes if name != self.runtime]
        more = f" (also there: {', '.join(others)})" if others else ""
        own = "with" if self.user_namespaces or self.rootless else "without"
        return (
            f"runtime {self.runtime}{more}, seccomp {self.seccomp or 'off'}, "
            f"cgroups v{self.cgroups}, {'rootless' if self.rootless else 'engine is root'}, "
            f"{own} user namespaces, {self.driver} without a quota: the disk is watched"
        )


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an unprivileged job sees of its container."""

    interfaces: tuple[str, ...]
    routes: int
    capabilities: bool
    no_new_privileges: bool
    seccomp: bool
    writable: tuple[str, ...]
    """The highest places that it can write to."""

    @property
    def holds(self) -> bool:
        """Whether it is shut in as it should be, whatever the engine says."""
        tight = self.no_new_privileges and self.seccomp and not self.capabilities
        return tight and self.interfaces in ((), ("lo",)) and not self.routes

    def __str__(self) -> str:
        return (
            f"interfaces: {' '.join(self.interfaces) or 'none'}, routes: {self.routes}, "
            f"capabilities: {'SOME' if self.capabilities else 'none'}, "
            f"new privileges: {'no' if self.no_new_privileges else 'POSSIBLE'}, "
            f"seccomp: {'on' if self.seccomp else 'OFF'}, writes to {' '.join(self.writable)}"
        )


def confinement(engine: DockerEngine, limits: Limits) -> Confinement:
    """What test runs on this engine are held to. Raises EngineError."""
    held = {**limits.record(), "network": "none", "user": USER, "runtime": offered(engine).runtime}
    return Confinement.model_validate(held)


def offered(engine: DockerEngine) -> Offered:
    """What the engine says. Raises EngineError."""
    with engine.api() as api:
        info: Mapping[str, Any] = api.info()
    options = dict.fromkeys(info.get("SecurityOptions") or ())
    parts = [dict(p.partition("=")[::2] for p in one.split(",")) for one in options]
    named = {part.get("name", ""): part for part in parts}
    seccomp = named.get("seccomp", {}).get("profile", "default") if "seccomp" in named else ""
    return Offered(
        runtime=engine.runtime or info.get("DefaultRuntime") or "?",
        runtimes=tuple(sorted(info.get("Runtimes") or ())),
        seccomp="" if seccomp == "unconfined" else seccomp,
        cgroups=str(info.get("CgroupVersion") or "?"),
        rootless="rootless" in named,
        user_namespaces="userns" in named,
        driver=str(info.get("Driver") or "?"),
    )


def seen(engine: DockerEngine, image: str) -> Seen:
    """What a job on this image sees. Raises EngineError."""
    limits = Limits(seconds=60, memory_mib=256, processes=64)
    command = ("/bin/sh", "-c", _LOOK)
    ran = engine.run(
        Job(image=image, command=command, user=USER, folders=("/patchmark/out",), limits=limits)
    )
    told = dict(line.split(":", 1) for line in ran.output.splitlines() if ":" in line)
    found = {name: value.split() for name, value in told.items()}
    names = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    return Seen(
        interfaces=tuple(found.get("interfaces", ("?",))),
        routes=int("".join(found.get("routes", ())) or -1),
        capabilities=any(int("".join(found.get(n, ("1",))), 16) for n in names),
        no_new_privileges=found.get("NoNewPrivs") == ["1"],
        seccomp=found.get("Seccomp") == ["2"],
        writable=tuple(found.get("writable", ())),
    )
