"""Batches on disk: one file each beside the exchanges of their entrant, never deleted."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from core.errors import StoreError
from models.batch import Batch
from models.exchange import slug
from models.exchange_store import write_durably


class BatchStore:
    """The batches of an `exchanges` folder. They hold names and hashes, and no text of anybody."""

    def __init__(self, folder: Path):
        self._folder = folder

    def keep(self, batch: Batch) -> Batch:
        """Keep a batch; it is on disk when this returns."""
        path = self._folder / slug(batch.entrant) / f"{batch.name}.batch"
        write_durably(path, batch.model_dump_json(indent=1).encode() + b"\n")
        return batch

    def all(self, entrant: str | None = None) -> list[Batch]:
        """All batches, oldest first. Raises StoreError, naming the file, when one is damaged."""
        folder = "*" if entrant is None else slug(entrant)
        found = [_load(path) for path in self._folder.glob(f"{folder}/*.batch")]
        return sorted(found, key=lambda batch: (batch.made_at, batch.name))

    def open(self, entrant: str | None = None) -> list[Batch]:
        """Those that are not all on disk yet."""
        return [batch for batch in self.all(entrant) if not batch.closed]


def pledged(folder: Path, entrant: str | None = None) -> Decimal:
    """US dollars that open batches of an exchanges folder may cost at most."""
    return sum((batch.worst_usd for batch in BatchStore(folder).open(entrant)), Decimal(0))


def _load(path: Path) -> Batch:
    try:
        return Batch.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise StoreError(f"{path}: damaged: {error}") from error
