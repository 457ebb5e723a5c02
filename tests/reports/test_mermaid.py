"""The chart in the comment, read by the program that GitHub draws it with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import NoBrowserError, Tab, browser
from support.hostile import HOSTILE
from support.npm import NotInstalledError, installed
from support.report_cases import NAMES, case
from support.report_data import facts

from core.report import Report
from reports.mermaid import MOST, chart
from reports.tally import tally

HERE = Path(__file__).parent
PRICED = [name for name in NAMES if chart(case(name))]


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    """A page with mermaid in it."""
    try:
        program = installed(HERE) / "mermaid/dist/mermaid.min.js"
        with browser() as started:
            tab = started.tab()
            tab.run(program.read_text(encoding="utf-8") + ";0")
            tab.run("mermaid.initialize({securityLevel: 'strict', startOnLoad: false})")
            yield tab
    except (NoBrowserError, NotInstalledError) as missing:
        pytest.fail(str(missing))


def drawn(tab: Tab, source: str) -> str:
    """What mermaid makes of it; fails where it cannot be read."""
    text = json.dumps(source)
    svg: str = tab.run(f"mermaid.render('chart', {text}).then((made) => made.svg)")
    return svg


def named(names: list[str]) -> Report:
    """A run of models with these names."""
    return tally(facts({name[:70] or "m": "PF" for name in names}))


@pytest.mark.parametrize("name", PRICED)
def test_mermaid_reads_every_chart(tab: Tab, name: str) -> None:
    svg = drawn(tab, chart(case(name)))
    assert svg.count('class="data-point"') == chart(case(name)).count("]")


def test_names_of_strangers_are_only_text(tab: Tab) -> None:
    """A quote or a bracket in a model's name ended the chart, or began another."""
    for start in range(0, len(HOSTILE), MOST - 2):
        names = [*HOSTILE[start : start + MOST - 2], 'a"]: [0.1, 0.2]', "%%{init: {}}%%"]
        source = chart(named(list(dict.fromkeys(names))))
        svg = drawn(tab, source)
        assert svg.count('class="data-point"') == source.count("]") >= 2
        assert "<script" not in svg


def test_the_check_can_fail(tab: Tab) -> None:
    with pytest.raises(AssertionError, match=r"Parse error|Lexical error"):
        drawn(tab, 'quadrantChart\n  "a": [0.1')


@pytest.mark.parametrize(
    ("results", "charted"),
    [
        ({"a": "PF"}, False),
        ({"a": "PF", "b": "FF"}, True),
        ({f"m{n}": "PF" for n in range(MOST)}, True),
        ({f"m{n}": "PF" for n in range(MOST + 1)}, False),
        ({"reference": "PP", "empty": "FF"}, False),
        ({}, False),
    ],
)
def test_a_chart_is_drawn_where_it_shows_something(results: dict[str, str], charted: bool) -> None:
    assert bool(chart(tally(facts(results)))) is charted


def test_a_model_that_was_cut_short_does_not_look_cheap() -> None:
    """What it was not asked for want of money counted as asked for nothing: it stood leftmost."""
    source = chart(tally(facts({"a": "PF" + "B" * 8, "b": "PF" * 5})))
    assert '"a": [0.80, 0.50]' in source
    assert '"b": [0.80, 0.50]' in source


def test_two_names_that_look_alike_stay_two(tab: Tab) -> None:
    source = chart(named(["openai:a~", "openai:a^"]))
    assert '"openai:a": [' in source
    assert '"openai:a 2": [' in source
    drawn(tab, source)
