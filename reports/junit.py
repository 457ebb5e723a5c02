"""`junit.xml`: a suite for each model and a case for each attempt, for dashboards of tests."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from core.report import Cell, EntrantRow, Report, TaskRow
from core.types import Outcome
from reports.escape import one_line, visible
from reports.words import EMPTY, SIGNS

_NAMES = 20
"""Tests that a failure names."""
_TITLE, _DETAIL = 200, 2_000
_Case = tuple[TaskRow, Cell]
_NOT_ASKED = frozenset({Outcome.OVER_BUDGET, Outcome.CANCELLED})


def suites(report: Report) -> str:
    """The text of the file.

    What failed is a failure; what could not be scored is an error, with who has to answer for
    it, or skipped where it was not asked or judged. `empty` is meant to fail and left out.
    """
    rows = [row for row in report.entrants if row.name != EMPTY]
    root = ET.Element("testsuites", name=one_line(report.repository, _TITLE))
    mine: dict[str, list[_Case]] = {row.name: [] for row in rows}
    for task in report.tasks:
        for cell in task.cells:
            if cell.entrant in mine:
                mine[cell.entrant].append((task, cell))
    for row in rows:
        _suite(root, report, row, mine[row.name])
    ET.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def _suite(root: ET.Element, report: Report, row: EntrantRow, mine: Sequence[_Case]) -> None:
    skipped = sum(cell.outcome in _NOT_ASKED for _, cell in mine)
    suite = ET.SubElement(
        root, "testsuite", name=one_line(row.name, _TITLE), tests=str(len(mine)),
        failures=str(row.scored - row.passed), errors=str(len(mine) - row.scored - skipped),
        skipped=str(skipped), timestamp=report.made_at.isoformat(),
        time=f"{sum(cell.seconds or 0 for _, cell in mine):.3f}",
    )  # fmt: skip
    for task, cell in mine:
        _case(suite, task, cell)


def _case(suite: ET.Element, task: TaskRow, cell: Cell) -> None:
    again = f" (attempt {cell.attempt})" if cell.attempt > 1 else ""
    case = ET.SubElement(
        suite, "testcase", classname=one_line(cell.entrant, _TITLE),
        name=f"{task.id} {one_line(task.title, _TITLE)}{again}", time=f"{cell.seconds or 0:.3f}",
    )  # fmt: skip
    if cell.outcome is Outcome.PASSED:
        return
    tag = "failure" if cell.outcome.scored else "error"
    if cell.outcome in _NOT_ASKED:
        tag = "skipped"
    sign = SIGNS[cell.outcome]
    blame = f"; {cell.cause.value} has to answer for it" if cell.cause else ""
    message = f"{sign.word}: {sign.meaning}{blame}"
    ET.SubElement(case, tag, message=message, type=cell.outcome.value).text = _detail(cell)


def _detail(cell: Cell) -> str:
    lines = [visible(cell.detail[:_DETAIL])]
    for words, tests in (("not fixed", cell.not_fixed), ("broken", cell.broken)):
        lines += [f"{words}: {one_line(test, _TITLE)}" for test in tests[:_NAMES]]
        if len(tests) > _NAMES:
            lines.append(f"{words}: {len(tests) - _NAMES} more")
    return "\n".join(line for line in lines if line)
