"""What every entrant of a run is given to work with, and who answers its questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from core.bench import Benches
from core.errors import UsageError
from core.outlet import Command, OpenBenches
from core.redact import Redactor
from models.agent import AgentLimits
from models.asker import Asker
from models.budget import Budget
from models.connect import connect
from models.context import Outline
from models.exchange_store import ExchangeStore
from models.guidance import Version
from models.lanes import Lanes
from models.pricing import Price, PriceList
from models.provider import Cloud, Connection
from models.rewrite import Recordings
from models.services import Service
from models.spec import parse, service_of


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
    """Entrant → US dollars that its answers and probes may cost, within the budget of all."""
    purses: dict[str, Budget] = field(default_factory=dict)
    """Those made so far; whatever is asked for one entrant shares one."""
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
    versions: Mapping[str, Version] = field(default_factory=dict)
    """Those that entrants can be asked with, by what their names call them."""
    timeout_seconds: float = 600
    ca_bundle: Path | None = None
    """PEM file of the authorities to trust, where not the usual ones."""


def answers(name: str, desk: Desk) -> Asker | Recordings:
    """Where a model's answers come from: itself, or recordings. Raises UsageError."""
    kept = source(desk)
    if kept is None:
        return asker(name, desk)
    return Recordings(source=kept, store=ExchangeStore(desk.exchanges, desk.redactor))


def asker(name: str, desk: Desk) -> Asker:
    """Who asks a model. Raises UsageError for a missing key, or a cap without a price."""
    service = service_of(name)
    if service is None:
        raise UsageError(f"entrant {name!r} answers from recordings only; say where with --replay")
    spec, lane = parse(name), desk.lanes.of(service.name, service.at_once)
    there = replace(connection(name, service, desk), hear=lane.hear)
    made = Asker(
        provider=connect(service, there),
        lane=lane,
        store=ExchangeStore(desk.exchanges, desk.redactor),
        budget=desk.budget,
        prices=PriceList(desk.prices),
    )
    check_cap(spec.priced_as, made.knows_price(spec.model), desk.budget.cap_usd)
    return made


def source(desk: Desk) -> ExchangeStore | None:
    """The recordings to answer from, where nobody is to be asked."""
    return ExchangeStore(recordings(desk.replay), desk.redactor) if desk.replay else None


def recordings(replay: Path) -> Path:
    """The folder of exchanges in a run folder. Raises UsageError."""
    if not replay.is_dir():
        raise UsageError(f"--replay {replay}: no such folder")
    inner = replay / "exchanges"
    return inner if inner.is_dir() else replay


def connection(name: str, service: Service, desk: Desk) -> Connection:
    """Where a service is reached, and as whom. Raises UsageError."""
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


def check_cap(name: str, price_known: bool, cap: Decimal | None) -> None:
    """Raise UsageError where a cap cannot be kept."""
    if cap is not None and not price_known:
        raise UsageError(
            f"{name}: a cap of ${cap} cannot be kept without knowing the model's price; "
            f'give it in the settings under [prices], as "{name}"'
        )
