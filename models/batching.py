"""Asking in batches: kept before it is sent, found again after a crash, never paid for twice."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.errors import UsageError
from models.asker import Asker
from models.batch import Batch, BatchApi, Item, Questions
from models.batch_store import BatchStore
from models.budget import OverBudgetError
from models.exchange import Slot, Waited
from models.provider import Answer, AskFailedError, Request
from models.retry import retrying

Question = tuple[Slot, Request]
LAG = timedelta(minutes=15)
"""How long after its sending a batch that no list shows may still turn up: what a request may take,
and some more, since no API says how soon its list shows what was handed in."""
_UNSENT = AskFailedError("the batch that it was in was never sent")
_UNTOLD = AskFailedError("the batch ended without a word on it", maybe_billed=True)
_NOT_DONE = AskFailedError("the batch ended before its turn came")


@dataclass(frozen=True, kw_only=True)
class Batcher:
    """Hands an entrant's first questions in as batches and keeps what comes back."""

    entrant: str
    asker: Asker
    """Asks nobody here: keeps, and prices as batches are."""
    api: BatchApi
    batches: BatchStore
    lag: timedelta = LAG
    trouble: list[str] = field(default_factory=list)
    """What went wrong and was not given up, in words."""

    def send(self, questions: Sequence[Question]) -> list[Question]:
        """Hand in what has no answer on disk; returns what the budget has no room for.

        A question that is awaited must not be among them. Raises UsageError where no question
        can succeed.
        """
        fits: list[tuple[Item, Slot, Request]] = []
        left: list[Question] = []
        for slot, request in questions:
            key = request.sha256
            if self.asker.store.recall(slot, key, _now()) is not None:
                continue
            worst = self.asker.worst_case(request) or Decimal(0)
            try:
                with self.asker.budget.reserve(worst):
                    pass  # unsettled, it counts as spent: the batch may outlive this run
            except OverBudgetError:
                left.append((slot, request))
                continue
            number = f"{slot.task_id}-{slot.attempt}-{key[:12]}-{secrets.token_hex(6)}"
            item = Item(
                id=number, task_id=slot.task_id, attempt=slot.attempt, key=key, worst_usd=worst
            )
            fits.append((item, slot, request))
        for part in self._parts(fits):
            self._hand_in(part)
        return left

    def look(self) -> int:
        """See to all open batches; returns how many brought something. Raises UsageError."""
        return sum(self._look_at(batch) for batch in self.batches.open(self.entrant))

    def awaited(self) -> set[Slot]:
        """The places of all questions that an open batch holds."""
        opened = self.batches.open(self.entrant)
        return {batch.slot(item) for batch in opened for item in batch.items}

    def _parts(
        self, fits: Sequence[tuple[Item, Slot, Request]]
    ) -> Iterator[list[tuple[Item, Slot, Request]]]:
        part: list[tuple[Item, Slot, Request]] = []
        size = 0
        for one in fits:
            more = len(one[2].model_dump_json())
            if part and (size + more > self.api.most_bytes or len(part) >= self.api.most_items):
                yield part
                part, size = [], 0
            part.append(one)
            size += more
        if part:
            yield part

    def _hand_in(self, part: Sequence[tuple[Item, Slot, Request]]) -> None:
        name = f"patchmark-{secrets.token_hex(8)}"
        model = part[0][2].model
        items = tuple(item for item, _, _ in part)
        # The batch before its requests: a request that names no batch would wait for ever.
        batch = self.batches.keep(
            Batch(name=name, entrant=self.entrant, items=items, made_at=_now())
        )
        for item, slot, request in part:
            self.asker.store.begin(
                slot, request, item.key, _now(), Waited(), batch=name, worst=item.worst_usd
            )
        questions = [(item.id, request) for item, _, request in part]
        try:
            remote = retrying(lambda: self._post(batch, model, questions))
        except AskFailedError as error:
            if error.maybe_billed:
                self._note_sending(batch)  # it may have taken long to fail
                self.trouble.append(f"whether a batch was taken is not known yet: {error}")
                return
            self._close(batch, error)
            if error.hopeless:
                raise UsageError(str(error)) from error
            self.trouble.append(f"a batch was not taken: {error}")
            return
        self.batches.keep(batch.model_copy(update={"remote": remote}))

    def _note_sending(self, batch: Batch) -> Batch:
        return self.batches.keep(batch.model_copy(update={"sent_at": _now()}))

    def _post(self, batch: Batch, model: str, questions: Questions) -> str:
        # Whatever becomes of this process, a batch without this line needs no looking for.
        self._note_sending(batch)
        try:
            return self.api.send(batch.name, model, questions)
        except AskFailedError as error:
            if error.maybe_billed:  # it must be looked for, not sent again
                error.retriable = False
            raise

    def _look_at(self, batch: Batch) -> bool:
        try:
            found = self._located(batch)
            if found is None or found.remote is None:
                return found is not None
            remote = found.remote
            state = retrying(lambda: self.api.look(remote))
            if state == "running":
                return False
            results: dict[str, Answer | AskFailedError] = {}
            if state != "gone":
                results = retrying(lambda: dict(self.api.results(remote)))
        except AskFailedError as error:
            if error.hopeless:
                raise UsageError(str(error)) from error
            self.trouble.append(f"a batch could not be asked about: {error}")
            return False
        self._close(found, _NOT_DONE if state == "failed" else _UNTOLD, results)
        return True

    def _located(self, batch: Batch) -> Batch | None:
        """The batch with its id, or closed where it was never sent; None = not known yet."""
        if batch.remote is not None:
            return batch
        if batch.sent_at is None:
            self._close(batch, _UNSENT)
            return batch
        known = {other.remote for other in self.batches.all() if other.remote is not None}
        found = retrying(lambda: self.api.find(batch, known))
        if found.unclear:
            self.trouble.append("a batch that is under way may be ours: its end will tell")
            return None
        if found.remote is None:
            until = batch.sent_at + self.lag
            if _now() < until:
                self.trouble.append(
                    "a batch that may have been taken is not listed: before it is handed in anew "
                    f"it is looked for until {until:%H:%M} UTC"
                )
                return None
            self._close(batch, _UNSENT)
            return batch
        return self.batches.keep(batch.model_copy(update={"remote": found.remote}))

    def _close(
        self,
        batch: Batch,
        otherwise: AskFailedError,
        results: dict[str, Answer | AskFailedError] | None = None,
    ) -> None:
        """Keep what came of every question, or else this failure; then the batch is done."""
        for item in batch.items:
            self._keep(batch, item, (results or {}).get(item.id, otherwise))
        self.batches.keep(batch.model_copy(update={"closed": True}))

    def _keep(self, batch: Batch, item: Item, result: Answer | AskFailedError) -> None:
        store, slot = self.asker.store, batch.slot(item)
        # Also brings back what another question at this place has set aside.
        kept = store.recall(slot, item.key, _now())
        sent = store.sent(slot)
        mine = sent is not None and sent.batch == batch.name and store.awaited(slot)
        if sent is None or not mine:
            # Kept before a crash, and counted by what is on disk; or killed before it was sent.
            self.asker.budget.correct(-item.worst_usd)
            return
        if isinstance(result, Answer):
            kept = self.asker.keep_answer(slot, sent, result)
            cost = kept.cost_usd
        else:
            cost = self.asker.keep_failure(slot, sent, result).cost_usd
        if cost is not None:
            self.asker.budget.correct(cost - item.worst_usd)


def _now() -> datetime:
    return datetime.now(UTC)
