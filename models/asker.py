"""Asking and paying: every question goes through here, and is kept before it is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from core.errors import UsageError
from core.types import Usage
from models.budget import Budget
from models.dialog import storable, storable_json
from models.exchange import Exchange, Failure, SentRequest, Slot, Waited
from models.exchange_store import ExchangeStore
from models.lanes import Lane
from models.pricing import Cost, PriceList
from models.provider import Answer, AskFailedError, Partial, Provider, Request
from models.retry import retrying


@dataclass
class _Question:
    """One question while it is asked, perhaps more than once."""

    slot: Slot
    request: Request
    key: str
    failed: int = 0
    _failed_at: float | None = None

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """One try; note when it fails."""
        try:
            yield
        except BaseException:
            self.failed, self._failed_at = self.failed + 1, time.monotonic()
            raise

    def waited(self, began: float) -> Waited:
        """How long it waited until now for a try that it began at a moment."""
        backoff = 0.0 if self._failed_at is None else began - self._failed_at
        return Waited(backoff, time.monotonic() - began)


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Asks one provider within the budget, keeps what comes back, never asks twice."""

    provider: Provider
    store: ExchangeStore
    budget: Budget
    prices: PriceList
    lane: Lane
    """Shared with all that ask the same service."""
    batch: bool = False
    """Whether it asks in batches, at their price."""

    def ask(self, slot: Slot, request: Request, key: str | None = None) -> Exchange:
        """The answer to a request, from disk where it was paid for before.

        `key` tells equal questions from others, None = by all that is asked. A dialog gives
        one that leaves out what differs from run to run, as the output of a command does.
        Raises AskFailedError when the provider gave none after all retries, OverBudgetError
        when the next try may cost more than is left, UsageError when no try can succeed.
        """
        key = key or request.sha256
        kept = self.store.recall(slot, key, _now())
        if kept is not None:
            return kept
        if (batch := self.store.awaited(slot)) is not None:
            raise AskFailedError(f"{self.provider.name}: the answer is awaited from {batch}")
        question = _Question(slot, request, key)
        return retrying(lambda: self._try(question))

    def once(self, slot: Slot, request: Request, key: str) -> Exchange:
        """The answer to a request that is not on disk, without another try. Raises as `ask`."""
        return self._try(_Question(slot, request, key))

    def knows_price(self, model: str) -> bool:
        """True where the cost of a model's answers can be computed."""
        return self.prices.knows(self.provider.name, model)

    def worst_case(self, request: Request) -> Decimal | None:
        """US dollars a request may cost at most; None where the price is not known."""
        given, made = request.tokens_at_most, request.max_output_tokens
        # Somebody else's agent may have all of it written to a cache, which costs more.
        written = (0, given) if request.raw else (0,)
        usages = [
            Usage(input_tokens=given, cache_write_tokens=count, output_tokens=made)
            for count in written
        ]
        costs = [self.price(request, usage) for usage in usages]
        return max((cost for cost in costs if cost is not None), default=None)

    def price(self, request: Request, usage: Usage) -> Decimal | None:
        """US dollars that these tokens would cost; None where the price is not known."""
        cost = self._cost(request, None, usage)
        return cost.usd if cost else None

    def _try(self, question: _Question) -> Exchange:
        slot, request = question.slot, question.request
        worst, began = self.worst_case(request), time.monotonic()
        # The place first: money that is set aside is then on its way, and nobody waits for it long.
        with question.under_way(), ExitStack() as stack:
            place = stack.enter_context(ExitStack())
            turn = place.enter_context(self.lane.turn(request.characters // 4, question.failed))
            reservation = stack.enter_context(self.budget.reserve(worst or Decimal(0)))
            waited = question.waited(began)
            sent = self.store.begin(slot, request, question.key, _now(), waited, worst=worst)
            try:
                answer = self.provider.ask(request)
            except AskFailedError as error:
                if error.overloaded:
                    turn.turned_away(error.retry_after)
                reservation.settle(self.keep_failure(slot, sent, error).cost_usd)
                if error.hopeless:
                    raise UsageError(str(error)) from error
                raise
            turn.answered()
            place.close()  # the next may go while this is written down
            exchange = self.keep_answer(slot, sent, answer)
            reservation.settle(exchange.cost_usd)
            return exchange

    def keep_answer(self, slot: Slot, sent: SentRequest, answer: Answer) -> Exchange:
        """Keep an answer with its price; it is on disk when this returns.

        What is returned is read as it is kept: what comes of it is then the same whenever it
        is read again.
        """
        return self.store.keep_answer(slot, self._exchange(sent, answer))

    def keep_failure(self, slot: Slot, sent: SentRequest, error: AskFailedError) -> Failure:
        """Keep a failure, and what it cost all the same; it is on disk when this returns."""
        failure = self._failure(sent, error)
        self.store.keep_failure(slot, failure)
        return failure

    def _exchange(self, sent: SentRequest, answer: Answer) -> Exchange:
        cost = self._cost(sent.request, answer.served_model, answer.usage)
        return Exchange(
            **sent.model_dump(exclude={"number", "sent_at", "request"}),
            fiction=None,
            served_model=answer.served_model,
            text=storable(answer.text),
            calls=answer.calls,
            said=storable_json(answer.said),
            finish=answer.finish,
            usage=answer.usage,
            first_token_seconds=answer.first_token_seconds,
            seconds=answer.seconds,
            cost_usd=cost.usd if cost else None,
            recorded_at=_now(),
            raw_usage=dict(answer.raw_usage) if answer.raw_usage is not None else None,
            price=cost.price if cost else None,
            # A body stands in the request's own file: there are many, and they repeat each other.
            request=sent.request.model_copy(update={"raw": ""}),
        )

    def _failure(self, sent: SentRequest, error: AskFailedError) -> Failure:
        partial: Partial = error.partial
        cost = self._cost(sent.request, partial.served_model, partial.usage)
        unknown = error.maybe_billed or partial.usage is not None
        return Failure(
            **sent.model_dump(exclude={"request", "sent_at"}),
            served_model=partial.served_model,
            error=storable(str(error)),
            text=storable(partial.text),
            usage=partial.usage,
            raw_usage=dict(partial.raw_usage) if partial.raw_usage is not None else None,
            cost_usd=cost.usd if cost else None if unknown else Decimal(0),
            price=cost.price if cost else None,
            seconds=partial.seconds,
            recorded_at=_now(),
        )

    def _cost(self, request: Request, served: str | None, usage: Usage | None) -> Cost | None:
        if usage is None:
            return None
        return self.prices.cost(
            request.provider, request.model, served, usage, _now(), batch=self.batch
        )


def _now() -> datetime:
    return datetime.now(UTC)
