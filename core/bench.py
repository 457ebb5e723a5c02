"""The contract of a workbench: the repository in a container, where an agent may try things."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from core.errors import PatchmarkError
from core.types import Task


@dataclass(frozen=True)
class Did:
    """What came of one command."""

    output: str
    """Both streams, without secrets of ours; of much output beginning and end."""
    exit_code: int | None
    """None where it was stopped for taking too long."""
    seconds: float


class BenchEndedError(PatchmarkError):
    """A workbench that was ended at a limit, by what was done in it."""


class Workbench(Protocol):
    """One container with the repository at a task's base commit: no network, no keys, no tests
    but those that were there.
    """

    @property
    def tests(self) -> str:
        """How a person would run the repository's tests here."""
        ...

    def run(self, command: str, *, given: str = "", seconds: float = 120) -> Did:
        """Run a shell command in the repository, with `given` on its standard input.

        Raises EngineError where the engine fails, BenchEndedError.
        """
        ...

    def read(self, path: str) -> str | None:
        """A file exactly as it is; None where it is missing, no UTF-8 or huge. Raises as `run`."""
        ...

    def diff(self) -> str:
        """What was changed, as a git diff against the base commit. Raises as `run`."""
        ...


class Benches(Protocol):
    """Where workbenches come from."""

    def __call__(self, task: Task) -> AbstractContextManager[Workbench]:
        """A fresh one, which is gone at the end. Raises EngineError."""
        ...
