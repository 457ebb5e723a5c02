"""Validations remembered on this machine, so that the same proof is never run twice.

A validation's key covers all it depends on. What an environment's trouble or a time limit
decided is not kept: that may be otherwise next time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.redact import Redactor
from core.types import Dropped, DropReason, Task

_PASSING = frozenset({DropReason.ENVIRONMENT_BROKEN, DropReason.TIMED_OUT})
_RESULT: TypeAdapter[Task | Dropped] = TypeAdapter(Task | Dropped)


@dataclass(frozen=True)
class Validated:
    """A folder of results by key. A file that cannot be read or written is no result."""

    folder: Path
    redactor: Redactor

    def get(self, key: str) -> Task | Dropped | None:
        """The result known for a key."""
        try:
            return _RESULT.validate_json(self._path(key).read_bytes())
        except (OSError, ValidationError):
            return None

    def put(self, result: Task | Dropped) -> None:
        """Keep a result that will be the same next time."""
        if isinstance(result, Dropped) and result.reason in _PASSING:
            return
        path = self._path(result.key)
        unfinished = path.with_name(f"{path.name}.{id(result):x}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(self.redactor.record(result).model_dump_json(), encoding="utf-8")
            unfinished.replace(path)
        except OSError:
            return

    def _path(self, key: str) -> Path:
        return self.folder / "validated" / f"{key}.json"
