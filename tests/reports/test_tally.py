"""Counting: nothing goes missing, nothing unknown becomes a number."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from support.report_data import demo, facts, patch, task, verdict

from core.attempts import by_attempt
from core.report import ApartRow, EntrantRow, Report
from core.types import Cause, Outcome, Patch
from reports import view
from reports.tally import tally


def row(report: Report, name: str) -> EntrantRow:
    return next(item for item in report.entrants if item.name == name)


def test_counts_of_the_demo() -> None:
    careful = row(tally(demo()), "replay:careful")
    assert (careful.tasks, careful.scored, careful.passed) == (14, 13, 10)
    assert careful.pass_rate == pytest.approx(10 / 13)
    assert careful.outcomes == {
        Outcome.PASSED: 10,
        Outcome.FAILED: 2,
        Outcome.REGRESSED: 1,
        Outcome.OVER_BUDGET: 1,
    }


def test_an_attempt_without_verdict_is_cancelled_and_not_scored() -> None:
    report = tally(facts({"m": "PF."}))
    cell = report.tasks[2].cells[0]
    assert (cell.outcome, cell.cause, cell.stop) == (Outcome.CANCELLED, Cause.PATCHMARK, None)
    assert (row(report, "m").tasks, row(report, "m").scored) == (3, 2)


def test_a_patch_without_verdict_is_cancelled_and_still_paid() -> None:
    run = facts({"m": "P."})
    extra = patch(run.tasks[1], "m", cost_usd=Decimal("0.5"))
    report = tally(replace(run, patches={**run.patches, **by_attempt([extra])}))
    assert report.tasks[1].cells[0].outcome is Outcome.CANCELLED
    assert row(report, "m").cost_usd == Decimal("0.5123")
    assert row(report, "m").cost_per_solve_usd == Decimal("0.5123")


def test_every_attempt_that_was_asked_for_has_a_cell() -> None:
    one = task(1)
    run = replace(facts({"m": "P"}, tasks=[one]), attempts=3)
    more = verdict(one, "m", "F", attempt=3)
    report = tally(replace(run, verdicts={**run.verdicts, **by_attempt([more])}))
    assert [cell.outcome.value for cell in report.tasks[0].cells] == [
        "passed",
        "cancelled",
        "failed",
    ]


def test_records_of_what_was_not_asked_for_do_not_count() -> None:
    run = facts({"m": "P", "other": "P"})
    report = tally(replace(run, entrants=["m"]))
    assert [item.name for item in report.entrants] == ["m"]
    assert {cell.entrant for cell in report.tasks[0].cells} == {"m"}


def test_one_unknown_price_makes_the_cost_unknown() -> None:
    def adjust(answer: Patch) -> Patch:
        number = answer.exchanges or answer.task_id == task(1).id
        return answer.model_copy(update={"cost_usd": None}) if number else answer

    found = row(tally(facts({"m": "PPP"}, adjust=adjust)), "m")
    assert (found.cost_usd, found.cost_per_solve_usd) == (None, None)


def test_a_verdict_whose_patch_is_lost_has_an_unknown_cost() -> None:
    run = facts({"m": "PP"})
    assert (
        row(tally(replace(run, patches=by_attempt([*run.patches.values()][:1]))), "m").cost_usd
        is None
    )


def test_costs_are_summed_without_losing_a_digit() -> None:
    """Three times 0.0123, divided by two solved tasks."""
    found = row(tally(facts({"m": "PFP"})), "m")
    assert (found.cost_usd, found.cost_per_solve_usd) == (Decimal("0.0369"), Decimal("0.01845"))


def test_nothing_passed_has_no_cost_per_solved_task() -> None:
    assert row(tally(facts({"m": "FF"})), "m").cost_per_solve_usd is None


def test_medians_leave_out_what_has_no_time() -> None:
    times = iter([1.0, None, 9.0, 2.0])
    run = facts({"m": "PPPP"}, adjust=lambda a: a.model_copy(update={"seconds": next(times)}))
    assert row(tally(run), "m").seconds_p50 == 2.0


def test_a_model_that_answered_in_place_of_another_is_named() -> None:
    run = facts({"m": "PP"}, adjust=lambda a: a.model_copy(update={"served_model": "m-2026"}))
    assert row(tally(run), "m").served_models == ("m-2026",)
    assert row(tally(facts({"m": "PP"})), "m").served_models == ()


@pytest.mark.parametrize(
    ("results", "broken"),
    [
        ({"reference": "PPP", "empty": "FFF"}, False),
        ({"reference": "PPF", "empty": "FFF"}, True),
        ({"reference": "PPX", "empty": "FFF"}, True),
        ({"reference": "PPT", "empty": "FFF"}, True),
        ({"reference": "PPP", "empty": "FFP"}, True),
        ({"reference": "PP.", "empty": "FF."}, False),
        ({"m": "FFF"}, False),
        ({"reference": "PPE", "empty": "FFE"}, False),
    ],
)
def test_the_baselines_decide_whether_the_tasks_are_broken(
    results: dict[str, str], broken: bool
) -> None:
    """Bug: an engine that failed at a reference made the tasks look broken."""
    assert tally(facts(results)).tasks_broken is broken


def test_what_was_not_scored_is_shown_with_both_denominators() -> None:
    """Of four attempts one was lost: 2 of 3 passed, and 2 of 4 of those asked for."""
    (line,) = view.models(tally(facts({"m": "PPFE"})))
    assert (line.rate, line.not_scored) == (
        "67 % (2/3)",
        "1 environment broken; 50 % of all 4 passed",
    )
    (whole,) = view.models(tally(facts({"m": "PPF"})))
    assert (whole.rate, whole.not_scored) == ("67 % (2/3)", "0")
    (nothing,) = view.models(tally(facts({"m": "EE"})))
    assert (nothing.rate, nothing.not_scored) == ("not scored", "2 environment broken")


def test_replays_and_fiction_are_passed_on() -> None:
    report = tally(demo())
    assert (report.replayed, report.fiction) == (True, True)
    assert row(report, "replay:hasty").fiction == "written by hand to show what a report looks like"
    plain = tally(facts({"m": "PP"}))
    assert (plain.replayed, plain.fiction) == (False, False)


def test_dropped_commits_are_counted_by_reason() -> None:
    report = tally(demo())
    first = report.dropped[0]
    assert (first.stage, first.reason, first.count, len(first.examples)) == (
        "mine",
        "no_tests",
        214,
        3,
    )
    assert sum(item.count for item in report.dropped) == len(demo().dropped)


def test_a_run_without_tasks_is_a_report_too() -> None:
    report = tally(facts({"m": "", "reference": ""}, tasks=[]))
    assert row(report, "m").pass_rate is None
    assert report.tasks_broken is False


def test_what_is_kept_apart_is_in_no_rate() -> None:
    """A statement that holds the fix would make every model look better than it is."""
    run = facts({"m": "PF"})
    extra = task(50)
    rows = [ApartRow(id=extra.id, title=extra.title, fix_commit=extra.fix_commit, why="leaks")]
    plain = tally(run)
    report = tally(
        replace(
            run,
            patches={**run.patches, **by_attempt([patch(extra, "m")])},
            verdicts={**run.verdicts, **by_attempt([verdict(extra, "m", "P")])},
            apart=rows,
            apart_tasks=[extra],
        )
    )
    assert report.entrants == plain.entrants
    assert report.tasks == plain.tasks
    assert report.verdict == plain.verdict
    assert [(item.name, item.passed, item.tasks) for item in report.apart_entrants] == [("m", 1, 1)]
    assert [item.id for item in report.apart_tasks] == [extra.id]
    assert plain.apart_entrants == ()
