"""The attempts of a run that have no final answer yet."""

from __future__ import annotations

from dataclasses import dataclass

from core.attempts import Key
from core.types import Patch, Task
from models.base import Entrant
from models.exchange import Slot
from patchmark.rewriting import is_about
from patchmark.run import Run


@dataclass(frozen=True)
class Missing:
    """An attempt that has no final answer yet, with who is to make it."""

    entrant: Entrant
    task: Task
    attempt: int

    @property
    def key(self) -> Key:
        """What its patch is found by."""
        return (self.task.id, self.entrant.name, self.attempt)

    @property
    def slot(self) -> Slot:
        """The place of its first question."""
        return Slot(self.entrant.name, self.task.id, self.attempt)


def missing_patches(run: Run) -> list[Missing]:
    """All of them, task by task."""
    patches = run.patches()
    return [
        Missing(entrant, task, attempt)
        for task in run.all_tasks()
        for entrant in run.entrants
        for attempt in range(1, run.settings.attempts + 1)
        if not is_final(run, patches.get((task.id, entrant.name, attempt)), task)
    ]


def is_final(run: Run, patch: Patch | None, task: Task) -> bool:
    """Whether nobody has to be asked for it again."""
    if patch is None or not patch.stop.final:
        return False
    if patch.entrant == "reference":
        return patch.diff == task.gold_patch
    return is_about(patch, task, run.folder.exchanges)
