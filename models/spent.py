"""What an exchanges folder shows as billed. Of each file only the bill is read into memory."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.exchange_store import parse

_Usd = Annotated[Decimal, Field(ge=0)]


class _Of(BaseModel):
    """Of an `Exchange`, a `Failure` or a `SentRequest`, without what was asked and answered."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: Literal[1] = 1
    worst_usd: _Usd | None = None


class _Bill(_Of):
    cost_usd: _Usd | None
    fiction: str | None = None

    @property
    def usd(self) -> Decimal:
        """What is not known counts with what was set aside for it."""
        if self.fiction:
            return Decimal(0)
        return self.cost_usd if self.cost_usd is not None else self.worst_usd or Decimal(0)


class _Sent(_Of):
    number: int = Field(ge=1)
    batch: str | None = None


def spent(folder: Path, entrant: str = "*") -> Decimal:
    """US dollars that an exchanges folder shows as billed.

    What is not known counts with what was set aside for it, and so does what was under way when a
    run was killed, but for batches, which count for themselves. `entrant` is the folder of one,
    as in `Slot.folder`; all of them unless it is given. Raises StoreError, naming the file, when
    one is damaged.
    """
    total = Decimal(0)
    for path in sorted(folder.glob(f"{entrant}/*.json")):
        if path.name.endswith(".request.json"):
            total += _under_way(path)
        else:
            total += parse(_Bill, path).usd
    return total


def _under_way(path: Path) -> Decimal:
    """What a request may have cost that has neither an answer nor a failure."""
    sent, stem = parse(_Sent, path), path.name.removesuffix(".request.json")
    ends = (f"{stem}.json", f"{stem}.failed-{sent.number}.json")
    over = sent.batch is not None or any(path.with_name(end).exists() for end in ends)
    return Decimal(0) if over else sent.worst_usd or Decimal(0)
