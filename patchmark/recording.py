"""`--record`: what was asked and answered, in a folder that `--replay` answers from."""

from __future__ import annotations

import json
import re
from pathlib import Path

from core.errors import UsageError
from models.exchange_store import aside, free, write_durably

_PART = re.compile(r"(?P<stem>[^.]+\.\d+\.\d+)(?P<part>(?:\.request|\.failed-\d+)?\.json)")


def record(exchanges: Path, folder: Path) -> int:
    """Copy a run's exchanges, as they are kept, without secrets; how many files were new.

    What the folder holds of other runs stays. Raises StoreError where it cannot be written.
    """
    new = 0
    found = [p for p in exchanges.glob("*/*") if p.is_file() and not p.name.startswith(".")]
    _set_aside(found, exchanges, folder)
    for path in sorted(found):
        to, content = folder / "exchanges" / path.relative_to(exchanges), path.read_bytes()
        if not to.is_file() or to.read_bytes() != content:
            write_durably(to, content)
            new += 1
    return new


def _set_aside(found: list[Path], exchanges: Path, folder: Path) -> None:
    """What was recorded of a question that has another answer now must not be taken for its own."""
    places = {(p.parent.name, m["stem"]) for p in found if (m := _PART.fullmatch(p.name))}
    for path in sorted((folder / "exchanges").glob("*/*.json")):
        match = _PART.fullmatch(path.name)
        ours = match and (path.parent.name, match["stem"]) in places
        if match and ours and not (exchanges / path.parent.name / path.name).exists():
            other = f"{match['stem']}{aside(_question(path))}{match['part']}"
            path.rename(free(path.with_name(other)))


def _question(path: Path) -> str | None:
    """The hash of the question that a file is about; None where it does not tell."""
    try:
        found = json.loads(path.read_bytes())
        return str(found["request_sha256"] or "") or None
    except (ValueError, TypeError, KeyError):
        return None


def check(record_to: Path | None, out: Path, replay: Path | None) -> None:
    """Raise UsageError for a folder that is read from, or written by the run itself."""
    if record_to is None:
        return
    taken = [out, *([replay] if replay else [])]
    if any(record_to.resolve() == other.resolve() for other in taken):
        raise UsageError(f"--record {record_to}: give a folder of its own, not --out or --replay")
