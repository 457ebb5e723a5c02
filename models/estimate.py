"""What an entrant's answer to a task may cost, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from core.types import Task, Usage
from models.agent import Agent
from models.asker import Asker
from models.base import Entrant, Files
from models.command import CommandLine
from models.oneshot import OneShot
from models.provider import Request
from models.window import window

_TYPICAL = 3.5
"""Characters of a token, in the middle: enough for an estimate, too many for a cap."""
_SHORT_ANSWER = 400
"""Tokens of a short answer."""
_FEW_STEPS = 6
_STEP = 2_000
"""Characters that a dialog grows by with a short step."""


@dataclass(frozen=True)
class Estimate:
    """US dollars; `most` is what is set aside, and what a cap goes by."""

    least: Decimal
    most: Decimal

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(self.least + other.least, self.most + other.most)


NOTHING = Estimate(Decimal(0), Decimal(0))


def estimate(
    entrant: Entrant, task: Task, files: Files, batched: Asker | None = None
) -> Estimate | None:
    """What one attempt costs at least, as far as one can tell, and at most.

    `batched` prices its first question, where that is asked in a batch. None where the price,
    or what a coding agent may send at once, is not known; nothing for baselines and recordings.
    """
    if isinstance(entrant, OneShot):
        request = entrant.request(task, files)
        first = _one(batched or entrant.asker, request)
        if first is None or not entrant.spec.repair:
            return first
        return first + Estimate(Decimal(0), entrant.asker.worst_case(request) or Decimal(0))
    if isinstance(entrant, Agent) and isinstance(entrant.answers, Asker):
        return _agent(entrant, entrant.answers, entrant.first(task, files, task.test_command))
    if isinstance(entrant, CommandLine) and entrant.source is None:
        return _command(entrant)
    return NOTHING


def _one(asker: Asker, request: Request) -> Estimate | None:
    least = asker.price(request, _short(request.characters))
    most = asker.worst_case(request)
    return None if least is None or most is None else Estimate(least, most)


def _agent(agent: Agent, asker: Asker, first: Request) -> Estimate | None:
    grown = [_short(first.characters + step * _STEP) for step in range(_FEW_STEPS)]
    costs = [asker.price(first, usage) for usage in grown]
    known = [cost for cost in costs if cost is not None]
    full = Usage(input_tokens=agent.window_chars // 2, output_tokens=first.max_output_tokens)
    step = asker.price(first, full)
    if step is None or len(known) < len(costs):
        return None
    most = step * agent.limits.steps
    if agent.limits.usd is not None:
        most = min(most, agent.limits.usd + step)  # the step that goes beyond is the last
    return Estimate(sum(known, Decimal(0)), most)


def _command(entrant: CommandLine) -> Estimate | None:
    """What it sends is its own matter: never more than the window at each step."""
    most = window(entrant.spec)
    if most is None:
        return None
    usage = Usage(input_tokens=most, output_tokens=entrant.max_output_tokens)
    spec, now = entrant.spec, datetime.now(UTC)
    step = entrant.till.prices.cost(spec.service, spec.model, None, usage, now)
    if step is None:
        return None
    whole = step.usd * entrant.limits.steps
    if entrant.limits.usd is not None:
        whole = min(whole, entrant.limits.usd + step.usd)
    return Estimate(Decimal(0), whole)


def _short(characters: int) -> Usage:
    return Usage(input_tokens=int(characters / _TYPICAL), output_tokens=_SHORT_ANSWER)
