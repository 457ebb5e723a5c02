"""From an entrant's name to the entrant: the one place that knows every provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from core.bench import Benches
from core.errors import UsageError
from core.outlet import Command, OpenBenches
from core.redact import Redactor
from models.agent import Agent, AgentLimits
from models.asker import Asker
from models.base import Entrant
from models.baseline import Empty, Reference
from models.batch_store import BatchStore, pledged
from models.batching import Batcher
from models.budget import Budget
from models.command import CommandLine
from models.connect import connect, connect_batches
from models.context import Outline
from models.exchange import slug
from models.exchange_store import ExchangeStore, spent
from models.lanes import Lanes
from models.oneshot import OneShot
from models.passing import Upstream
from models.pricing import Price, PriceList
from models.probe import Prober
from models.prompt import MOST_STATEMENT
from models.provider import Cloud, Connection
from models.recording_proxy import Till
from models.repair import Repairer
from models.replay import Replay
from models.review import Reviewer
from models.rewrite import Recordings, Rewriter
from models.services import SERVICES, Service
from models.spec import FORMS, Spec, check, full_name, parse
from models.window import CHARACTERS, window
from models.wire import OFFERED

_PROMPT_FRAME = 4_000
"""Characters of a prompt beside what is shown of problem and repository."""
BASELINES: dict[str, type[Reference | Empty]] = {"reference": Reference, "empty": Empty}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What every entrant of a run is given to work with."""

    exchanges: Path
    """The run folder's folder for requests and answers."""
    budget: Budget
    lanes: Lanes = field(default_factory=Lanes)
    redactor: Redactor
    replay: Path | None = None
    """A run folder, or its exchanges folder, to answer from; then no one is called."""
    caps: Mapping[str, Decimal] = field(default_factory=dict)
    """Entrant → US dollars that its answers may cost, within the budget of all."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Provider → API key."""
    base_urls: Mapping[str, str] = field(default_factory=dict)
    """Provider → address, where it is not the provider's own."""
    cloud: Cloud | None = None
    """Where Vertex AI is asked, and as whom."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    """`provider:model` → the user's own price, which goes before the price list's."""
    max_output_tokens: int = 16_000
    prompt_budget_chars: int = 120_000
    outline: Outline | None = None
    """Tells what a file defines."""
    window_chars: int = 400_000
    """How much of an agent's dialog is sent at most."""
    benches: Benches | None = None
    """Where agents work; None = nowhere."""
    commands: Mapping[str, Command] = field(default_factory=dict)
    """Coding agents that can be named."""
    open_benches: OpenBenches | None = None
    """Where these work; None = nowhere."""
    agent_limits: AgentLimits = field(default_factory=AgentLimits)
    timeout_seconds: float = 600
    ca_bundle: Path | None = None
    """PEM file of the authorities to trust, where not the usual ones."""


def needs_key(name: str) -> str | None:
    """The service whose API key an entrant needs, None where it needs none."""
    service = service_of(name)
    return service.name if service is not None and service.needs_key else None


def service_of(name: str) -> Service | None:
    """The service that an entrant asks, None for baselines and recordings."""
    return SERVICES.get(full_name(name).partition(":")[0])


def build(name: str, desk: Desk) -> Entrant:
    """Make an entrant ready to solve tasks.

    Raises UsageError for an unknown name, a missing key, a replay without recordings, and a
    spending cap over a model whose price is not known.
    """
    check(name)
    if name in BASELINES:
        return BASELINES[name]()
    if desk.replay is not None and "+agent" not in name and "+command=" not in name:
        recordings = ExchangeStore(_recordings(desk.replay), desk.redactor)
        return Replay(
            name=name, recordings=recordings, store=ExchangeStore(desk.exchanges, desk.redactor)
        )
    spec, desk = parse(name), _capped(name, desk)
    if spec.strategy == "agent":
        return _agent(name, spec, desk)
    if spec.command:
        return _command(name, spec, desk)
    return OneShot(
        name=name,
        spec=spec,
        asker=_asker(name, desk),
        max_output_tokens=desk.max_output_tokens,
        prompt_budget_chars=_budget(name, spec, desk),
        outline=desk.outline,
        window_chars=_room(name, spec, desk) if spec.strategy == "long-context" else None,
    )


def batcher(entrant: Entrant, desk: Desk) -> Batcher | None:
    """What asks an entrant's questions in batches.

    None for baselines, recordings and agents, each of whose questions depends on the answer
    before it, and where the service has no batches.
    """
    if not isinstance(entrant, OneShot):
        return None
    service = SERVICES[entrant.spec.service]
    api = connect_batches(service, _connection(entrant.name, service, desk))
    if api is None:
        return None
    return Batcher(
        entrant=entrant.name,
        asker=replace(entrant.asker, batch=True),
        api=api,
        batches=BatchStore(desk.exchanges),
    )


def _capped(name: str, desk: Desk) -> Desk:
    cap = desk.caps.get(name)
    if cap is None:
        return desk
    already = Decimal(0)
    if desk.replay is None:
        already = spent(desk.exchanges, slug(name)) + pledged(desk.exchanges, name)
    own = Budget(cap, already, within=desk.budget, of=f" for {name}")
    return replace(desk, budget=own)


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
        answers=_answers(name, desk),
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
    upstream = None
    if desk.replay is None:
        upstream = Upstream(service, _connection(name, service, desk))
        _check_cap(spec.priced_as, prices.knows(spec.service, spec.model), desk.budget.cap_usd)
    return CommandLine(
        name=name,
        spec=spec,
        command=desk.commands[spec.command],
        till=Till(
            store=ExchangeStore(desk.exchanges, desk.redactor),
            budget=desk.budget,
            prices=prices,
            redactor=desk.redactor,
            lane=desk.lanes.of(service.name, service.at_once),
            upstream=upstream,
        ),
        source=_source(desk),
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
        answers=_answers(name, desk),
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
        answers=_answers(name, desk),
        store=ExchangeStore(desk.exchanges, desk.redactor),
        max_output_tokens=desk.max_output_tokens,
    )


def reviewer(name: str, desk: Desk) -> Reviewer:
    """Make a model ready to judge quality. Raises UsageError as `build` does."""
    check_reviewer(name)
    return Reviewer(
        name=name,
        answers=_answers(name, desk),
        store=ExchangeStore(desk.exchanges, desk.redactor),
        max_output_tokens=desk.max_output_tokens,
    )


def check_reviewer(name: str) -> None:
    """Raise UsageError, naming the flag, unless `name` can name a model that judges."""
    if name in BASELINES or "+agent" in name or "+long-context" in name:
        raise UsageError(f"--judge-model {name}: name a model, without a strategy")
    try:
        check(name)
    except UsageError as error:
        raise UsageError(f"--judge-model: {error}") from error


def repairer(name: str, desk: Desk) -> Repairer:
    """Make a model ready to repair recipes. Raises UsageError as `build` does."""
    if needs_key(name) is None:
        raise UsageError(f"--repair-with {name}: name a model that can be asked")
    check(name)
    return Repairer(
        name=name,
        answers=_asker(name, desk),
        store=ExchangeStore(desk.exchanges, desk.redactor),
        max_output_tokens=desk.max_output_tokens,
    )


def _answers(name: str, desk: Desk) -> Asker | Recordings:
    source = _source(desk)
    if source is None:
        return _asker(name, desk)
    return Recordings(source=source, store=ExchangeStore(desk.exchanges, desk.redactor))


def _asker(name: str, desk: Desk) -> Asker:
    service = service_of(name)
    if service is None:
        raise UsageError(f"entrant {name!r} answers from recordings only; say where with --replay")
    spec, lane = parse(name), desk.lanes.of(service.name, service.at_once)
    connection = replace(_connection(name, service, desk), hear=lane.hear)
    asker = Asker(
        provider=connect(service, connection),
        lane=lane,
        store=ExchangeStore(desk.exchanges, desk.redactor),
        budget=desk.budget,
        prices=PriceList(desk.prices),
    )
    _check_cap(spec.priced_as, asker.knows_price(spec.model), desk.budget.cap_usd)
    return asker


def _source(desk: Desk) -> ExchangeStore | None:
    """The recordings to answer from, where nobody is to be asked."""
    return ExchangeStore(_recordings(desk.replay), desk.redactor) if desk.replay else None


def _recordings(replay: Path) -> Path:
    if not replay.is_dir():
        raise UsageError(f"--replay {replay}: no such folder")
    inner = replay / "exchanges"
    return inner if inner.is_dir() else replay


def _connection(name: str, service: Service, desk: Desk) -> Connection:
    key = desk.keys.get(service.name, "").strip()
    if service.needs_key and not key:
        raise UsageError(f"{name} needs an API key: set {' or '.join(service.keys)}")
    address = desk.base_urls.get(service.name, service.url)
    if address is None and service.needs_address:
        raise UsageError(f"{name} needs an address: set {service.address}")
    if service.api == "vertex" and desk.cloud is None:
        raise UsageError(f"{name} needs {service.note.partition(': ')[2]}")
    return Connection(
        api_key=key,
        cloud=desk.cloud if service.api == "vertex" else None,
        base_url=address,
        timeout_seconds=desk.timeout_seconds,
        ca_bundle=desk.ca_bundle,
    )


def _check_cap(name: str, price_known: bool, cap: Decimal | None) -> None:
    if cap is not None and not price_known:
        raise UsageError(
            f"{name}: a cap of ${cap} cannot be kept without knowing the model's price; "
            f'give it in the settings under [prices], as "{name}"'
        )
