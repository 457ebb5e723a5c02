"""When a run is worth a word: three modes, and what the comment says already."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from support.report_data import demo, facts

from core.analysis import Gate
from core.digest import Digest
from core.report import Report
from reports.digest import digest_of, seal
from reports.quiet import Decision, Mode, decide
from reports.stamp import RunId, run_id, stamp_in, stamp_line
from reports.tally import tally

START = datetime(2026, 3, 2, tzinfo=UTC)
REPOSITORY = tally(demo()).repository


def run(passes: str, number: int = 1, **changes: object) -> Report:
    """A run of one model on 14 tasks, which passed where it says P."""
    report = tally(facts({"openai:new": passes}))
    more = {"repository": REPOSITORY, "made_at": START + timedelta(days=number), **changes}
    return report.model_copy(update=more)


GOOD, BAD = run("P" * 14), run("F" * 14, 2)


def asked(
    mode: Mode, report: Report, number: int, said: str, kept: Digest | None = None
) -> Decision:
    """What this run, of this number, would do."""
    return decide(mode, report, "openai:new", run_id(str(number), "1", report.made_at), said, kept)


def says(report: Report, found: Decision) -> str:
    """The hidden lines of the comment that it writes."""
    before = [seal(found.before, "before")] if found.before else []
    return "\n".join([*before, seal(digest_of(report)), stamp_line(found.stamp)])


def comment(mode: Mode, *reports: Report) -> str:
    """What the comment says after these runs, one after the other."""
    said = ""
    for number, report in enumerate(reports, 1):
        found = asked(mode, report, number, said)
        said = says(report, found) if found.write else said
    return said


@pytest.mark.parametrize("mode", ["always", "changes", "regressions"])
def test_no_mode_writes_over_a_newer_run(mode: Mode) -> None:
    said = comment("always", GOOD, GOOD)
    found = asked(mode, BAD, 1, said)
    assert (found.write, found.why) == (False, "the comment tells of a newer run")
    assert asked(mode, BAD, 3, said).write


def test_always_is_always() -> None:
    assert asked("always", GOOD, 2, comment("always", GOOD)).write


def test_changes_are_verdict_best_and_what_a_test_calls() -> None:
    said = comment("changes", GOOD)
    assert said
    assert not asked("changes", GOOD, 2, said).write
    other = GOOD.model_copy(update={"verdict": "Another."})
    assert asked("changes", other, 2, said).write
    assert decide("changes", GOOD, "somebody else", run_id("2", "1", START), said).write
    worse = BAD.model_copy(update={"verdict": GOOD.verdict})
    assert asked("changes", worse, 2, said).write
    noise = run("P" * 13 + "F").model_copy(update={"verdict": GOOD.verdict})
    assert not asked("changes", noise, 2, said).write


def test_small_changes_add_up_until_they_are_told() -> None:
    """The comment keeps the numbers it told: each run is put beside those, not the run before."""
    slowly = [run("P" * n + "F" * (14 - n), verdict="The same.") for n in (14, 12, 10, 7)]
    writes, said = [], ""
    for number, report in enumerate(slowly, 1):
        found = asked("changes", report, number, said)
        writes.append(found.write)
        said = says(report, found) if found.write else said
    assert writes == [True, False, False, True]


def test_a_comment_whose_hidden_lines_a_person_took_out_is_written_anew() -> None:
    for said in ("nothing hidden", "<!-- patchmark:run v1 AAAA -->", stamp_line_of("not JSON")):
        assert stamp_in(said) is None
        assert asked("changes", GOOD, 2, said).write
        assert asked("regressions", GOOD, 2, said).write


def stamp_line_of(text: str) -> str:
    """A stamp with this text in it."""
    return f"<!-- patchmark:run v1 {base64.b64encode(text.encode()).decode()} -->"


def test_regressions_are_silent_until_something_is_worse_and_say_when_it_is_well_again() -> None:
    kept = digest_of(GOOD)
    assert not asked("regressions", GOOD, 1, "", kept).write
    assert not asked("regressions", BAD, 1, "").write
    first = asked("regressions", BAD, 2, "", kept)
    assert first.write
    assert first.stamp.worse == ("openai:new",)
    said = says(BAD, first)
    # As bad as the comment says is no news of the kind that lets it be called well.
    still = asked("regressions", run("F" * 13 + "P", 3), 3, said, digest_of(BAD))
    assert (still.write, still.stamp.worse) == (True, ("openai:new",))
    assert still.before == kept
    said = says(run("F" * 13 + "P", 3), still)
    well = asked("regressions", run("P" * 14, 4), 4, said)
    assert (well.write, well.stamp.bad) == (True, False)
    assert not asked("regressions", run("P" * 14, 5), 5, says(GOOD, well)).write


def test_a_gate_that_is_not_met_is_a_regression() -> None:
    gate = Gate(name="fail-under", asked="50 %", state="not met", why="It passed less")
    missed = GOOD.model_copy(update={"gates": (gate,)})
    found = asked("regressions", missed, 1, "")
    assert found.write
    said = says(missed, found)
    assert asked("regressions", GOOD, 2, said).write
    told = missed.model_copy(update={"gates": (gate.model_copy(update={"state": "met"}),)})
    assert not asked("regressions", told, 1, "").write


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (("1", "1", 5), ("2", "1", 1)),
        (("2", "1", 5), ("2", "2", 1)),
        (("2", "1", 1), ("2", "1", 2)),
        (("", "", 1), ("2", "1", 2)),
        (("x" * 40, "-1", 1), ("9" * 40, "", 2)),
    ],
)
def test_which_run_is_older(older: tuple[str, str, int], newer: tuple[str, str, int]) -> None:
    def of(run: str, attempt: str, day: int) -> RunId:
        return run_id(run, attempt, START.replace(tzinfo=None) + timedelta(days=day))

    assert of(*older).older_than(of(*newer))
    assert not of(*newer).older_than(of(*older))
    assert not of(*older).older_than(of(*older))


def test_a_stamp_survives_its_line_and_the_last_one_counts() -> None:
    stamp = asked("always", GOOD, 7, "").stamp
    other = asked("always", BAD, 8, "").stamp
    text = f"x\r\n{stamp_line(other)}\r\ny\n{stamp_line(stamp)}\r\n"
    assert stamp_in(text) == stamp
