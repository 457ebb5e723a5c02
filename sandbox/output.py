"""What a container prints, read as it prints it: the end is kept, the rest counted.

The engine keeps no log. To write one costs it ten times as much as to hand the bytes over, up to
a processor of its own for a container that prints without end, and says how much only to files.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

OUTPUT_BYTES = 1_000_000
_HEAD_BYTES = 8
_LAST_WORDS_SECONDS = 10.0
"""How long after a container's end its last bytes may take."""


class Output:
    """Attached to a container that is not started yet."""

    def __init__(self, api: Any, name: str, limit_bytes: int, flooded: Callable[[], None]):
        """Attach. Raises the client's errors. `flooded` is called once, beyond the limit."""
        from docker.types import CancellableStream

        # The client's own method asks for more than is needed, and leaves its socket open.
        url = f"{api.base_url}/v{api.api_version}/containers/{name}/attach"
        wanted = {"stream": 1, "stdout": 1, "stderr": 1}
        self._answer = api.post(url, params=wanted, stream=True, timeout=(api.timeout, None))
        self._answer.raise_for_status()
        self._stream = CancellableStream(frames(self._answer.raw), self._answer)
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
        with suppress(OSError):
            self._stream.close()
        self._thread.join(_LAST_WORDS_SECONDS)
        self._answer.close()

    def text(self) -> str:
        """The end of it, decoded leniently."""
        return self._end[-OUTPUT_BYTES:].decode(errors="replace")

    def _read(self) -> None:
        # Who waits for the container notices that its engine is gone.
        for data in self._stream:
            within = self.printed <= self._limit
            self.printed += len(data)
            self.last_at = time.monotonic()
            self._end += data
            if len(self._end) > 2 * OUTPUT_BYTES:
                del self._end[:-OUTPUT_BYTES]
            if within and self.printed > self._limit:
                self._flooded()


def frames(raw: Any) -> Iterator[bytes]:
    """What both streams hold, as the engine sends it: eight bytes with the length, then so many."""
    while len(head := raw.read(_HEAD_BYTES)) == _HEAD_BYTES:
        yield raw.read(int.from_bytes(head[4:], "big"))
