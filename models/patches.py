"""From kept exchanges to the Patch record: what was answered, and what all of it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.types import Call, Patch, Stop, Usage
from models.answer import Edit
from models.exchange import Exchange, Failure, Slot
from models.exchange_store import ExchangeStore


def answered(store: ExchangeStore, slots: Sequence[Slot], edit: Edit, *, replayed: bool) -> Patch:
    """The patch of an answer; cost and usage include all that was asked and failed before it."""
    kept = [answer for slot in slots if (answer := store.answer(slot)) is not None]
    times = [answer.seconds for answer in kept if answer.seconds is not None]
    # Of an answer that came by batch nobody knows what it took, and the rest is not all of it.
    told = bool(times) and not any(answer.batch for answer in kept)
    ended = Ended(edit.stop, edit.detail, edit.diff, sum(times) if told else None)
    return of_dialog(store, slots, ended, kept[0].requested_model, replayed=replayed)


@dataclass(frozen=True)
class Ended:
    """How a dialog ended."""

    stop: Stop
    detail: str
    diff: str
    seconds: float | None


def of_dialog(
    store: ExchangeStore,
    slots: Sequence[Slot],
    ended: Ended,
    model: str | None,
    *,
    replayed: bool = False,
) -> Patch:
    """The patch of a dialog; cost and usage are those of all its questions together."""
    first = slots[0]
    kept = [answer for slot in slots if (answer := store.answer(slot)) is not None]
    failures = [failure for slot in slots for failure in store.failures(slot)]
    billed: list[Failure | Exchange] = [*failures, *kept]
    served = dict.fromkeys(answer.served_model for answer in kept if answer.served_model)
    return Patch(
        task_id=first.task_id,
        entrant=first.entrant,
        attempt=first.attempt,
        diff=ended.diff,
        stop=ended.stop,
        detail=_with_interruptions(ended.detail, failures),
        cost_usd=cost_of(billed),
        usage=usage_of(billed),
        seconds=ended.seconds,
        first_token_seconds=kept[0].first_token_seconds if kept else None,
        calls=tuple(_call(answer) for answer in kept if answer.seconds is not None),
        failed_requests=len(failures),
        backoff_seconds=round(sum(record.backoff_seconds for record in billed), 3),
        queued_seconds=round(sum(record.queued_seconds for record in billed), 3),
        requested_model=model,
        served_model=", ".join(served) or None,
        replayed=replayed,
        batched=any(answer.batch for answer in kept),
        fiction=next((answer.fiction for answer in kept if answer.fiction), None),
        exchanges=tuple(name for slot in slots for name in store.names(slot)),
    )


def _call(answer: Exchange) -> Call:
    return Call(
        seconds=answer.seconds or 0.0,
        first_token_seconds=answer.first_token_seconds,
        output_tokens=answer.usage.output_tokens if answer.usage else None,
    )


def unanswered(
    store: ExchangeStore, slots: Sequence[Slot], stop: Stop, detail: str, model: str | None
) -> Patch:
    """The patch where nothing was answered; what was asked in vain stands in it."""
    patch = of_dialog(store, slots, Ended(stop, detail, "", None), model)
    return patch.model_copy(update={"detail": detail})


def cost_of(kept: Sequence[Failure | Exchange]) -> Decimal | None:
    """The sum; None as soon as one part of it is not known."""
    costs = [record.cost_usd for record in kept]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def usage_of(kept: Sequence[Failure | Exchange]) -> Usage | None:
    """The sum of what is known; None when nothing is."""
    known = [record.usage for record in kept if record.usage is not None]
    if not known:
        return None
    sums = {name: sum(getattr(usage, name) for usage in known) for name in Usage.model_fields}
    return Usage(**sums)


def _with_interruptions(detail: str, failures: list[Failure]) -> str:
    unknown = [failure.error for failure in failures if failure.cost_usd is None]
    note = f"cost not known: {unknown[0]}" if unknown else ""
    return "; ".join(part for part in (detail, note) if part)
