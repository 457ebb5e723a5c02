"""Standard output and error output from which secrets are taken, whoever prints there."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, TextIO, cast

from rich.console import Console

from core.redact import Redactor


class QuietConsole(Console):
    """A console that redacts before it breaks lines: a secret in two halves is not found."""

    def __init__(self, redactor: Redactor, *, stderr: bool = False):
        super().__init__(stderr=stderr)
        self._redactor = redactor

    def print(self, *objects: Any, **options: Any) -> None:  # noqa: D102
        quiet = [self._redactor.text(o) if isinstance(o, str) else o for o in objects]
        super().print(*quiet, **options)


@contextmanager
def quiet(redactor: Redactor) -> Iterator[None]:
    """Redact all that is printed inside, by us, by a library, or by Python itself.

    After an exception it stays so: its traceback is printed when all of us has ended.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Quiet(before[0], redactor), _Quiet(before[1], redactor)
    yield
    sys.stdout.flush()
    sys.stderr.flush()
    sys.stdout, sys.stderr = before


def unredacted(stream: TextIO) -> TextIO:
    """What is below: for the one line that tells a runner what to hide, and has to name it."""
    while isinstance(stream, _Quiet):
        stream.flush()
        stream = stream.below
    return stream


class _Quiet(io.TextIOWrapper):
    """A text stream like the one below it, line by line through a redactor."""

    def __init__(self, below: TextIO, redactor: Redactor):
        self.below = below
        super().__init__(
            cast(IO[bytes], _Redacting(below, redactor)),
            encoding=below.encoding or "utf-8",
            errors=below.errors or "strict",
            line_buffering=True,
        )


class _Redacting(io.BufferedIOBase):
    """Collects what is written until it is flushed, so that no secret comes in two halves."""

    def __init__(self, below: TextIO, redactor: Redactor):
        self._below, self._redactor = below, redactor
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._below.isatty()

    def fileno(self) -> int:
        return self._below.fileno()

    def write(self, content: Any) -> int:
        self._waiting += content
        return len(content)

    def flush(self) -> None:
        text = self._waiting.decode(self._below.encoding or "utf-8", "replace")
        self._waiting.clear()
        self._below.write(self._redactor.text(text))
        self._below.flush()
