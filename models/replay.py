"""The entrant that answers from recordings and calls no one."""

from __future__ import annotations

from dataclasses import dataclass

from core.types import Patch, Stop, Task
from models.answer import Edit, read_answer
from models.base import Files
from models.exchange import Exchange, Slot
from models.exchange_store import ExchangeStore
from models.oneshot import MENDABLE, after_mending
from models.patches import answered, unanswered
from models.spec import parse


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
        slots = [Slot(self.name, task.id, attempt)]
        exchange = self.recordings.answer(slots[0])
        if exchange is None:
            missing = f"no recorded answer: {self.recordings.path(slots[0])} does not exist"
            return unanswered(self.store, slots, Stop.PROVIDER_FAILED, missing, None)
        edit = self._read(exchange, files)
        if edit.stop in MENDABLE and (second := self.recordings.answer(slots[0].next)) is not None:
            slots.append(slots[0].next)
            edit = after_mending(edit, self._read(second, files))
        for slot in slots:
            self.store.adopt(slot, self.recordings)
        return answered(self.store, slots, edit, replayed=True)

    def _read(self, exchange: Exchange, files: Files) -> Edit:
        return read_answer(exchange.text, exchange.finish, files, parse(self.name).form)
