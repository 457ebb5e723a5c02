"""Up to when models' training data reach: a dated table of what their vendors state.

A model that is not in it has no cutoff: none is guessed, not even from a model of its family.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from core.types import Cutoff
from models.spec import model_of

READ_ON = date(2026, 11, 25)
"""When this table was read, from the newest copies of the pages that could be had that day."""
SETTINGS = "patchmark.toml"
_CLAUDE = "platform.claude.com/docs/en/models/overview: training data cutoff"
_GEMINI = "ai.google.dev/gemini-api/docs/models: knowledge cutoff"
_CARD = "deepmind.google/models/model-cards: knowledge cutoff, in some domains January 2025"


@dataclass(frozen=True)
class _Row:
    models: str
    """Globs of model ids, separated by blanks."""
    stated: str
    source: str


# Where a vendor states two dates, the later one stands here: what was trained on at all may be
# remembered, whether or not it is known well. An id alone or with its date, never a family.
TABLE = (
    _Row("claude-opus-5-5 claude-sonnet-5-5 claude-haiku-5-5 claude-fable-5-1", "2026-06", _CLAUDE),
    _Row("claude-opus-5", "2026-05", _CLAUDE),
    _Row("claude-sonnet-5 claude-fable-5", "2026-01", _CLAUDE),
    _Row("claude-opus-4-8 claude-opus-4-7 claude-sonnet-4-6", "2026-01", _CLAUDE),
    _Row("claude-opus-4-6 claude-opus-4-5 claude-opus-4-5-????????", "2025-08", _CLAUDE),
    _Row("claude-sonnet-4-5 claude-sonnet-4-5-????????", "2025-07", _CLAUDE),
    _Row("claude-haiku-4-5 claude-haiku-4-5-????????", "2025-07", _CLAUDE),
    _Row("gemini-3.6-flash gemini-3.7-flash gemini-3.8-flash", "2026-03", _CARD),
    _Row("gemini-3.1-pro-preview gemini-3.1-pro-preview-customtools", "2025-01", _GEMINI),
    _Row("gemini-3-pro-preview gemini-3-flash-preview gemini-2.5-flash", "2025-01", _GEMINI),
)


def cutoff(
    entrant: str, answered_by: Iterable[str | None], overrides: Mapping[str, str]
) -> Cutoff | None:
    """An entrant's cutoff: the user's own, else the latest of the models that answered.

    `answered_by` are ids as the provider gave them; without any, the one asked for counts.
    None where one of these models is not in the table.
    """
    own = overrides.get(entrant)
    if own is not None:
        return Cutoff(day=last_day(own), stated=own, source=SETTINGS)
    models = {name for name in answered_by if name} or {model_of(entrant)}
    found = [_listed(name.removeprefix("models/")) for name in models]
    known = [one for one in found if one is not None]
    return max(known, key=lambda one: one.day) if len(known) == len(found) else None


def last_day(text: str) -> date:
    """The last day of a month, `2026-01`, or the day itself. Raises ValueError for others."""
    found = re.fullmatch(r"(\d{4})-(\d\d)(?:-(\d\d))?", text)
    if found is None:
        raise ValueError(f"{text!r} is no month and no day, such as 2026-01 or 2026-01-31")
    year, month = int(found[1]), int(found[2])
    if found[3]:
        return date(year, month, int(found[3]))
    first = date(year, month, 1)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _listed(model: str) -> Cutoff | None:
    for row in TABLE:
        if any(fnmatchcase(model, pattern) for pattern in row.models.split()):
            return Cutoff(
                day=last_day(row.stated), stated=row.stated, source=row.source, read_on=READ_ON
            )
    return None
