"""How attempts that did not pass ended, counted by outcome and by who has to answer for it."""

from __future__ import annotations

from collections import Counter
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
    cells = [cell for task in report.tasks for cell in task.cells]
    blame = Counter((cell.entrant, cell.cause) for cell in cells)
    return Ends(
        signs=tuple(SIGNS[outcome] for outcome in outcomes),
        rows=tuple(
            (row.name, tuple(row.outcomes.get(one, 0) for one in outcomes), _blame(blame, row))
            for row in rows
        ),
    )


def _blame(counts: Counter[tuple[str, Cause | None]], row: EntrantRow) -> str:
    named = ((cause.value, counts[row.name, cause]) for cause in Cause)
    return ", ".join(f"{name} {count}" for name, count in named if count)
