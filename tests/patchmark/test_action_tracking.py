"""The tracking issue of runs without a pull request, under the real PyGithub."""

from __future__ import annotations

import pytest
from support.action_step import Program, Step
from support.fake_repository import FakeRepository
from support.report_data import demo

from core.report import Report
from patchmark.action import run
from patchmark.action_inputs import TRACKING
from reports.tally import tally


@pytest.fixture(scope="module")
def report() -> Report:
    return tally(demo()).model_copy(update={"verdict": "Take the careful one."})


def track(step: Step, github: FakeRepository, report: Report, **more: str) -> None:
    """One run of a scheduled workflow."""
    environment = step.environment(
        **{
            "GITHUB_EVENT_NAME": "schedule",
            "GITHUB_API_URL": github.url,
            "PATCHMARK_INPUT_TRACKING_ISSUE": "true",
            **more,
        },
    )
    assert run(environment, Program(report)) == 0


def test_two_scheduled_runs_keep_one_issue(step: Step, report: Report) -> None:
    with FakeRepository(viewer=404) as github:
        track(step, github, report, GITHUB_RUN_ID="1")
        later = report.model_copy(update={"verdict": "Something else.", "head": "e" * 40})
        track(step, github, later, GITHUB_RUN_ID="2")
        (issue,) = github.issues
    assert issue.title == TRACKING
    assert "Something else." in issue.body
    assert "against the run of 2026-03-02" in issue.body
    assert step.outputs["comment-url"].endswith(f"/issues/{issue.number}")
    assert github.comments == []


def test_an_older_run_that_ends_later_leaves_the_issue(
    step: Step, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeRepository(viewer=404) as github:
        track(step, github, report, GITHUB_RUN_ID="20")
        older = report.model_copy(update={"verdict": "Older."})
        track(step, github, older, GITHUB_RUN_ID="19")
    assert "Older." not in github.issues[0].body
    assert "the tracking issue stays as it is: " in capsys.readouterr().out


@pytest.mark.parametrize(("name", "value"), [("COMMENT", "off"), ("TRACKING_ISSUE", "false")])
def test_nobody_who_wants_none_gets_one(step: Step, report: Report, name: str, value: str) -> None:
    with FakeRepository(viewer=404) as github:
        track(step, github, report, **{f"PATCHMARK_INPUT_{name}": value})
    assert github.requests == []


def test_a_pull_request_has_its_comment_and_no_issue(step: Step, report: Report) -> None:
    with FakeRepository(viewer=404) as github:
        track(step, github, report, GITHUB_EVENT_NAME="pull_request", **step.pull_request())
    assert github.issues == []
    assert len(github.said_on(7)) == 1


def test_a_refusal_is_a_warning_with_the_permission_in_it(
    step: Step, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeRepository(viewer=404) as github:
        github.refuse_writes = 403
        track(step, github, report)
    said = capsys.readouterr().out
    assert "no tracking issue, the report is in the job summary" in said
    assert "`issues: write`" in said
    assert report.verdict in step.summary
