"""The filters that a person gives, read: days, globs and labels."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from core.errors import UsageError
from patchmark.config import MineSection
from patchmark.sampling import Choice

Moment = str | datetime | date


def chosen(
    section: MineSection,
    *,
    since: str | None,
    until: str | None,
    paths: str | None,
    labels: str | None,
) -> Choice:
    """Flags first, then the file. An empty flag takes back what the file says.

    Raises UsageError, naming the flag, for a day that is none.
    """
    return Choice(
        since=_moment("--since", section.since if since is None else since),
        until=_moment("--until", section.until if until is None else until, end=True),
        paths=section.paths if paths is None else names(paths),
        labels=section.labels if labels is None else names(labels),
        max_leak=section.max_leak,
        max_vagueness=section.max_vagueness,
    )


def names(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _moment(flag: str, given: Moment | None, *, end: bool = False) -> datetime | None:
    """A day means its first moment, as an end the first one after it; UTC where no zone is."""
    if given is None or given == "":
        return None
    try:
        at = datetime.fromisoformat(given.strip()) if isinstance(given, str) else given
        whole_day = len(given.strip()) <= len("2026-01-31") if isinstance(given, str) else False
        if not isinstance(at, datetime):
            at, whole_day = datetime(at.year, at.month, at.day), True  # noqa: DTZ001 - just below
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return at + timedelta(days=1) if end and whole_day else at
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{flag} {given}: no day such as 2026-01-31") from error
