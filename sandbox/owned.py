"""Whose a container, an image or a volume is: labels that name a process, and whether it lives."""

from __future__ import annotations

import os
import re
import socket
import time
from pathlib import Path

LABEL = "dev.patchmark"
"""On everything of ours; its value says what it is: `container`, `image`, `cache`."""
OWNER = f"{LABEL}.owner"
NAMED = f"{LABEL}.tag"
"""On images: the name that they were made under."""
_SLACK = 2.0
"""Seconds by which the clocks of engine and machine may differ."""
_LONGEST_SECONDS = 24 * 3600
"""No container of ours is at work as long."""


def machine() -> str:
    """Where a process number means this process.

    Runners in containers share an engine, and often a host name; their processes are numbered
    anew in each.
    """
    try:
        numbered = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        numbered = ""
    return f"{socket.gethostname()}/{re.sub(r'[^0-9]', '', numbered)}"


def owner() -> str:
    """What labels call this process."""
    return f"{machine()}:{os.getpid()}"


def is_gone(named: str, seen_at: float) -> bool:
    """True where this machine's process that an owner label names has ended.

    `seen_at`: when it was known to live, in seconds since the epoch; a process that started
    later only has its number. What another machine owns is never gone; see `is_abandoned`.
    """
    where, _, pid = named.rpartition(":")
    if where != machine() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return _started(int(pid)) > seen_at + _SLACK


def is_abandoned(named: str, made_at: float) -> bool:
    """True where nobody can be at work on it any more, whoever owns it.

    A runner that was a container itself, or that has another name now, never comes back for it.
    """
    return is_gone(named, made_at) or time.time() - made_at > _LONGEST_SECONDS


def _started(pid: int) -> float:
    """When a process started; 0 where that cannot be told."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        boot = next(
            int(line.split()[1])
            for line in Path("/proc/stat").read_text().splitlines()
            if line.startswith("btime ")
        )
    except (OSError, ValueError, IndexError, StopIteration):
        return 0.0
    return boot + ticks / os.sysconf("SC_CLK_TCK")
