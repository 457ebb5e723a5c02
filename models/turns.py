"""Which question of an attempt is which: an agent of others does not say, and may ask at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from models.exchange import Exchange, Slot
from models.exchange_store import ExchangeStore


@dataclass
class _Turn:
    slot: Slot
    key: str
    answer: Exchange | None
    taken: bool = False


class Turns:
    """The turns of one attempt, known ones first. Safe from many threads."""

    def __init__(self, store: ExchangeStore, start: Slot, source: ExchangeStore | None = None):
        """`source` = answer from its recordings alone, in their order where none is equal."""
        self._store, self._source, self._start = store, source, start
        self._lock = threading.Lock()
        self._turns: list[_Turn] = []
        slot = start
        while (turn := self._known(slot)) is not None:
            self._turns.append(turn)
            slot = slot.next

    @property
    def slots(self) -> list[Slot]:
        """Those that were paid for; of recordings those that were used."""
        used = [t.slot for t in self._turns if t.taken or self._source is None]
        return used or [self._start]

    def claim(self, key: str) -> tuple[Slot, Exchange | None]:
        """The turn of a question: its kept answer, or the place for a new one.

        Equal questions have the answers that they had before, in their order.
        """
        with self._lock:
            turn = self._free(key)
            if turn is None:
                last = self._turns[-1].slot.next if self._turns else self._start
                turn = _Turn(last, key, None)
                self._turns.append(turn)
            turn.taken = True
            if self._source is not None and turn.answer is not None:
                self._store.adopt(turn.slot, self._source)
            return turn.slot, turn.answer

    def failed(self, slot: Slot) -> None:
        """The question was not answered: who asks it again has the same turn."""
        with self._lock:
            for turn in self._turns:
                if turn.slot == slot:
                    turn.taken = False

    def _free(self, key: str) -> _Turn | None:
        free = [turn for turn in self._turns if not turn.taken]
        equal = [turn for turn in free if turn.key == key]
        if self._source is not None and not equal:
            equal = [turn for turn in free if turn.answer is not None]
        return equal[0] if equal else None

    def _known(self, slot: Slot) -> _Turn | None:
        """A turn that is on disk. What was under way when a run was killed becomes a failure."""
        if self._source is not None:
            answer = self._source.answer(slot)
            return _Turn(slot, answer.request_sha256 or "", answer) if answer else None
        sent, answer = self._store.sent(slot), self._store.answer(slot)
        known = answer or sent
        if known is None:
            return None
        key = known.request_sha256 or ""
        return _Turn(slot, key, self._store.recall(slot, key, datetime.now(UTC)))
