"""The live trial's numbers: pooled exactly, each pull request once, and a decision at the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from conftest import Golden
from support.live_data import both, cell, result
from support.report_data import START

from core.live import LiveResult, Unmeasured
from core.report import Report
from patchmark.config import TrialSection
from patchmark.trial_term import term
from reports import markdown
from reports.statistics import wilson
from reports.trial import Asked, Term, count_once, decided, pooled

CAREFUL, HASTY = "anthropic:careful", "google:hasty"
LATER = START + timedelta(days=30)


def summary(*results: LiveResult, end: datetime | None = None, now: datetime = LATER) -> Report:
    asked = Asked(
        repository="example/shop", version="0.1.0", now=now, term=Term(end=end), current=CAREFUL
    )
    return pooled(results, asked)


def weeks_of(careful: str, hasty: str) -> list[LiveResult]:
    """One pull request a letter."""
    return [both(n, *letters) for n, letters in enumerate(zip(careful, hasty, strict=True), 1)]


def test_attempts_are_pooled_exactly() -> None:
    report = summary(*weeks_of("PPPFE", "PFFFP"), result(9))
    row = next(row for row in report.entrants if row.name == CAREFUL)
    assert (row.tasks, row.scored, row.passed) == (5, 4, 3)
    interval = wilson(3, 4)
    assert interval
    assert (row.ci_low, row.ci_high) == (interval.low, interval.high)
    assert row.cost_usd == 5 * Decimal("0.31")
    assert row.cost_per_solve_usd == 5 * Decimal("0.31") / 3
    assert row.seconds_p50 == 42.0
    assert report.analysis
    (pair,) = report.analysis.comparisons
    assert (pair.first, pair.second) == (HASTY, CAREFUL)
    assert (pair.tasks, pair.wins, pair.losses) == (4, 0, 2)
    assert [(row.reason, row.count) for row in report.dropped] == [("no_fail_to_pass", 1)]


def test_a_pull_request_counts_once_with_its_first_scored_attempts() -> None:
    """Trying again until it passes is no way to a better rate."""
    first, again = both(1, "F", "E"), both(1, "P", "P", made_at=LATER)
    (counted,) = count_once([again, first])
    assert {c.entrant: c.outcome for c in counted.cells} == {
        CAREFUL: "failed",
        "reference": "passed",
        "empty": "failed",
        HASTY: "passed",
    }


def test_one_that_was_labelled_and_then_merged_counts_once() -> None:
    labelled = both(1, "F", "F", merged=False)
    merged = both(1, "P", "P", head="f" * 40, made_at=LATER)
    assert count_once([merged, labelled]) == [labelled]


def test_what_could_not_be_measured_gives_way_to_what_could() -> None:
    broken = result(1, unmeasured=Unmeasured(reason="environment_broken"))
    later = both(1, "P", "F", made_at=LATER)
    assert count_once([broken, later]) == [later]
    latest = result(1, made_at=LATER)
    assert count_once([broken, latest]) == [latest]


def test_a_commit_without_a_number_is_the_pull_request_that_has_it() -> None:
    """Tried from a terminal without a token, it counted twice."""
    alone = both(1, "P", "F", pull_request=None)
    assert len(count_once([alone, both(1, "F", "F", made_at=LATER)])) == 1


def test_an_entrant_that_joined_late_is_compared_on_shared_tasks() -> None:
    late = result(3, {CAREFUL: "P", "openai:new": "P"})
    report = summary(both(1, "P", "F"), both(2, "P", "F"), late)
    pairs = (
        {(c.first, c.second): c.tasks for c in report.analysis.comparisons}
        if report.analysis
        else {}
    )
    assert pairs["openai:new", CAREFUL] == 1
    assert pairs[HASTY, CAREFUL] == 2


def test_before_the_end_the_days_are_told() -> None:
    end = datetime(2026, 4, 3, tzinfo=UTC)
    said = summary(*weeks_of("PF", "FF"), end=end, now=end - timedelta(days=2)).verdict
    assert said.startswith("Live so far, 2 tasks, 2 days left until 2026-04-02: Too early to tell")


def test_at_the_end_it_decides_where_the_numbers_do() -> None:
    report = summary(*weeks_of("P" * 12, "F" * 12), end=LATER)
    assert decided(report)
    assert report.verdict.startswith(
        "Decision of the live trial, which ended on 2026-04-01: "
        f"Stay with {CAREFUL}: {HASTY} is worse by 100 points"
    )


@pytest.mark.parametrize(
    ("careful", "hasty", "is_decided"),
    [("P" * 12, "F" * 12, True), ("P" * 12, "P" * 12, False), ("PF", "FF", False)],
)
def test_without_a_current_model_the_best_has_to_beat_all(
    careful: str, hasty: str, is_decided: bool
) -> None:
    """A winner that was none of anybody's alternatives was no decision."""
    asked = Asked(repository="x", version="0", now=LATER, term=Term(end=LATER))
    assert decided(pooled(weeks_of(careful, hasty), asked)) is is_decided
    alone = [result(n, {CAREFUL: "P"}) for n in range(1, 13)]
    assert not decided(pooled(alone, asked))


def test_too_few_tasks_are_an_honest_end() -> None:
    report = summary(*weeks_of("PF", "FF"), end=LATER)
    assert not decided(report)
    assert report.verdict.startswith(
        "The live trial ended on 2026-04-01 without a decision. Too early to tell: about "
    )
    assert "more tasks would" in report.verdict


def test_without_any_result_it_says_so() -> None:
    assert "No tasks, so nothing was measured" in summary().verdict
    assert "No tasks" in summary(result(1), end=LATER).verdict


@pytest.mark.parametrize(
    ("section", "begin", "end"),
    [
        (TrialSection(), None, None),
        (TrialSection(until="2026-12-09"), None, datetime(2026, 12, 10, tzinfo=UTC)),
        (TrialSection(since="2026-12"), datetime(2026, 12, 1, tzinfo=UTC), None),
        (TrialSection(weeks=2), None, START + timedelta(days=15)),
        (
            TrialSection(since="2026-12-01", weeks=1),
            datetime(2026, 12, 1, tzinfo=UTC),
            datetime(2026, 12, 8, tzinfo=UTC),
        ),
    ],
)
def test_the_term(section: TrialSection, begin: datetime | None, end: datetime | None) -> None:
    """Weeks count from `since`, else from the first result; the last day is included."""
    assert term(section, [result(2), result(1)]) == Term(begin, end)


def test_weeks_do_not_begin_before_there_is_a_result() -> None:
    assert not term(TrialSection(weeks=2), []).over(LATER)


def test_what_was_before_the_term_is_in_no_number() -> None:
    asked = Asked(
        repository="x", version="0", now=LATER, term=Term(begin=START + timedelta(days=2))
    )
    assert len(pooled(weeks_of("PPP", "PPP"), asked).tasks) == 2


def test_the_text_of_the_tracking_issue(golden: Golden) -> None:
    invented = cell("openai:new", "V", why="the service did not answer")
    results = [*weeks_of("PPPPFPPPPP", "PFFPFFPFFF"), result(11), result(12)]
    results[-3] = results[-3].model_copy(update={"cells": (*results[-3].cells, invented)})
    text = markdown.summary(summary(*results, end=LATER + timedelta(days=4)))
    golden("reports/trial.md", text)
