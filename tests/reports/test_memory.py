"""Signs of fixes known by heart: counted as they are, shown, and in no rate."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from html import unescape

import pytest
from support.report_cases import case
from support.report_data import facts, probe, task

from core.attempts import by_attempt
from core.report import MemoryRow
from core.types import Cutoff, Outcome, Stop
from reports.html import page
from reports.memory import memory_lines, memory_notes
from reports.statistics import wilson
from reports.tally import tally

OLD, NEW = "anthropic:claude-opus-4-8", "google:ours"


def cutoff(day: date) -> Cutoff:
    return Cutoff(day=day, stated=day.isoformat(), source="somewhere")


def row(name: str) -> MemoryRow:
    return next(row for row in case("memory").memory if row.entrant == name)


def test_sides_add_up_to_the_rate_and_have_intervals_of_their_own() -> None:
    """Tasks lie 9 days apart from 27 February back, so that 3 of 12 came after January."""
    found = row(OLD)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.tasks, found.before.scored, found.before.passed) == (9, 9, 7)
    assert (found.after.tasks, found.after.scored, found.after.passed) == (3, 3, 0)
    interval = wilson(7, 9)
    assert interval is not None
    assert (found.before.ci_low, found.before.ci_high) == (interval.low, interval.high)
    entrant = next(e for e in case("memory").entrants if e.name == OLD)
    assert (entrant.scored, entrant.passed) == (12, 7)


def test_a_side_with_fewer_than_eight_tasks_tells_nothing() -> None:
    lines = {line.name: line for line in memory_lines(case("memory"))}
    assert lines[OLD].before == ("78 % (7/9)", "45–94 %", "")
    assert lines[OLD].after == ("0 % (0/3)", "0–57 %", "too few to tell")
    assert lines[NEW].before == lines[NEW].after == ("–", "", "")
    assert lines[NEW].cutoff == "unknown"


@pytest.mark.parametrize(
    ("committed", "before"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), 1),
        (datetime(2026, 2, 1, tzinfo=UTC), 0),
        (datetime(2026, 2, 1, 3, tzinfo=timezone(timedelta(hours=9))), 1),
    ],
)
def test_the_cutoffs_day_is_still_before_it(committed: datetime, before: int) -> None:
    run = facts({"m": "P"}, tasks=[task(1, committed_at=committed)])
    (found,) = tally(replace(run, cutoffs={"m": cutoff(date(2026, 1, 31))})).memory
    assert found.before is not None
    assert found.after is not None
    assert (found.before.passed, found.after.passed) == (before, 1 - before)


def test_attempts_at_one_task_are_one_task_and_what_is_not_scored_counts_nowhere() -> None:
    run = facts({"m": "PB"})
    again = [item.model_copy(update={"attempt": 2}) for item in run.verdicts.values()]
    run = replace(run, attempts=2, verdicts={**run.verdicts, **by_attempt(again)})
    (found,) = tally(replace(run, cutoffs={"m": cutoff(date(2027, 1, 1))})).memory
    assert found.before is not None
    assert (found.before.tasks, found.before.scored, found.before.passed) == (1, 2, 2)


def test_baselines_have_no_row_and_no_echo() -> None:
    report = case("memory")
    assert {row.entrant for row in report.memory} == {OLD, NEW}
    for one in report.tasks:
        assert all(cell.gold_echo is None for cell in one.cells if cell.entrant == "reference")


def test_copies_of_the_fix_are_counted_and_change_no_outcome() -> None:
    assert (row(OLD).echoes, row(OLD).echo_high) == (12, 5)
    assert row(NEW).echo_high == 0
    assert row(NEW).echoes == 11, "one was over budget and wrote nothing"
    copied = [
        cell
        for one in case("memory").tasks
        for cell in one.cells
        if cell.gold_echo and cell.gold_echo.share == 1.0
    ]
    assert {cell.outcome for cell in copied} == {Outcome.PASSED, Outcome.FAILED}


def test_probes_cost_but_not_per_solved_task() -> None:
    report = case("memory")
    entrant = next(e for e in report.entrants if e.name == OLD)
    assert row(OLD).probes_usd == Decimal("0.12")
    assert entrant.cost_usd == 12 * Decimal("0.0123") + Decimal("0.12")
    assert entrant.cost_per_solve_usd == 12 * Decimal("0.0123") / 7
    assert (row(OLD).probed, row(OLD).hits) == (12, 3)
    assert (row(NEW).probed, row(NEW).probes_usd) == (0, Decimal(0))
    assert any("anthropic:claude-opus-4-8 $0.12" in note for note in memory_notes(report))


def test_an_unknown_cost_of_a_probe_makes_the_cost_unknown() -> None:
    run = facts({"m": "P"})
    failed = probe(run.tasks[0], "m", stop=Stop.PROVIDER_FAILED, similarity=None, cost_usd=None)
    report = tally(replace(run, probes=[failed]))
    assert report.entrants[0].cost_usd is None
    assert report.entrants[0].cost_per_solve_usd == Decimal("0.0123")
    assert (report.memory[0].probed, report.memory[0].probes_usd) == (0, None)


def test_probes_of_others_are_left_out() -> None:
    run = facts({"m": "P"})
    report = tally(replace(run, probes=[probe(run.tasks[0], "gone"), probe(task(77), "m")]))
    assert report.tasks[0].probes == ()
    assert report.memory == ()


def test_two_telling_lines_are_a_hit_however_few_words_they_are() -> None:
    run = facts({"m": "PP"})
    few = [probe(run.tasks[0], "m", similarity=0.2, verbatim=("a b", "c d")),
           probe(run.tasks[1], "m", similarity=0.2, verbatim=("a b",))]  # fmt: skip
    assert tally(replace(run, probes=few)).memory[0].hits == 1


def test_where_nothing_is_known_there_is_no_section() -> None:
    for name in ("demo", "baselines only", "no tasks", "all passed"):
        assert case(name).memory == ()
        assert 'id="memory"' not in page(case(name))
        assert memory_notes(case(name)) == ()


def test_invented_answers_have_no_cutoff() -> None:
    run = facts({"m": "P"}, adjust=lambda a: a.model_copy(update={"fiction": "made up"}))
    assert tally(replace(run, cutoffs={"m": cutoff(date(2026, 1, 31))})).memory == ()


def test_the_page_shows_what_was_repeated_and_remembered() -> None:
    text = " ".join(unescape(re.sub("<[^>]*>", " ", page(case("memory")))).split())
    assert (
        "Repeats 6 of 6 of the real fix's own words (100 %): net, grossed, minus, rebate, exceeds"
        in text
    )
    assert "25 % of the fix's own words and 0 whole lines: does not show that it does" in text
    assert "100 % of the fix's own words and 1 whole line: remembers it" in text
