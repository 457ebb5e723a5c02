"""From an entrant's name to the entrant: the one place that knows every provider."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core.errors import UsageError
from models.agent import Agent
from models.base import Entrant
from models.baseline import Empty, Reference
from models.batch_store import BatchStore, pledged
from models.batching import Batcher
from models.budget import Budget
from models.command import CommandLine
from models.connect import connect_batches
from models.desk import Desk, answers, asker, check_cap, connection, recordings, source
from models.exchange import slug
from models.exchange_store import ExchangeStore
from models.guidance import Guidance
from models.oneshot import OneShot
from models.passing import Upstream
from models.pricing import PriceList
from models.probe import Prober
from models.probe import slot_of as probe_slot
from models.prompt import MOST_STATEMENT
from models.recording_proxy import Till
from models.repair import Repairer
from models.replay import Replay
from models.review import Reviewer
from models.rewrite import Rewriter
from models.services import SERVICES
from models.spec import (
    FORMS,
    PREDICTIONS,
    Spec,
    check,
    needs_key,
    parse,
    works_in_a_container,
)
from models.spent import spent
from models.window import CHARACTERS, window
from models.wire import OFFERED, WIRES

_PROMPT_FRAME = 4_000
"""Characters of a prompt beside what is shown of problem and repository."""
BASELINES: dict[str, type[Reference | Empty]] = {"reference": Reference, "empty": Empty}


def build(name: str, desk: Desk) -> Entrant:
    """Make an entrant ready to solve tasks.

    Raises UsageError for an unknown name, a missing key, a replay without recordings, and a
    spending cap over a model whose price is not known.
    """
    check(name)
    if name in BASELINES:
        return BASELINES[name]()
    if parse(name).service == PREDICTIONS:
        raise UsageError(
            f"{name}: patches made elsewhere come by `patchmark judge --predictions FILE`, and "
            "nobody can be asked for more"
        )
    if desk.replay is not None and not works_in_a_container(name):
        kept = ExchangeStore(recordings(desk.replay), desk.redactor)
        return Replay(
            name=name, recordings=kept, store=ExchangeStore(desk.exchanges, desk.redactor)
        )
    spec, desk, guidance = _versioned(name, parse(name), _capped(name, desk))
    if spec.strategy == "agent":
        return replace(_agent(name, spec, desk), guidance=guidance)
    if spec.command:
        return replace(_command(name, spec, desk), guidance=guidance)
    return OneShot(
        name=name,
        spec=spec,
        asker=asker(name, desk),
        max_output_tokens=desk.max_output_tokens,
        prompt_budget_chars=_budget(name, spec, desk),
        outline=desk.outline,
        window_chars=_room(name, spec, desk) if spec.strategy == "long-context" else None,
        guidance=guidance,
    )


def batcher(entrant: Entrant, desk: Desk) -> Batcher | None:
    """What asks an entrant's questions in batches.

    None for baselines, recordings and agents, each of whose questions depends on the answer
    before it, and where the service has no batches.
    """
    if not isinstance(entrant, OneShot):
        return None
    service = SERVICES[entrant.spec.service]
    api = connect_batches(service, connection(entrant.name, service, desk))
    if api is None:
        return None
    return Batcher(
        entrant=entrant.name,
        asker=replace(entrant.asker, batch=True),
        api=api,
        batches=BatchStore(desk.exchanges),
    )


def _versioned(name: str, spec: Spec, desk: Desk) -> tuple[Spec, Desk, Guidance | None]:
    """How an entrant is asked by its version, if it has one: guidance is then given or withheld."""
    if not spec.version:
        return spec, desk, None
    if spec.version not in desk.versions:
        raise UsageError(f"{name}: versions are compared by `patchmark check-change`")
    version = desk.versions[spec.version]
    asked = replace(
        desk, max_output_tokens=version.max_output_tokens, agent_limits=version.agent_limits
    )
    return replace(spec, instructions=spec.instructions is not False), asked, version.guidance


def _capped(name: str, desk: Desk) -> Desk:
    """The same with an entrant's own budget, where it has one."""
    cap = desk.caps.get(name)
    if cap is None:
        return desk
    if name not in desk.purses:
        already = Decimal(0)
        if desk.replay is None:
            mine = (slug(name), probe_slot(name, "").folder)
            already = sum((spent(desk.exchanges, folder) for folder in mine), Decimal(0))
            already += pledged(desk.exchanges, name)
        desk.purses[name] = Budget(cap, already, within=desk.budget, of=f" for {name}")
    return replace(desk, budget=desk.purses[name])


def _budget(name: str, spec: Spec, desk: Desk) -> int:
    """Characters of a prompt that shows what fits best: fewer where a model takes few."""
    known = window(spec)
    if known is None:
        return desk.prompt_budget_chars
    answer = spec.max_output_tokens or desk.max_output_tokens
    room = int((known - answer) * CHARACTERS) - _PROMPT_FRAME
    if room <= 0:
        raise UsageError(
            f"{name}: a window of {known} tokens has no room for a question beside an answer of "
            f"{answer}: say +max-output-tokens=…"
        )
    return min(desk.prompt_budget_chars, room)


def _room(name: str, spec: Spec, desk: Desk) -> int:
    """Characters of the repository that a question may hold beside all else."""
    known = window(spec)
    if known is None:
        raise UsageError(f"{name}: nobody knows how much this model takes: say +window=TOKENS")
    answer = spec.max_output_tokens or desk.max_output_tokens
    room = int((known - answer) * CHARACTERS) - 2 * MOST_STATEMENT
    if room <= 0:
        raise UsageError(f"{name}: a window of {known} tokens is too small for long-context")
    return room


def _agent(name: str, spec: Spec, desk: Desk) -> Agent:
    if desk.benches is None:
        raise UsageError(f"{name}: an agent needs a container engine")
    return Agent(
        name=name,
        spec=spec,
        answers=answers(name, desk),
        store=ExchangeStore(desk.exchanges, desk.redactor),
        benches=desk.benches,
        limits=desk.agent_limits,
        max_output_tokens=desk.max_output_tokens,
        prompt_budget_chars=desk.prompt_budget_chars,
        window_chars=min(desk.window_chars, int((window(spec) or 10**9) * CHARACTERS)),
        tools=spec.tools,
    )


def _command(name: str, spec: Spec, desk: Desk) -> CommandLine:
    service, prices = SERVICES[spec.service], PriceList(desk.prices)
    if desk.open_benches is None:
        raise UsageError(f"{name}: a command needs a container engine")
    if spec.command not in desk.commands:
        known = ", ".join(sorted(desk.commands))
        raise UsageError(f"{name}: no [commands.{spec.command}] in the settings; known: {known}")
    if service.api not in OFFERED:
        raise UsageError(f"{name}: commands are not let out to {service.name}, which takes no key")
    command = desk.commands[spec.command]
    if command.asks and not set(command.asks) & set(OFFERED[service.api]):
        raise UsageError(
            f"{name}: {spec.command} speaks {WIRES[command.asks[0]]} alone, and {service.name} "
            "does not: name another agent, or another service"
        )
    upstream = None
    if desk.replay is None:
        upstream = Upstream(service, connection(name, service, desk))
        check_cap(spec.priced_as, prices.knows(spec.service, spec.model), desk.budget.cap_usd)
    return CommandLine(
        name=name,
        spec=spec,
        command=command,
        till=Till(
            store=ExchangeStore(desk.exchanges, desk.redactor),
            budget=desk.budget,
            prices=prices,
            redactor=desk.redactor,
            lane=desk.lanes.of(service.name, service.at_once),
            upstream=upstream,
        ),
        source=source(desk),
        benches=desk.open_benches,
        limits=desk.agent_limits,
        max_output_tokens=spec.max_output_tokens or desk.max_output_tokens,
    )


def check_rewriter(name: str) -> None:
    """Raise UsageError, naming the flag, unless `name` can name a model that rewrites."""
    if name in BASELINES:
        raise UsageError(
            f"--rewrite-with {name}: a baseline writes no statements; name a model: "
            f"{', '.join(form for form in FORMS.split(', ') if form not in BASELINES)}"
        )
    try:
        check(name)
    except UsageError as error:
        raise UsageError(f"--rewrite-with: {error}") from error


def rewriter(name: str, desk: Desk) -> Rewriter:
    """Make a model ready to rewrite statements. Raises UsageError as `build` does."""
    check_rewriter(name)
    return Rewriter(
        name=name,
        answers=answers(name, desk),
        store=ExchangeStore(desk.exchanges, desk.redactor),
        max_output_tokens=desk.max_output_tokens,
        prompt_budget_chars=desk.prompt_budget_chars,
    )


def prober(name: str, desk: Desk) -> Prober | None:
    """Make an entrant ready to be probed; None for baselines. Raises UsageError as `build`."""
    check(name)
    if name in BASELINES:
        return None
    return Prober(
        name=name,
        answers=answers(name, _capped(name, desk)),
        store=ExchangeStore(desk.exchanges, desk.redactor),
        max_output_tokens=desk.max_output_tokens,
    )


def reviewer(name: str, desk: Desk) -> Reviewer:
    """Make a model ready to judge quality. Raises UsageError as `build` does."""
    check_reviewer(name)
    return Reviewer(
        name=name,
        answers=answers(name, desk),
        store=ExchangeStore(desk.exchanges, desk.redactor),
        max_output_tokens=desk.max_output_tokens,
    )


def check_reviewer(name: str) -> None:
    """Raise UsageError, naming the flag, unless `name` can name a model that judges."""
    try:
        plain = name not in BASELINES and parse(name).strategy == "oneshot"
    except UsageError as error:
        raise UsageError(f"--judge-model: {error}") from error
    if not plain:
        raise UsageError(f"--judge-model {name}: name a model, without a strategy")


def repairer(name: str, desk: Desk) -> Repairer:
    """Make a model ready to repair recipes. Raises UsageError as `build` does."""
    if needs_key(name) is None:
        raise UsageError(f"--repair-with {name}: name a model that can be asked")
    check(name)
    return Repairer(
        name=name,
        answers=asker(name, desk),
        store=ExchangeStore(desk.exchanges, desk.redactor),
        max_output_tokens=desk.max_output_tokens,
    )
