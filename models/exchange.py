"""What is kept of every paid question: the request, the answer or the failure.

One folder an entrant, files named `<task>.<attempt>.<turn>.json` for the answer,
`….request.json` for what was sent last and `….failed-N.json` for requests that failed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from pydantic import Field, JsonValue

from core.types import Record, TaskId, Usage
from models.dialog import Call
from models.pricing import PriceUsed
from models.provider import Finish, Request


@dataclass(frozen=True)
class Slot:
    """The place of one question in a run; `attempt` and `turn` count from 1."""

    entrant: str
    task_id: str
    attempt: int
    turn: int = 1

    @property
    def next(self) -> Slot:
        """The place of what is asked after it."""
        return Slot(self.entrant, self.task_id, self.attempt, self.turn + 1)

    @property
    def folder(self) -> str:
        """The entrant's folder name, safe on every file system; no two entrants share one."""
        return slug(self.entrant)

    @property
    def stem(self) -> str:
        """What the names of all files of this question start with."""
        return f"{self.task_id}.{self.attempt}.{self.turn}"


def slug(entrant: str) -> str:
    """The folder of an entrant: NAME for `replay:NAME`, else `provider@model`, escaped."""
    provider, _, model = entrant.partition(":")
    if provider == "replay" and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", model):
        return model
    return f"{quote(provider, safe='')}@{quote(model, safe='')}"


@dataclass(frozen=True)
class Waited:
    """Seconds before a request was sent."""

    backoff: float = 0.0
    """Between the failure before and asking again."""
    queued: float = 0.0
    """For a place in the lane, for a rate limit, or for money that was set aside."""


class _Kept(Record):
    entrant: str
    task_id: TaskId
    attempt: int = Field(ge=1)
    turn: int = Field(ge=1)
    request_sha256: str | None
    requested_model: str | None
    batch: str | None = None
    """Our name of the batch that it was asked in; None where it was asked at once."""
    redacted: bool = False
    """True where it held a secret of ours, which is not kept."""


class _Sent(_Kept):
    backoff_seconds: float = 0
    """From the failure of this question before to asking again; in no other time."""
    queued_seconds: float = 0
    """Waited then for a place, a rate limit or money, before it was sent; in no other time."""
    worst_usd: Decimal | None = None
    """US dollars set aside for it, which count against a cap where its cost is not known."""


class SentRequest(_Sent):
    """A request that is about to be sent, or was."""

    number: int = Field(ge=1)
    """Counts the requests sent for this question, failed ones included."""
    request: Request
    sent_at: datetime


class Failure(_Sent):
    """A request that brought no usable answer, and what it cost all the same."""

    number: int = Field(ge=1)
    served_model: str | None
    error: str
    text: str
    """What had been generated when it failed."""
    usage: Usage | None
    raw_usage: dict[str, JsonValue] | None = None
    cost_usd: Decimal | None = Field(ge=0)
    """0 where the API refused to start; None where it is not known."""
    price: PriceUsed | None = None
    seconds: float | None
    recorded_at: datetime


class Exchange(_Sent):
    """One paid question with its answer, exactly as it came, but for our own secrets."""

    fiction: str | None
    """Set where the answer was written by hand; says so in words."""
    served_model: str | None
    text: str
    calls: tuple[Call, ...] = ()
    said: JsonValue = None
    """The answer in the provider's own form, where a dialog goes on with it."""
    finish: Finish
    usage: Usage | None
    first_token_seconds: float | None
    seconds: float | None
    cost_usd: Decimal | None = Field(ge=0)
    """US dollars for this answer alone; None = not known."""
    recorded_at: datetime
    raw_usage: dict[str, JsonValue] | None = None
    """The token counts in the provider's own words."""
    price: PriceUsed | None = None
    request: Request | None = None
