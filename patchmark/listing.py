"""`patchmark models`: what can be asked, what it costs, and whether its key is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from core.types import Usage
from models.cutoffs import cutoff
from models.presets import NOT_YET, PRESETS, READ_ON
from models.pricing import PriceList
from models.services import SERVICES
from models.spec import BASELINE_NAMES, parse
from patchmark.settings import Settings

_MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model."""

    short: str
    """What it may be called; "" where it has no short name."""
    name: str
    usd_per_mtok_in: Decimal | None
    """For a short prompt, nothing of it cached; None = not known."""
    usd_per_mtok_cached: Decimal | None
    usd_per_mtok_out: Decimal | None
    priced_by: str | None
    window: int | None
    """Tokens of prompt and answer."""
    cutoff: str | None
    ready: bool
    """Whether its key, address or project is there."""
    lacks: str
    note: str

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        prices = ("usd_per_mtok_in", "usd_per_mtok_cached", "usd_per_mtok_out")
        row = asdict(self)
        return {key: str(v) if key in prices and v is not None else v for key, v in row.items()}


def listing(settings: Settings) -> list[Row]:
    """The presets, and whatever else the settings name or give a price for."""
    presets = [_row(settings, short, p.name, p.window, p.note) for short, p in PRESETS.items()]
    known = {row.name for row in presets} | set(BASELINE_NAMES)
    named = [name for name in (*settings.models, *settings.prices) if name not in known]
    asked = [name for name in dict.fromkeys(named) if name.partition(":")[0] in SERVICES]
    return [*presets, *(_row(settings, "", name, None, "from your settings") for name in asked)]


def show(rows: list[Row], settings: Settings, console: Console) -> None:
    """Print the models, then the services."""
    console.print(_models(rows))
    console.print(
        f"US dollars per million tokens of a short prompt, today. Names, windows and notes as of "
        f"{READ_ON}; cutoffs as in docs/memory.md. {NOT_YET}",
        style="dim", markup=False,
    )  # fmt: skip
    console.print()
    console.print(_services(settings))


def _models(rows: list[Row]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("model", "in", "cached", "out", "window", "cutoff", "ready", "note"):
        right = name in ("in", "cached", "out", "window")
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "note")
    for row in rows:
        name = f"{row.short}\n[dim]{row.name}[/]" if row.short else row.name
        prices = (row.usd_per_mtok_in, row.usd_per_mtok_cached, row.usd_per_mtok_out)
        window = "?" if row.window is None else f"{row.window:,}"
        ready = "[green]yes[/]" if row.ready else f"[yellow]no[/]: {row.lacks}"
        table.add_row(
            name, *(_price(p) for p in prices), window, row.cutoff or "?", ready, row.note
        )
    return table


def _services(settings: Settings) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("service", "ready", "address", "note"):
        table.add_column(name, no_wrap=name != "note")
    for service in SERVICES.values():
        lacks = _lacks(settings, service.name)
        ready = f"[yellow]no[/]: {lacks}" if lacks else "[green]yes[/]"
        address = settings.base_urls.get(service.name, service.url)
        shown = settings.redactor.text(address) if address else f"${service.address}"
        table.add_row(f"{service.name}:MODEL", ready, shown, service.note)
    return table


def _row(settings: Settings, short: str, name: str, window: int | None, note: str) -> Row:
    spec, now = parse(name), datetime.now(UTC)
    prices = PriceList(settings.prices)
    # A thousand tokens each: some prices rise with the length of a prompt.
    kinds = (
        Usage(input_tokens=1000),
        Usage(input_tokens=1000, cache_read_tokens=1000),
        Usage(output_tokens=1000),
    )
    costs = [prices.cost(spec.service, spec.model, None, usage, now) for usage in kinds]
    per_million = [cost.usd * _MILLION / 1000 if cost else None for cost in costs]
    trained = cutoff(name, (), settings.cutoffs)
    lacks = _lacks(settings, spec.service)
    return Row(
        short=short,
        name=name,
        usd_per_mtok_in=per_million[0],
        usd_per_mtok_cached=per_million[1],
        usd_per_mtok_out=per_million[2],
        priced_by=costs[0].price.source if costs[0] else None,
        window=window,
        cutoff=trained.stated if trained else None,
        ready=not lacks,
        lacks=lacks,
        note=note,
    )


def _lacks(settings: Settings, name: str) -> str:
    """The variable that is missing; "" where nothing is."""
    return next(_missing(settings, name), "")


def _missing(settings: Settings, name: str) -> Iterator[str]:
    service = SERVICES[name]
    if service.needs_key and name not in settings.keys:
        yield " or ".join(service.keys)
    if service.api == "vertex" and settings.cloud is None:
        yield "GOOGLE_CLOUD_PROJECT or credentials"
    if service.needs_address and name not in settings.base_urls:
        yield service.address


def _price(price: Decimal | None) -> str:
    if price is None:
        return "?"
    cents = price.quantize(Decimal("0.01"))
    return f"${cents if cents == price else price.normalize():f}"
