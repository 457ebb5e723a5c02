"""The report in a terminal of 80 columns."""

from __future__ import annotations

import io
import re

import pytest
from conftest import Golden
from rich.cells import cell_len
from rich.console import Console
from support.report_cases import NAMES, case

from core.report import Report
from reports.terminal import show


def shown(report: Report, *, width: int = 80, colour: bool = False) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        legacy_windows=False,
    )
    show(report, console)
    return stream.getvalue()


@pytest.mark.parametrize(
    "name", ["demo", "no tasks", "broken tasks", "two attempts", "kept apart", "memory"]
)
def test_golden(name: str, golden: Golden) -> None:
    text = "\n".join(line.rstrip() for line in shown(case(name)).split("\n"))
    golden(f"reports/terminal-{name.replace(' ', '-')}.txt", text)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    for line in shown(case(name), width=width).split("\n"):
        assert cell_len(line) <= width


@pytest.mark.parametrize("name", ["demo", "broken tasks", "hostile"])
def test_colour_adds_nothing_but_colour(name: str) -> None:
    coloured = shown(case(name), colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(case(name))


def test_hostile_texts_send_no_control_characters_and_no_markup() -> None:
    text = shown(case("hostile"))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "[red]rich[/red]" in text


def test_what_does_not_fit_is_counted() -> None:
    text = shown(case("thirty entrants, 300 tasks"))
    assert "… 260 more tasks in report.html" in text
    assert re.search(r"… \d+ more columns in report\.html", text)


def test_invented_and_recorded_answers_are_labelled() -> None:
    text = " ".join(shown(case("demo")).split())
    assert "Answers of replay:careful and replay:hasty are fiction written for the demo." in text
    assert "Made from recorded answers; no model was called." in text
