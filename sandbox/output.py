"""What a container prints, read as it prints it: the end is kept, the rest counted.

The engine keeps no log. To write one costs it ten times as much as to hand the bytes over, up to
a processor of its own for a container that prints without end, and says how much only to files.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

OUTPUT_BYTES = 1_000_000
_LAST_WORDS_SECONDS = 10.0
"""How long after a container's end its last bytes may take."""


class Output:
    """Attached to a container that is not started yet."""

    def __init__(self, api: Any, name: str, limit_bytes: int, flooded: Callable[[], None]):
        """Attach. Raises the client's errors. `flooded` is called once, beyond the limit."""
        import docker

        self._errors = (docker.errors.DockerException, OSError, ValueError)
        self._stream = api.attach(name, stdout=True, stderr=True, stream=True)
        self._limit = limit_bytes
        self._flooded = flooded
        self._end = bytearray()
        self._thread = threading.Thread(target=self._read, name=f"output-{name[:12]}", daemon=True)
        self.printed = 0
        self.last_at = time.monotonic()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Nothing more is waited for where the engine has failed.
        self._thread.join(0 if error else _LAST_WORDS_SECONDS)
        self._stream.close()

    def text(self) -> str:
        """The end of it, decoded leniently."""
        return self._end[-OUTPUT_BYTES:].decode(errors="replace")

    def _read(self) -> None:
        try:
            for data in self._stream:
                within = self.printed <= self._limit
                self.printed += len(data)
                self.last_at = time.monotonic()
                self._end += data
                if len(self._end) > 2 * OUTPUT_BYTES:
                    del self._end[:-OUTPUT_BYTES]
                if within and self.printed > self._limit:
                    self._flooded()
        except self._errors:
            # Who waits for the container notices that its engine is gone.
            return
