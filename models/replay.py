"""The entrant that answers from recordings and calls no one."""

from __future__ import annotations

from dataclasses import dataclass

from core.types import Patch, Stop, Task
from models.base import Files
from models.exchange import Slot
from models.exchange_store import ExchangeStore
from models.patches import answered, unanswered


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Answers with what was recorded for the same entrant, task and attempt.

    The prompt is not compared: recordings outlive changes of it.
    """

    name: str
    recordings: ExchangeStore
    store: ExchangeStore

    def solve(self, task: Task, files: Files, attempt: int) -> Patch:
        """The recorded answer, also copied into this run's own folder.

        Raises StoreError, naming the file, for a damaged recording.
        """
        slot = Slot(self.name, task.id, attempt)
        exchange = self.recordings.answer(slot)
        if exchange is None:
            missing = f"no recorded answer: {self.recordings.path(slot)} does not exist"
            return unanswered(self.store, slot, Stop.PROVIDER_FAILED, missing, None)
        self.store.adopt(slot, self.recordings)
        return answered(self.store, slot, exchange, files, replayed=True)
