"""The contract of an entrant: something that answers a task with a patch."""

from __future__ import annotations

from typing import Protocol

from core.types import Patch, Task


class Files(Protocol):
    """The repository at the task's base commit, read only."""

    def files(self) -> list[str]:
        """Paths of all regular files."""
        ...

    def read(self, path: str) -> str | None:
        """A file's text, None where it is missing or not UTF-8 text."""
        ...


class Entrant(Protocol):
    """One row of the report: a model with its settings, or a baseline."""

    @property
    def name(self) -> str:
        """What the row is called, such as `anthropic:MODEL`."""
        ...

    def solve(self, task: Task, files: Files, attempt: int) -> Patch:
        """Answer a task; `attempt` counts from 1.

        Whatever the provider does ends in a Patch whose `stop` says how: a refusal, an
        unreadable answer, a failed provider and an exhausted budget are all results.
        Raises UsageError where no answer can ever come (a rejected key, an unknown model),
        so that the run stops instead of asking again for every task.
        """
        ...
