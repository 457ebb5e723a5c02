"""What tokens cost: the user's own prices first, then the price list of genai-prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from core.types import Usage
from models.services import SERVICES

_MILLION = Decimal(1_000_000)
_BATCH = Decimal("0.5")
"""What Anthropic, Google and OpenAI take of the usual price. Not asked of the price list, which
gives the full price where it knows no other, and does not say so."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars per million tokens. A cache price that is None is the input price."""

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cache_read_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None

    def cost(self, usage: Usage) -> Decimal:
        """US dollars for these tokens."""
        read, write = usage.cache_read_tokens, usage.cache_write_tokens
        plain = max(usage.input_tokens - read - write, 0)
        total = (
            plain * self.input_usd_per_mtok
            + read * _or(self.cache_read_usd_per_mtok, self.input_usd_per_mtok)
            + write * _or(self.cache_write_usd_per_mtok, self.input_usd_per_mtok)
            + usage.output_tokens * self.output_usd_per_mtok
        )
        return total / _MILLION


def _or(price: Decimal | None, fallback: Decimal) -> Decimal:
    return fallback if price is None else price


class PriceUsed(BaseModel):
    """Which price a cost was computed with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    """`settings`, or the price list with its version."""
    provider: str
    model: str
    """The price list's own name; may be a family's name, shorter than the model's id."""
    date: date
    """The day whose price was taken: lists hold prices that change on a date."""
    batch: bool = False
    """Whether half of that price was taken, as for all that is asked in batches."""


@dataclass(frozen=True)
class Cost:
    """An amount and where it comes from."""

    usd: Decimal
    price: PriceUsed


@dataclass(frozen=True)
class PriceList:
    """All prices of a run; `overrides` maps `provider:model` to the user's own."""

    overrides: Mapping[str, Price] = field(default_factory=dict)

    def knows(self, provider: str, model: str) -> bool:
        """True where the cost of a model's answers can be computed."""
        usage = Usage(input_tokens=1, output_tokens=1)
        return self.cost(provider, model, None, usage, datetime.now(UTC)) is not None

    def cost(
        self,
        provider: str,
        requested: str,
        served: str | None,
        usage: Usage,
        at: datetime,
        *,
        batch: bool = False,
    ) -> Cost | None:
        """What these tokens cost at a moment; None where the price is not known.

        An alias may be answered by another model, which is then the one billed.
        """
        full = self._full(provider, requested, served, usage, at)
        if full is None or not batch:
            return full
        return Cost(full.usd * _BATCH, full.price.model_copy(update={"batch": True}))

    def _full(
        self, provider: str, requested: str, served: str | None, usage: Usage, at: datetime
    ) -> Cost | None:
        for model in dict.fromkeys((served or requested, requested)):
            own = self.overrides.get(f"{provider}:{model}")
            if own is not None:
                used = PriceUsed(source="settings", provider=provider, model=model, date=at.date())
                return Cost(own.cost(usage), used)
        return _listed(provider, served or requested, usage, at)


def _listed(service: str, model: str, usage: Usage, at: datetime) -> Cost | None:
    import genai_prices

    known = SERVICES.get(service)
    if known is None or known.prices is None:
        return None

    try:
        found = genai_prices.calc_price(
            genai_prices.Usage(
                input_tokens=usage.input_tokens,
                cache_read_tokens=usage.cache_read_tokens,
                cache_write_tokens=usage.cache_write_tokens,
                output_tokens=usage.output_tokens,
            ),
            model.removeprefix("models/"),
            provider_id=known.prices,
            genai_request_timestamp=at,
        )
    except (LookupError, ValueError):  # unknown model; counts that contradict each other
        return None
    if found.model_price.input_mtok is None or found.model_price.output_mtok is None:
        return None  # listed without a price, which the list would add up to $0
    source = f"genai-prices {genai_prices.__version__}"
    used = PriceUsed(
        source=source, provider=found.provider.id, model=found.model.id, date=at.date()
    )
    return Cost(found.total_price, used)
