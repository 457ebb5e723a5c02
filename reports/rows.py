"""`report.csv`: one row for each attempt, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io

from core.report import Cell, Report, TaskRow
from reports.escape import one_line

COLUMNS = (
    "repository", "head", "task", "title", "fix_commit", "committed_at", "entrant", "attempt",
    "outcome", "scored", "cause", "stop", "cost_usd", "seconds", "patch_lines", "detail",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@")
_TEXT = 1_000


def table(report: Report) -> str:
    """The text of the file, RFC 4180. What is unknown is empty, never 0.

    Strangers' words that a spreadsheet would take for a formula begin with an apostrophe.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows(_values(report, task, cell) for task in report.tasks for cell in task.cells)
    return file.getvalue()


def _values(report: Report, task: TaskRow, cell: Cell) -> tuple[object, ...]:
    return (
        _words(report.repository), report.head, task.id, _words(task.title), task.fix_commit,
        task.committed_at.isoformat(), _words(cell.entrant), cell.attempt, cell.outcome.value,
        str(cell.outcome.scored).lower(), cell.cause.value if cell.cause else "",
        cell.stop.value if cell.stop else "", "" if cell.cost_usd is None else f"{cell.cost_usd:f}",
        "" if cell.seconds is None else cell.seconds, cell.diff.count("\n"), _words(cell.detail),
    )  # fmt: skip


def _words(text: str) -> str:
    flat = one_line(text, _TEXT)
    return f"'{flat}" if flat.startswith(_FORMULA) else flat
