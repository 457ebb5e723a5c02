"""Every attempt as a row of a table for spreadsheets."""

from __future__ import annotations

import csv
import io

from core.report import Cell, Report, TaskRow
from reports.escape import one_line

HEADER = (
    "task", "fix_commit", "committed_at", "title", "kept_apart", "entrant", "attempt", "outcome",
    "cause", "cost_usd", "seconds", "not_fixed", "broken", "detail",
)  # fmt: skip


def sheet(report: Report) -> str:
    """Comma-separated values with a header; money in US dollars, empty where unknown."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for tasks, apart in ((report.tasks, "no"), (report.apart_tasks, "yes")):
        writer.writerows(_row(task, cell, apart) for task in tasks for cell in task.cells)
    return text.getvalue()


def _row(task: TaskRow, cell: Cell, apart: str) -> list[str]:
    return [
        task.id,
        task.fix_commit,
        task.committed_at.isoformat(),
        harmless(task.title),
        apart,
        harmless(cell.entrant),
        str(cell.attempt),
        cell.outcome.value,
        cell.cause.value if cell.cause else "",
        "" if cell.cost_usd is None else f"{cell.cost_usd:f}",
        "" if cell.seconds is None else f"{cell.seconds:.3f}",
        str(len(cell.not_fixed)),
        str(len(cell.broken)),
        harmless(cell.detail),
    ]


def harmless(text: str) -> str:
    """A line that no spreadsheet takes for a formula."""
    line = one_line(text, 500)
    return f"'{line}" if line.startswith(("=", "+", "-", "@", "|", "%")) else line
