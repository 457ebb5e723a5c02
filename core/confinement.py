"""What every test run of a run folder was held to."""

from __future__ import annotations

from core.types import Record


class Confinement(Record):
    """Limits of one test run's container, and what it ran on."""

    seconds: float
    """Wall clock, from the start of the container."""
    idle_seconds: float
    """0 = as long as it likes."""
    memory_mib: int
    cpus: float
    processes: int
    disk_mib: int
    output_mib: int
    network: str
    user: str
    """Of the tests, in the container."""
    runtime: str
    """What the engine ran it on; `?` where it does not say."""
