"""The seam to a batch API: many questions handed in at once, answered within hours, half price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from core.types import Record, TaskId
from models.exchange import Slot
from models.provider import Answer, AskFailedError, Request

State = Literal["running", "ended", "failed", "gone"]
"""`failed`: it ended, and what has no answer was not done and is not billed. `gone`: nobody
knows it any more."""


class Item(BaseModel):
    """One question of a batch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """What the API calls it by; of its place, its question and a number used once."""
    task_id: TaskId
    attempt: int = Field(ge=1)
    key: str
    """Hash of the question."""
    worst_usd: Decimal = Field(ge=0)
    """What is set aside for it."""


class Batch(Record):
    """A batch that was sent, or is about to be. It is on disk before it is sent."""

    name: str
    """Ours, which it is found by where the API's own id was never noted."""
    entrant: str
    items: tuple[Item, ...]
    made_at: datetime
    sent_at: datetime | None = None
    """When it was last about to be handed in, or failed to be; None = it never was."""
    remote: str | None = None
    """The API's id; None = not known yet."""
    closed: bool = False
    """Whether all that it brought is on disk."""

    @property
    def worst_usd(self) -> Decimal:
        """What is set aside for all of it."""
        return sum((item.worst_usd for item in self.items), Decimal(0))

    def slot(self, item: Item) -> Slot:
        """The place of a question."""
        return Slot(self.entrant, item.task_id, item.attempt)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What became of a batch whose id was never noted."""

    remote: str | None = None
    unclear: bool = False
    """One that is under way may be it; that will be known when it has ended."""


Questions = Sequence[tuple[str, Request]]
Results = Iterator[tuple[str, Answer | AskFailedError]]


class BatchApi(Protocol):
    """A service's batch API. Every call raises AskFailedError."""

    most_bytes: int
    """How large the questions of one batch may be together."""
    most_items: int

    def send(self, name: str, model: str, questions: Questions) -> str:
        """Hand in a batch, once; returns its id, which may begin to cost money.

        `maybe_billed` of the error tells whether it may have been taken all the same.
        """
        ...

    def find(self, batch: Batch, known: Iterable[str]) -> Found:
        """Look for a batch that may have been sent; `known` are ids that are others'."""
        ...

    def look(self, remote: str) -> State:
        """How far it is."""
        ...

    def results(self, remote: str) -> Results:
        """What came of each question by its id, in any order, each an answer or a failure."""
        ...


def untimed(answer: Answer) -> Answer:
    """An answer that nobody waited for: its times would say something about us."""
    return replace(answer, seconds=None, first_token_seconds=None)


def unsure(error: AskFailedError, status: int) -> AskFailedError:
    """The error of handing in a batch: a server that fails may have taken it all the same."""
    error.maybe_billed = error.maybe_billed or status >= 500
    return error
