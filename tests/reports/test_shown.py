"""A page of a very large run: what it holds, what it says of the rest, and its files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.report_data import DEMO, demo, facts, task

from core.report import Report
from reports import shown as module
from reports.files import as_json
from reports.html import page
from reports.shown import shown, shown_note, shown_of
from reports.tally import tally


def _report(count: int, broken: int | None = None) -> Report:
    tasks = [task(number) for number in range(count)]
    reference = "".join("F" if number == broken else "P" for number in range(count))
    results = {"reference": reference, "empty": "F" * count, "server:one": "PF" * (count // 2)}
    return tally(facts(results, tasks=tasks))


def test_a_page_that_holds_all_says_nothing_of_it() -> None:
    report = _report(10)
    assert shown_of(report) == report
    assert shown_note(report) == ""
    assert "this page holds" not in page(report)


def test_a_page_holds_the_newest_and_where_a_baseline_misbehaved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Numbers stay those of the whole report, so that `tasks[n - 1]` in report.json is the task."""
    monkeypatch.setattr(module, "MOST_ATTEMPTS", 13)  # four tasks of three attempts
    report = _report(20, broken=17)
    here = [report.tasks[at].id for at in (0, 1, 2, 17)]
    assert shown(report) == set(here)
    assert [one.id for one in shown_of(report).tasks] == here
    text = page(report)
    assert "this page holds 4 of 20 tasks" in text
    found = [number for number in range(1, 30) if f'id="task-{number}"' in text]
    assert found == [1, 2, 3, 18]
    assert 'href="#task-18">Task 18 →' in text
    assert 'href="#task-3">← Task 3' in text
    assert "Task 19" not in text
    assert all(f'data-task="{number}"' in text for number in found)


def test_tasks_kept_apart_go_on_counting_behind_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    run = facts({"server:one": "P" * 9}, tasks=[task(number) for number in range(9)])
    report = tally(replace(run, tasks=run.tasks[:6], apart_tasks=run.tasks[6:]))
    monkeypatch.setattr(module, "MOST_ATTEMPTS", 2)
    text = page(report)
    assert [n for n in range(1, 12) if f'id="task-{n}"' in text] == [1, 2, 7, 8]
    assert "this page holds 4 of 9 tasks" in text


@pytest.mark.parametrize("kept_apart", [0, 2])
@pytest.mark.parametrize("tasks", [0, 1, 14])
def test_json_by_tasks_is_the_json_of_the_whole(tasks: int, kept_apart: int) -> None:
    run = demo()
    title = 'x"\n  "tasks": []\n  "apart_tasks": []'
    every = [run.tasks[0].model_copy(update={"title": title}), *run.tasks[1:]][:tasks]
    report = tally(replace(run, tasks=every, apart_tasks=run.tasks[:kept_apart]))
    assert "".join(as_json(report)) == report.model_dump_json(indent=2) + "\n"
    assert len(report.entrants) == len(DEMO)
