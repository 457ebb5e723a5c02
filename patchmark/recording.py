"""`--record`: what was asked and answered, in a folder that `--replay` answers from."""

from __future__ import annotations

from pathlib import Path

from core.errors import UsageError
from models.exchange_store import write_durably


def record(exchanges: Path, folder: Path) -> int:
    """Copy a run's exchanges, as they are kept, without secrets; how many files were new.

    What the folder holds of other runs stays. Raises StoreError where it cannot be written.
    """
    new = 0
    for path in sorted(exchanges.glob("*/*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        to, content = folder / "exchanges" / path.relative_to(exchanges), path.read_bytes()
        if not to.is_file() or to.read_bytes() != content:
            write_durably(to, content)
            new += 1
    return new


def check(record_to: Path | None, out: Path, replay: Path | None) -> None:
    """Raise UsageError for a folder that is read from, or written by the run itself."""
    if record_to is None:
        return
    taken = [out, *([replay] if replay else [])]
    if any(record_to.resolve() == other.resolve() for other in taken):
        raise UsageError(f"--record {record_to}: give a folder of its own, not --out or --replay")
