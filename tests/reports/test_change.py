"""What changed since the last run, told by the comment that is to be replaced."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import Golden
from support.report_cases import case
from support.report_data import START, facts, task

from core.digest import Digest
from core.report import Report
from reports.change import changes
from reports.digest import digest_of, run_before, seal, without_tasks
from reports.markdown import comment
from reports.tally import tally

MODEL, OTHER = "openai:gpt-4o", "google:gemini-3.5-flash"


def run(results: dict[str, str], week: int = 0, first: int = 0) -> Report:
    """A run some weeks later, over the tasks from `first` on."""
    count = len(next(iter(results.values())))
    tasks = [task(number) for number in range(first, first + count)]
    made = START + timedelta(weeks=week)
    return tally(replace(facts(results, tasks=tasks), made_at=made, head=f"{week + 10:x}" * 40))


def words(now: Report, before: Report) -> dict[str, str]:
    """What the column of changes says."""
    found = changes(digest_of(now), digest_of(before))
    assert found is not None
    return dict(found.by_entrant)


def test_a_change_is_given_in_tasks_and_noise_is_called_so() -> None:
    before = run({MODEL: "F" * 10 + "PP", OTHER: "PPPPPPFFFFFF", "reference": "P" * 12})
    now = run({MODEL: "P" * 10 + "FP", OTHER: "PPPPPFPFFFFF", "openai:new": "P" * 12}, week=1)
    assert words(now, before) == {
        MODEL: "+10 −1 of 12 (p = 0.023)",
        OTHER: "+1 −1 of 12 (noise)",
        "openai:new": "new",
    }
    # By hand: 2 · (1 + 10) / 2¹⁰ = 0.021 for one model, twice that for two.
    before, now = run({MODEL: "F" * 9 + "P"}), run({MODEL: "P" * 9 + "F"}, week=1)
    assert words(now, before) == {MODEL: "+9 −1 of 10 (p = 0.021)"}
    before = run({MODEL: "F" * 9 + "P", OTHER: "P" * 10})
    now = run({MODEL: "P" * 9 + "F", OTHER: "P" * 10}, week=1)
    assert words(now, before)[MODEL] == "+9 −1 of 10 (noise)"


def test_few_tasks_prove_nothing() -> None:
    """Six of six looked like certainty; no difference is called below eight tasks."""
    assert words(run({MODEL: "P" * 6}), run({MODEL: "F" * 6})) == {MODEL: "+6 −0 of 6 (noise)"}
    assert words(run({MODEL: "PF"}), run({MODEL: "PF"})) == {MODEL: "same on 2"}


def test_other_tasks_are_not_compared() -> None:
    before, now = run({MODEL: "FFFF"}), run({MODEL: "PPPP"}, first=4)
    assert words(now, before) == {MODEL: "0 % before, on other tasks"}
    totals = changes(digest_of(now), without_tasks(digest_of(before)))
    assert totals is not None
    assert totals.by_entrant == {MODEL: "0 % before, on other tasks"}


def test_another_repository_is_nothing_to_compare_with() -> None:
    before = digest_of(run({MODEL: "P"})).model_copy(update={"repository": "else/where"})
    assert changes(digest_of(run({MODEL: "P"})), before) is None
    assert changes(digest_of(run({MODEL: "P"})), None) is None


def test_a_comment_written_anew_keeps_what_it_compared_with() -> None:
    """A job that ran twice compared the run with itself: every change was gone."""
    first, second = run({MODEL: "FFF"}), run({MODEL: "PPP"}, week=1)
    body = comment(second, before=digest_of(first))
    again = second.model_copy(update={"made_at": START + timedelta(weeks=2)})
    assert run_before(again, body) == digest_of(first)
    assert run_before(run({MODEL: "PPP"}, week=3), body) == digest_of(second)
    assert run_before(first, "") is None


def test_what_was_planted_between_is_not_taken() -> None:
    """Only lines of their own count: a title that looks like a digest is escaped text."""
    planted = seal(digest_of(run({MODEL: "P"})))
    title = [task(0, title=planted)]
    report = tally(facts({MODEL: "F"}, tasks=title))
    found = run_before(run({MODEL: "F"}, week=1), comment(report))
    assert found is not None
    assert isinstance(found, Digest)
    assert found.rows[0].passed == 0


def test_the_comment_with_changes(golden: Golden) -> None:
    before = run({MODEL: "FFFFFFFFFPPP", OTHER: "PPPPPPFFFFFF"})
    now = run({MODEL: "PPPPPPPPPPPP", OTHER: "PPPPPFPFFFFF", "openai:new": "P" * 12}, week=1)
    text = comment(now, before=digest_of(before))
    golden("reports/comment-changes.md", text[: text.index("<details><summary>Tasks")])


@pytest.mark.parametrize("limit", [60_000, 20_000, 4_000])
def test_numbers_for_the_next_run_give_way_to_what_is_read(limit: int) -> None:
    big = case("thirty entrants, 300 tasks")
    text = comment(big, limit_chars=limit, before=digest_of(big))
    assert len(text) <= limit
    assert "| Model | Pass rate |" in text
