"""What changed against the run before, whose digest the last comment carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from core.digest import Digest, DigestRow
from reports.numbers import p_value, per_cent
from reports.statistics import ALPHA, FEWEST_TASKS
from reports.statistics_paired import holm, permutation_p

NEW = "new"
NOISE = "noise"


@dataclass(frozen=True)
class Changes:
    """A run beside the one before."""

    sentence: str
    by_entrant: Mapping[str, str]
    """`+3 −1 of 12 (noise)`: tasks that pass more often now, and less often, of those in both."""


def changes(now: Digest, before: Digest | None) -> Changes | None:
    """None where there is nothing to compare with: no run before, or another repository's."""
    if before is None or before.repository != now.repository:
        return None
    earlier = {row.name: row for row in before.rows}
    pairs = [(row, earlier.get(row.name)) for row in now.rows if not row.baseline]
    moved = _moved(now, before)
    p_values = _p_values(moved)
    return Changes(
        sentence=(
            f"Change: against the run of {before.made_at:%Y-%m-%d} at {before.head[:12]}; this one "
            f"is at {now.head[:12]}. Tasks in both runs that pass more often and less often."
        ),
        by_entrant={
            row.name: _words(row, old, moved.get(row.name, []), p_values) for row, old in pairs
        },
    )


def called(now: Digest, before: Digest) -> dict[str, Literal["better", "worse"] | None]:
    """Models of both runs that share enough tasks for a paired test, and what it calls them.

    Corrected for the number of models; None = noise explains it. Empty for another repository's.
    """
    if before.repository != now.repository:
        return {}
    moved = _moved(now, before)
    return {
        name: None if p >= ALPHA else "better" if sum(moved[name]) > 0 else "worse"
        for name, p in _p_values(moved).items()
    }


def _moved(now: Digest, before: Digest) -> dict[str, list[Fraction]]:
    """By how much each task of both runs passes more often, for each model of both."""
    earlier = {row.name: row for row in before.rows}
    models = [row for row in now.rows if not row.baseline and row.name in earlier]
    return {row.name: _differences(row, earlier[row.name]) for row in models}


def _p_values(moved: Mapping[str, list[Fraction]]) -> dict[str, float]:
    enough = {name: by for name, by in moved.items() if len(by) >= FEWEST_TASKS}
    return dict(zip(enough, holm([permutation_p(by) for by in enough.values()]), strict=True))


def _differences(now: DigestRow, before: DigestRow) -> list[Fraction]:
    both = [task for task in now.results if task in before.results]
    return [Fraction(*now.results[task]) - Fraction(*before.results[task]) for task in both]


def _words(
    now: DigestRow, before: DigestRow | None, moved: list[Fraction], p_values: Mapping[str, float]
) -> str:
    if before is None:
        return NEW
    if not moved:
        return f"{per_cent(before.pass_rate)} before, on other tasks"
    gained, lost = sum(by > 0 for by in moved), sum(by < 0 for by in moved)
    if not gained and not lost:
        return f"same on {len(moved)}"
    p = p_values.get(now.name, 1.0)
    surely = "p < 0.001" if p < 0.001 else f"p = {p_value(p)}"
    why = surely if p < ALPHA else NOISE
    return f"+{gained} −{lost} of {len(moved)} ({why})"
