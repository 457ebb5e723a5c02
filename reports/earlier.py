"""Earlier runs of a history, as a report shows them beside its own."""

from __future__ import annotations

from collections.abc import Sequence

from core.digest import Digest
from core.report import Report
from reports.digest import digest_of, same_numbers
from reports.drift import drifts
from reports.history import words


def earlier(report: Report, history: Sequence[Digest]) -> list[Digest]:
    """The runs of this repository before this one, the oldest first; this very run is none."""
    now = digest_of(report)
    found = [
        one
        for one in history
        if one.repository == now.repository
        and one.made_at < now.made_at
        and not same_numbers(one, now)
    ]
    return sorted(found, key=lambda one: one.made_at)


def changes_of(report: Report, history: Sequence[Digest]) -> dict[str, str]:
    """By model, whether it changed since or only its luck, in words; none of new ones."""
    if not history:
        return {}
    return {one.entrant: " ".join(words(one)) for one in drifts([*history, digest_of(report)])}
