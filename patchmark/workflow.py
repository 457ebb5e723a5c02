"""GitHub's runner: workflow commands on stdout, step outputs and the job summary in files.

Nothing untrusted reaches the runner unescaped: messages are escaped, every output has its
own random delimiter, and while other people's text is printed the runner is told to take no
commands at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from core.redact import SHORTEST, Redactor
from patchmark.streams import unredacted

SUMMARY_LIMIT = 1024 * 1024
"""Bytes; the runner drops a longer summary as a whole."""

_SHORTEST_MASKED = SHORTEST
"""Characters; a shorter mask would blank out half the log and hide nothing."""


class Workflow:
    """The step we run in."""

    def __init__(self, environment: Mapping[str, str], stream: TextIO, redactor: Redactor):
        self._stream = stream
        self._redactor = redactor
        self._outputs = environment.get("GITHUB_OUTPUT", "")
        self._summary = environment.get("GITHUB_STEP_SUMMARY", "")

    def mask(self, secret: str) -> None:
        """Have the runner blank out a secret in the log; does nothing for short values."""
        for line in secret.splitlines():
            if len(line.strip()) >= _SHORTEST_MASKED:
                # The only place that has to name what nobody may read.
                _write(unredacted(self._stream), f"::add-mask::{_escape(line.strip())}")

    def notice(self, message: str) -> None:
        """Annotate the run with something worth knowing."""
        self._say(f"::notice title=patchmark::{_escape(message)}")

    def warning(self, message: str) -> None:
        """Annotate the run with something that did not work and did not matter enough."""
        self._say(f"::warning title=patchmark::{_escape(message)}")

    def error(self, message: str) -> None:
        """Annotate the run with why it fails."""
        self._say(f"::error title=patchmark::{_escape(message)}")

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Print whatever you like inside: the runner takes none of it for a command.

        After an exception it stays deaf, because the traceback may quote untrusted text.
        """
        token = secrets.token_hex(16)
        self._say(f"::stop-commands::{token}")
        yield
        self._say(f"::{token}::")

    def output(self, name: str, value: str) -> None:
        """Set one of the step's outputs."""
        delimiter = f"end_{secrets.token_hex(16)}"
        quiet = self._redactor.text(value)
        _append(self._outputs, f"{name}<<{delimiter}\n{quiet}\n{delimiter}\n")

    def summary(self, text: str) -> None:
        """Add to the job summary; what is beyond SUMMARY_LIMIT is cut off."""
        cut = self._redactor.text(text).encode()[: SUMMARY_LIMIT - 1].decode(errors="ignore")
        _append(self._summary, cut.rstrip("\n") + "\n")

    def _say(self, line: str) -> None:
        _write(self._stream, self._redactor.text(line))


def _write(stream: TextIO, line: str) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def _append(path: str, text: str) -> None:
    # Outside GitHub, or in a step whose files another tool left out, there is nobody to tell.
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def _escape(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
