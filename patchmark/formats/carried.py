"""What a format has no field for: a task's record, in one extra place, so that nothing is lost.

The record stands there without what stands elsewhere in the same row or folder, and with a hash
of that: where somebody has changed it since, it is no longer the task that was exported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from pydantic import ValidationError

from core.types import Task

EXTRA = "patchmark"
"""What the extra place is called, in each format."""
_HASH = "of"


def carried(task: Task, elsewhere: Mapping[str, str]) -> str:
    """JSON for the extra place. Names in `elsewhere` that are a task's own hold just that."""
    record = task.model_dump(mode="json", exclude=set(elsewhere))
    return json.dumps({**record, _HASH: _hash(elsewhere)}, ensure_ascii=False)


def restored(extra: str, elsewhere: Mapping[str, str]) -> Task | None:
    """The task; None where the rest is not what was exported with it, or this is no record."""
    try:
        record = json.loads(extra)
        if not isinstance(record, dict) or record.pop(_HASH, None) != _hash(elsewhere):
            return None
        own = {name: text for name, text in elsewhere.items() if name in Task.model_fields}
        return Task.model_validate_json(json.dumps({**record, **own}))
    except (ValueError, RecursionError, ValidationError):
        return None


def _hash(elsewhere: Mapping[str, str]) -> str:
    parts = (f"{name}\0{text}" for name, text in sorted(elsewhere.items()))
    return hashlib.sha256("\0\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
