"""Where an agent's questions go: recorded, paid within the budget, with a key it never sees."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from core.errors import PatchmarkError
from core.outlet import Answering, BreakOffError, Sent
from core.redact import Redactor
from models.asker import Asker
from models.budget import Budget, OverBudgetError
from models.exchange import Exchange, Slot
from models.exchange_store import ExchangeStore
from models.lanes import Lane
from models.passing import Passing, Upstream
from models.pricing import PriceList
from models.provider import AskFailedError, Request
from models.services import SERVICES
from models.spec import Spec
from models.turns import Turns
from models.wire import Question, RefusedError, question, refusal, wire_of

_PATIENCE = 3
"""Requests that are refused at a limit before the agent that goes on asking is ended."""


@dataclass(frozen=True, kw_only=True)
class Till:
    """What asking and paying takes."""

    store: ExchangeStore
    budget: Budget
    prices: PriceList
    redactor: Redactor
    lane: Lane
    """Shared with all that ask the same service."""
    upstream: Upstream | None
    """None = answers come from recordings alone."""


@dataclass(kw_only=True)
class Proxy:
    """The way out of one attempt. Called from many threads."""

    till: Till
    spec: Spec
    prompt: str
    """What the agent was told."""
    max_output_tokens: int
    turns: Turns
    steps: int
    usd: Decimal | None
    end: Callable[[], None]
    """Ends the agent."""
    asked: int = 0
    spent: Decimal = Decimal(0)
    recalled_seconds: float = 0.0
    """What kept answers had taken when they were given."""
    other_models: set[str] = field(default_factory=set)
    limit: str = ""
    """The limit that was reached, in words."""
    over_budget: str = ""
    trouble: str = ""
    """Why the last question was not answered; "" where it was."""
    not_let_out: str = ""
    """Why the last request was not let out that was no question."""
    refused: str = ""
    """The last answer's words where it was a refusal."""
    fatal: PatchmarkError | None = None
    closed: bool = False
    _late: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, sent: Sent, to: Answering) -> None:
        """See Outlet."""
        try:
            self._answer(sent, to)
        except RefusedError as error:
            self._say(sent, to, error.status, str(error))
        except PatchmarkError as error:
            self.fatal = self.fatal or error
            self.end()
            raise BreakOffError from error

    def _answer(self, sent: Sent, to: Answering) -> None:
        if sent.method == "GET" and sent.path.partition("?")[0].endswith("/models"):
            to.begin(200, {"content-type": "application/json"})
            to.part(_listed(self.spec.model))
            return
        api = SERVICES[self.spec.service].api
        try:
            asked = question(sent, api, self.spec.model, self.max_output_tokens)
        except RefusedError as error:
            self.not_let_out = str(error)
            raise
        request = self._request(asked)
        self._count(asked)
        key = request.model_copy(update={"raw": asked.alike}).sha256
        slot, kept = self.turns.claim(key)
        if kept is None:
            self._ask(slot, request, key, asked, sent, to)
            return
        self.recalled_seconds += kept.seconds or 0.0
        self._took(kept)
        said = kept.said if isinstance(kept.said, dict) else {}
        to.begin(200, {"content-type": str(said.get("type", ""))})
        to.part(str(said.get("body", "")).encode())

    def _request(self, asked: Question) -> Request:
        return Request(
            provider=self.spec.service,
            model=self.spec.model,
            system="",
            user=self.prompt,
            max_output_tokens=asked.max_output_tokens,
            raw=asked.raw,
        )

    def _count(self, asked: Question) -> None:
        """Note a question. Raises RefusedError at a limit."""
        with self._lock:
            if asked.other_model:
                self.other_models.add(asked.other_model)
            if not self.limit and self.asked >= self.steps:
                self.limit = f"stopped after {self.steps} steps"
            elif not self.limit and self.usd is not None and self.spent > self.usd:
                self.limit = f"stopped after ${self.spent:.4f}"
            ended = self.limit or self.over_budget or (str(self.fatal) if self.fatal else "")
            if not ended:
                self.asked += 1
                return
            self._late += 1
            late = self._late
        if late >= _PATIENCE:
            self.end()
        raise RefusedError(403, f"nothing more is asked: {ended}")

    def _ask(
        self, slot: Slot, request: Request, key: str, asked: Question, sent: Sent, to: Answering
    ) -> None:
        till = self.till
        if till.upstream is None:
            self.trouble = f"no recorded answer: {till.store.path(slot)} does not exist"
            raise RefusedError(404, self.trouble)
        passing = Passing(
            name=self.spec.service,
            upstream=till.upstream,
            question=asked,
            sent=sent.headers,
            to=to,
            redactor=till.redactor,
            given_up=lambda: self.closed,
        )
        asker = Asker(
            provider=passing,
            store=till.store,
            budget=till.budget,
            prices=till.prices,
            lane=till.lane,
        )
        try:
            exchange = asker.once(slot, request, key)
        except OverBudgetError as error:
            self.turns.failed(slot)
            self.over_budget = str(error)
            raise RefusedError(403, f"nothing more is asked: {error}") from error
        except AskFailedError as error:
            self.turns.failed(slot)
            self.trouble = self.trouble if self.closed else str(error)
            if not passing.begun:
                raise RefusedError(502, str(error)) from error
            if passing.broken:
                raise BreakOffError from error
            return
        self._took(exchange)
        passing.release()

    def _took(self, exchange: Exchange) -> None:
        with self._lock:
            self.spent += exchange.cost_usd or 0
            self.trouble = ""
            declined = exchange.finish in ("refusal", "safety")
            words = " ".join(exchange.text.split())[:200]
            self.refused = f"{exchange.finish}: {words}" if declined else ""

    def _say(self, sent: Sent, to: Answering, status: int, message: str) -> None:
        words = self.till.redactor.text(message)
        to.begin(status, {"content-type": "application/json", "x-should-retry": "false"})
        to.part(refusal(wire_of(sent.path.partition("?")[0]), status, words))


def _listed(model: str) -> bytes:
    """The one model there is, as each of the services would list it."""
    one = {"id": model, "object": "model", "type": "model", "display_name": model}
    google = {"name": f"models/{model}"}
    whole = {"object": "list", "data": [one], "has_more": False, "models": [google]}
    return json.dumps(whole).encode()
