"""What several patchmarks of one user want made at the same time is made by one of them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNNAMED = "unnamed"
"""Held while images are on the engine that have no name yet, or that were left without one go."""


@contextmanager
def once(what: str) -> Iterator[None]:
    """Keep others of this user out until it is done; who waited finds what was made.

    Without a place for the lock nobody waits: two then make the same, which costs only time.
    """
    name = f"patchmark-{os.getuid()}-{hashlib.sha256(what.encode()).hexdigest()[:12]}.lock"
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = None
    with suppress(OSError):
        lock = os.open(Path(tempfile.gettempdir()) / name, flags, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)
