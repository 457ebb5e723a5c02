"""The table for spreadsheets."""

from __future__ import annotations

import csv
import io

import pytest
from support.report_cases import NAMES, case

from reports.sheet import HEADER, harmless, sheet


@pytest.mark.parametrize("name", NAMES)
def test_every_attempt_is_a_row(name: str) -> None:
    report = case(name)
    rows = list(csv.reader(io.StringIO(sheet(report)), strict=True))
    tasks = [*report.tasks, *report.apart_tasks]
    assert rows[0] == list(HEADER)
    assert len(rows) == 1 + sum(len(task.cells) for task in tasks)
    assert {len(row) for row in rows} == {len(HEADER)}


def test_values_are_for_programs() -> None:
    rows = list(csv.DictReader(io.StringIO(sheet(case("demo")))))
    assert rows[0]["entrant"] == "reference"
    assert rows[2]["cost_usd"] == f"{case('demo').tasks[0].cells[2].cost_usd:f}"
    assert {row["outcome"] for row in rows} >= {"passed", "failed", "over_budget"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "|calc", "%x", "\t=1", "\u200b=1"])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert harmless(text).startswith("'")
