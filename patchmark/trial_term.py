"""From when to when pull requests are tried live: `[trial]` of patchmark.toml."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from core.live import LiveResult
from models.cutoffs import last_day
from patchmark.config import NAME, TrialSection, load
from reports.trial import Term


def term_of(config: Path | None, repo: Path, results: Sequence[LiveResult]) -> Term:
    """The term that the settings file asks for. Raises UsageError for one that cannot be read.

    `weeks` are counted from `since`, else from the first result.
    """
    usual = repo.expanduser() / NAME
    path = config or (usual if usual.is_file() else None)
    return term(load(path).trial if path else TrialSection(), results)


def term(section: TrialSection, results: Sequence[LiveResult]) -> Term:
    """The same, of a section that was read. Days are UTC's, the last one included."""
    since = _first_day(section.since) if section.since else None
    begin = _midnight(since) if since else None
    if section.until:
        return Term(begin, _midnight(last_day(section.until) + timedelta(days=1)))
    started = begin or min((result.made_at for result in results), default=None)
    if section.weeks is None or started is None:
        return Term(begin)
    return Term(begin, started + timedelta(weeks=section.weeks))


def _first_day(text: str) -> date:
    day = last_day(text)
    return day.replace(day=1) if len(text) == len("2026-01") else day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
