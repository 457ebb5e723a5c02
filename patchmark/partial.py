"""What a run left undone, kept in its folder so that every report of it says so."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import StoreError

NAME = "partial.json"


class Partial(BaseModel):
    """Why a run folder does not hold all that was asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: float | None = None
    """The time limit that the run reached; None = none."""
    of: int = 0
    """Shards that this was made of; 0 = none."""
    missing: tuple[int, ...] = ()
    """Those of them that were not there."""


def read(folder: Path) -> Partial:
    """What the folder's last run left undone. Raises StoreError for an unreadable file."""
    path = folder / NAME
    try:
        return Partial.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Partial()
    except (OSError, ValidationError) as error:
        raise StoreError(f"{path}: cannot be read: {error}") from error


def write(folder: Path, partial: Partial) -> None:
    """Note it; where nothing was left undone there is no file. Raises StoreError."""
    path = folder / NAME
    unfinished = path.with_name(f"{NAME}.new")
    try:
        if partial == Partial():
            path.unlink(missing_ok=True)
            return
        unfinished.write_text(partial.model_dump_json(indent=1) + "\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error
