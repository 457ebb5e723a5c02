"""A model's opinion of patches that passed: beside the real fix, blind, and in both orders."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.opinion import CRITERIA, Better, Opinion
from core.types import Patch, Stop, Task
from models.budget import OverBudgetError
from models.exchange import Exchange, Failure, Slot
from models.exchange_store import ExchangeStore
from models.patches import cost_of, usage_of
from models.prompt import fenced, templates
from models.provider import AskFailedError, Finish, Request
from models.rewrite import Answers
from models.spec import parse

MOST_CHARACTERS = 200_000
"""Of a problem and both patches; what is longer is not asked about."""
_LONGEST_ANSWER = 50_000
_LONGEST_WHY = 500
Side = Literal["patch", "fix"]
Order = Literal[1, 2]


@dataclass(frozen=True)
class Pair:
    """A patch that passed, and the task with the real fix."""

    task: Task
    patch: Patch

    @property
    def id(self) -> str:
        """Hash of both diffs, which tells nothing of their authors."""
        both = "\x00".join((self.task.id, self.patch.diff, self.task.gold_patch))
        return hashlib.sha256(both.encode("utf-8", "replace")).hexdigest()[:16]

    def first(self, order: Order) -> Side:
        """Which is shown as A: by chance at first, but always the same; then the other one."""
        chance = int(self.id, 16) % 2 == 0
        return "patch" if chance == (order == 1) else "fix"

    def shown(self, order: Order) -> tuple[str, str]:
        """A and B."""
        both = self.patch.diff, self.task.gold_patch
        return both if self.first(order) == "patch" else (both[1], both[0])

    @property
    def statement(self) -> str:
        """The problem that both solve."""
        return f"{self.task.title}\n\n{self.task.statement}".strip()


@dataclass(frozen=True, kw_only=True)
class Reviewer:
    """A model that judges quality; made by `models.registry.reviewer`."""

    name: str
    answers: Answers
    store: ExchangeStore
    max_output_tokens: int

    def compare(self, pair: Pair, order: Order) -> Opinion:
        """Ask about a pair in one order, or take the answer that was paid for before.

        Whatever the provider does ends in an Opinion whose `stop` says how. Raises UsageError
        for a rejected key, an unknown model or a damaged exchange file.
        """
        slot = slot_of(self.name, pair, order)
        told = _Told(self, slot, pair, order)
        request = self._request(pair, order)
        if request.characters > MOST_CHARACTERS:
            return told.opinion(Stop.TRUNCATED, None, "too long to be asked about")
        try:
            exchange = self.answers.ask(slot, request)
        except AskFailedError as error:
            return told.opinion(Stop.PROVIDER_FAILED, None, str(error))
        except OverBudgetError as error:
            return told.opinion(Stop.OVER_BUDGET, None, str(error))
        stop, said = read_review(exchange.text, exchange.finish)
        return told.opinion(stop, exchange, "" if said else str(stop), said)

    def _request(self, pair: Pair, order: Order) -> Request:
        a, b = pair.shown(order)
        form = "{" + ", ".join(f'"{name}": n' for name in CRITERIA) + "}"
        user = (
            templates()
            .get_template("review.md.j2")
            .render(statement=pair.statement, a=a, b=b, form=form, rubric=rubric(), fenced=fenced)
        )
        system = templates().get_template("review_system.md.j2").render()
        return parse(self.name).request(system, user, self.max_output_tokens)


@dataclass(frozen=True)
class _Told:
    reviewer: Reviewer
    slot: Slot
    pair: Pair
    order: Order

    def opinion(
        self, stop: Stop, exchange: Exchange | None, detail: str, said: Review | None = None
    ) -> Opinion:
        store, pair = self.reviewer.store, self.pair
        billed: list[Failure | Exchange] = [
            *store.failures(self.slot),
            *([exchange] if exchange else []),
        ]
        first = pair.first(self.order)
        scores = (said.a.model_dump(), said.b.model_dump()) if said else ({}, {})
        mine, real = scores if first == "patch" else (scores[1], scores[0])
        return Opinion(
            judge=self.reviewer.name,
            task_id=pair.task.id,
            entrant=pair.patch.entrant,
            attempt=pair.patch.attempt,
            order=self.order,
            pair=pair.id,
            first=first,
            stop=stop,
            better=better_of(said.better, first) if said else None,
            patch_scores=mine,
            fix_scores=real,
            why=said.why[:_LONGEST_WHY] if said else "",
            detail=detail,
            cost_usd=cost_of(billed),
            usage=usage_of(billed),
            exchanges=store.names(self.slot),
        )


Score = Annotated[int, Field(ge=1, le=5)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Scores(_Strict):
    """CRITERIA, each from 1 to 5."""

    correctness: Score
    minimality: Score
    readability: Score
    fit: Score
    documentation: Score


class Review(_Strict):
    """What a model has to answer, and nothing else."""

    a: Scores = Field(alias="A")
    b: Scores = Field(alias="B")
    better: Literal["A", "B", "tie"]
    why: str


def read_review(text: str, finish: Finish) -> tuple[Stop, Review | None]:
    """How an answer ended and, where it is what was asked for, what it says; never raises."""
    if finish in ("refusal", "safety"):
        return Stop.REFUSED, None
    if finish == "length":
        return Stop.TRUNCATED, None
    bare = text.strip()
    if not bare:
        return Stop.EMPTY, None
    if len(bare) > _LONGEST_ANSWER:
        return Stop.UNREADABLE, None
    if wrapped := re.fullmatch(r"```(?:json)?\n([^`]*)\n```", bare):
        bare = wrapped[1]
    try:
        return Stop.ANSWERED, Review.model_validate_json(bare)
    except ValidationError:
        return Stop.UNREADABLE, None


def better_of(said: Literal["A", "B", "tie"], first: Side) -> Better:
    """Which one is the better, by what was shown as A."""
    if said == "tie":
        return "tie"
    other: Side = "fix" if first == "patch" else "patch"
    return first if said == "A" else other


def rubric() -> str:
    """What models, and people, are to judge by."""
    return templates().get_template("rubric.md.j2").render()


def slot_of(judge: str, pair: Pair, order: Order) -> Slot:
    """The place of a question among the exchanges; no entrant's name begins like that."""
    patch = pair.patch
    return Slot(f"judge:{judge}:{patch.entrant}", pair.task.id, patch.attempt, order)
