"""What only one worker at a time may do: install, or make what all of them use."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Wait until nobody else on this machine is at it, and keep others waiting."""
    path = Path(tempfile.gettempdir()) / f"patchmark-tests-{os.getuid()}-{what}.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
