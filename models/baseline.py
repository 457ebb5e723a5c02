"""Entrants that measure the tasks and not a model."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.types import Patch, Stop, Task
from models.base import Files


@dataclass(frozen=True)
class Reference:
    """Answers with the fix itself: what does not pass for it is a broken task."""

    name: str = "reference"

    def solve(self, task: Task, files: Files, attempt: int) -> Patch:  # noqa: ARG002
        """The task's own fix."""
        return _patch(task, self.name, attempt, task.gold_patch)


@dataclass(frozen=True)
class Empty:
    """Changes nothing: what passes for it is a broken task.

    Its empty diff counts as an answer, so that the tests are run on the unchanged files.
    """

    name: str = "empty"

    def solve(self, task: Task, files: Files, attempt: int) -> Patch:  # noqa: ARG002
        """No change."""
        return _patch(task, self.name, attempt, "")


def _patch(task: Task, entrant: str, attempt: int, diff: str) -> Patch:
    return Patch(
        task_id=task.id,
        entrant=entrant,
        attempt=attempt,
        diff=diff,
        stop=Stop.ANSWERED,
        cost_usd=Decimal(0),
        usage=None,
        seconds=None,
    )
