"""How attempts that did not pass ended, counted by outcome and by who has to answer for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.report import EntrantRow, Report
from core.types import Cause, Outcome
from reports import view
from reports.words import SIGNS, Sign


@dataclass(frozen=True)
class Ends:
    """A table: a row for each model, a column for each outcome that occurs."""

    signs: tuple[Sign, ...]
    rows: tuple[tuple[str, tuple[int, ...], str], ...]
    """Name, counts in the order of the signs, and `model 3, provider 1`."""


def ends(report: Report) -> Ends | None:
    """None where every attempt of every model passed."""
    rows = [line.row for line in view.models(report)]
    found = {outcome for row in rows for outcome in row.outcomes} - {Outcome.PASSED}
    if not found:
        return None
    outcomes = [outcome for outcome in Outcome if outcome in found]
    return Ends(
        signs=tuple(SIGNS[outcome] for outcome in outcomes),
        rows=tuple(
            (row.name, tuple(row.outcomes.get(one, 0) for one in outcomes), _blame(report, row))
            for row in rows
        ),
    )


def _blame(report: Report, row: EntrantRow) -> str:
    cells = [cell for task in report.tasks for cell in task.cells if cell.entrant == row.name]
    counts = Counter(cell.cause for cell in cells if cell.cause is not None)
    return _listed([(cause, counts[cause]) for cause in Cause if counts[cause]])


def _listed(counts: Sequence[tuple[Cause, int]]) -> str:
    return ", ".join(f"{cause.value} {count}" for cause, count in counts)
