"""Where the drawing puts models, and what it does where there is nothing or too much to draw."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from support.big_report import big
from support.report_cases import NAMES, case
from support.report_data import START, facts

from core.attempts import by_attempt
from reports.digest import digest_of
from reports.files import write
from reports.frontier import Point, plot, unpriced
from reports.html import page
from reports.tally import tally
from reports.trends import trends, trends_of


def boxes(found: Point) -> list[tuple[float, float, float, float]]:
    """A circle and, where there is one, a name."""
    made = [(found.x - 9, found.y - 9, found.x + 9, found.y + 9)]
    if found.label:
        x, y, name = found.label
        made.append((x - len(name) * 3.4, y - 10, x + len(name) * 3.4, y + 2))
    return made


@pytest.mark.parametrize(("tasks", "models"), [(9, 2), (9, 6), (9, 12), (9, 16)])
def test_no_name_covers_a_circle_or_another_name(tasks: int, models: int) -> None:
    for width, height in ((760, 400), (380, 340)):
        drawn = plot(big(tasks, models)[0], width, height)
        assert drawn is not None
        assert len(drawn.points) == models
        names = [box for point in drawn.points for box in boxes(point)[1:]]
        circles = [boxes(point)[0] for point in drawn.points]
        for a, b in [*combinations(names, 2), *((n, c) for n in names for c in circles)]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert all(box[0] >= 0 and box[2] <= width for box in names)


def test_places_are_to_scale() -> None:
    """Four tasks of five passed is at four fifths of the height; twice the cost is twice as far."""
    costs = {"a": "0.10", "b": "0.20"}
    run = facts({"a": "PPPPF", "b": "PFFFF"})
    patches = [
        patch.model_copy(update={"cost_usd": type(patch.cost_usd)(costs[patch.entrant])})
        for patch in run.patches.values()
        if patch.cost_usd is not None
    ]
    drawn = plot(tally(replace(run, patches=by_attempt(patches))))
    assert drawn is not None
    a, b = drawn.points
    assert (a.name, b.name) == ("a", "b")
    scale = drawn.bottom - drawn.top
    assert (drawn.bottom - a.y) / scale == pytest.approx(0.8, abs=0.01)
    assert (drawn.bottom - b.y) / scale == pytest.approx(0.2, abs=0.01)
    assert (b.x - drawn.left) / (a.x - drawn.left) == pytest.approx(2, abs=0.02)
    assert a.top < a.y < a.bottom
    assert (a.best, b.best) == (True, False)


def test_costs_far_apart_are_drawn_on_a_logarithmic_axis() -> None:
    drawn = plot(big(20, 6)[0])
    assert drawn is not None
    assert [tick.label for tick in drawn.x_ticks][-2:] == ["$0.10", "$0.20"]
    steps = [b.at - a.at for a, b in zip(drawn.x_ticks, drawn.x_ticks[1:], strict=False)]
    assert max(steps) < 1.5 * min(steps)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_not_drawn_is_named(name: str) -> None:
    report = case(name)
    models = sum(not row.baseline for row in report.entrants)
    drawn = plot(report)
    left = models - len(unpriced(report))
    assert (len(drawn.points) == left) if drawn else left < 2


def test_unknown_costs_are_not_drawn_as_nothing() -> None:
    html = page(case("unknown prices"))
    assert "plot-title" not in html
    assert unpriced(case("unknown prices")) == ["a", "b"]


def test_the_facts_of_the_drawing_stand_in_words_beside_it() -> None:
    """Who cannot see it hears the same."""
    html = page(case("demo"))
    told = re.search(r'<desc id="plot-words-1">(.*?)</desc>', html)
    assert told is not None
    words = (
        "replay:careful: 77 % (10/13), 95 % interval 49–92 %, $0.030 an attempt, on the frontier"
    )
    assert words in told[1]


def test_earlier_runs_are_drawn_with_this_one_last() -> None:
    report, _, earlier = big(12, 2)
    found = trends(report, earlier)
    assert found is not None
    assert (len(found.runs), len(found.lines), found.more) == (9, 2, 0)
    assert found.runs[0].head == report.head
    assert [len(line.points) for line in found.lines] == [9, 9]
    xs = [x for x, _ in found.lines[0].points]
    assert xs == sorted(xs)


def test_a_first_run_has_no_trend() -> None:
    report, _, _ = big(12, 2)
    assert trends(report, []) is None
    assert trends(report, trends_of([digest_of(report)])) is None


def test_of_a_long_history_the_latest_runs_are_shown() -> None:
    """And how many there are besides; a model that joined late has fewer points."""
    report, _, earlier = big(12, 2)
    old = [
        replace(one, made_at=one.made_at - timedelta(weeks=8 * n))
        for n in range(6)
        for one in earlier
        if n < 2 or one.entrant == report.entrants[2].name
    ]
    found = trends(report, old)
    assert found is not None
    assert (len(found.runs), found.more) == (30, 19)
    assert sorted(len(line.points) for line in found.lines) == [17, 30]
    assert "–" in {rate for run in found.runs for rate in run.rates}


def test_a_change_is_told_apart_from_luck_under_the_charts(tmp_path: Path) -> None:
    """As in `patchmark history`; a run of before this one, and one that is this one."""
    then = START - timedelta(weeks=1)
    history = [digest_of(tally(replace(facts({"a": "P" * 12, "b": "PF" * 6}), made_at=then)))]
    report = tally(facts({"a": "F" * 12, "b": "FP" * 6}))
    write(report, tmp_path, history=[*history, digest_of(report)])
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    told = re.findall(
        r"<li><b>(\w)</b>: Latest run against all before, 12 shared tasks: ([^<]*)", html
    )
    assert [(name, words.rpartition(": ")[2]) for name, words in told] == [
        ("a", "it solves fewer than before."),
        ("b", "noise can explain it."),
    ]
    assert html.count('<svg class="trend"') == 2
    write(report, tmp_path)
    assert "Latest run against" not in (tmp_path / "report.html").read_text(encoding="utf-8")
