"""Posting what a fork's run left: proven by GitHub, rendered by us, whatever the artifact says."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.action_step import Step
from support.fake_github import NUMBER, REPOSITORY_ID, SECONDARY, FakeGitHub, Refusal
from support.report_data import demo

from core.report import Report
from patchmark import fork_report, posting
from patchmark.artifact import LARGEST
from patchmark.fork_report import run
from reports.markdown import MARKER
from reports.patience import Pace
from reports.tally import tally

NAME = "patchmark-report"
HEAD, MERGE = "a" * 40, "b" * 40
BASE = {"id": REPOSITORY_ID, "full_name": "owner/sample", "owner": {"login": "owner"}}
FORK = {"id": len("x/fork"), "full_name": "x/fork", "owner": {"login": "x"}}
REPORT = tally(demo()).model_copy(update={"head": HEAD, "verdict": "Take the careful one."})


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Step:
    """A step without waiting."""
    for module in (posting, fork_report):
        monkeypatch.setattr(module, "PACE", Pace(settle=0, again=0.01, unsaid=0.01, patience=1))
    return Step(tmp_path)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    """With the pull request that the run was about, among others."""
    with FakeGitHub(viewer=404, prefix="/api/v3") as server:
        server.pull(5, "c" * 40)
        server.pull(NUMBER, HEAD, merge_commit_sha=MERGE)
        yield server


def event(**changes: Any) -> dict[str, Any]:
    """What GitHub says of the fork's run, as the event of the second workflow."""
    measured = {
        "id": 77, "run_attempt": 1, "event": "pull_request", "conclusion": "success",
        "head_sha": HEAD, "head_branch": "change", "head_repository": FORK, "repository": BASE,
        "pull_requests": [], "updated_at": "2026-03-02T09:30:00Z", **changes,
    }  # fmt: skip
    return {"action": "completed", "workflow_run": measured, "repository": BASE}


def posted(
    step: Step, github: FakeGitHub, report: Report | str | None = REPORT, **more: Any
) -> int:
    """Leave the artifact, and run the step for the event with these changes."""
    there = step.folder / "patchmark-report"
    there.mkdir(exist_ok=True)
    if report is not None:
        text = report if isinstance(report, str) else report.model_dump_json()
        (there / "report.json").write_text(text, encoding="utf-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in there.iterdir():
            archive.write(path, path.name)
    if report is not None:
        run_id = more.get("id", 77)
        github.artifacts.setdefault(run_id, {})["patchmark-report"] = packed.getvalue()
    variables = {name: more.pop(name) for name in list(more) if name.isupper()}
    environment = step.environment(
        GITHUB_API_URL=github.api, GITHUB_EVENT_NAME="workflow_run",
        PATCHMARK_INPUT_ARTIFACT="patchmark-report", **step.event(**event(**more)),
    )  # fmt: skip
    return run(environment | variables)


def test_the_report_is_posted_on_the_pull_request_with_that_head(
    step: Step, github: FakeGitHub
) -> None:
    assert posted(step, github) == 0
    (body,) = github.bodies
    assert body.startswith(MARKER)
    assert REPORT.verdict in body
    assert "https://github.com/owner/sample/actions/runs/77" in body
    assert "nobody has checked them" in body
    assert step.outputs["comment-url"].endswith("/pull/7#issuecomment-1001")


def test_the_artifact_is_fetched_without_the_token_or_taken_as_it_was_downloaded(
    step: Step, github: FakeGitHub
) -> None:
    """An Enterprise Server has nothing that `actions/download-artifact` takes of other runs."""
    assert posted(step, github) == 0
    assert github.storage_tokens == {""}
    (listing, address) = [line for line in github.requests if "artifacts" in line]
    assert listing.startswith("GET /api/v3/repos/owner/sample/actions/runs/77/artifacts?")
    assert address == "GET /api/v3/repos/owner/sample/actions/artifacts/7700/zip"
    github.artifacts.clear()
    later = REPORT.model_copy(update={"verdict": "As downloaded."})
    assert posted(step, github, later, PATCHMARK_INPUT_DOWNLOADED="patchmark-report") == 0
    assert "As downloaded." in github.bodies[0]
    assert [line for line in github.requests if "artifacts" in line] == [listing, address]


@pytest.mark.parametrize(
    ("content", "code", "why"),
    [
        (b"no zip file", 2, "::error title=patchmark::the artifact is refused"),
        (bytes(LARGEST + 1), 2, "larger than 20000000 bytes"),
        (None, 0, "the run left no report"),
    ],
)
def test_what_is_fetched_is_within_bounds(
    step: Step,
    github: FakeGitHub,
    content: bytes | None,
    code: int,
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    github.artifacts[77] = {"another": b"x", **({} if content is None else {NAME: content})}
    assert posted(step, github, None) == code
    assert why in capsys.readouterr().out
    assert github.bodies == []


def test_a_storage_that_sends_more_than_it_said_is_stopped(
    step: Step, github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """And its address, which is as good as a key, is in no message."""
    github.artifacts[77] = {NAME: _Endless()}
    assert posted(step, github, None) == 2
    assert "larger than" in capsys.readouterr().out
    github.artifacts[77] = {NAME: b""}
    github.storage_status = 403
    assert posted(step, github, None) == 0
    out = capsys.readouterr().out
    assert "the artifact cannot be fetched: HTTPError" in out
    assert "s3cret" not in out


class _Endless(bytes):
    """Far more than it says that it is."""

    def __len__(self) -> int:
        return 10

    def __bytes__(self) -> bytes:
        return bytes(LARGEST * 2)


def test_the_merge_that_checkout_takes_is_the_same_pull_request(
    step: Step, github: FakeGitHub
) -> None:
    assert posted(step, github, REPORT.model_copy(update={"head": MERGE})) == 0
    assert len(github.bodies) == 1


def test_a_renamed_branch_is_found_by_the_head(step: Step, github: FakeGitHub) -> None:
    for number in range(100, 150):
        github.pull(number, f"{number:040d}")
    github.pulls.append(github.pulls.pop(1))
    assert posted(step, github, head_branch="old-name") == 0
    assert len(github.bodies) == 1


def test_a_fork_that_is_gone_is_found_by_the_head(step: Step, github: FakeGitHub) -> None:
    github.pulls[1]["head"]["repo"] = None
    assert posted(step, github, head_repository=None, head_branch=None) == 0
    assert len(github.bodies) == 1


def test_the_same_commit_in_somebody_elses_fork_is_another_pull_request(
    step: Step, github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever pushed a stranger's commit to a fork of their own could have posted on theirs."""
    theirs = {"id": 99, "full_name": "mallory/fork", "owner": {"login": "mallory"}}
    assert posted(step, github, head_repository=theirs, head_branch="gone") == 0
    assert "no pull request has the head" in capsys.readouterr().out
    assert github.bodies == []


def test_no_other_file_of_the_artifact_is_shown(step: Step, github: FakeGitHub) -> None:
    there = step.folder / "patchmark-report"
    there.mkdir()
    for name in ("report.md", "pr-number.txt", "report.html"):
        (there / name).write_text("5 forged")
    assert posted(step, github) == 0
    assert "forged" not in github.bodies[0]


def test_text_of_the_report_can_neither_call_nor_forge(step: Step, github: FakeGitHub) -> None:
    hostile = "@everyone <!-- patchmark:run v1 AAAA --> </details> ![x](https://evil.example/x)"
    notice = (f"{hostile}\n::error::forged",)
    report = REPORT.model_copy(update={"verdict": hostile, "notices": notice})
    assert posted(step, github, report) == 0
    (body,) = github.bodies
    assert "<!-- patchmark:run v1 AAAA" not in body
    assert "@everyone" not in body
    assert "![x](" not in body


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ("{}", "no report of this version"),
        (REPORT.model_copy(update={"head": "d" * 40}), "about another commit than the run"),
        (REPORT.model_copy(update={"head": "not a commit"}), "cannot be shown"),
    ],
)
def test_a_forged_report_is_refused(
    step: Step,
    github: FakeGitHub,
    report: Report | str,
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert posted(step, github, report) == 2
    out = capsys.readouterr().out
    assert "::error title=patchmark::the artifact is refused" in out
    assert why in out
    assert github.bodies == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"head_sha": "e" * 40}, "no pull request has the head"),
        ({"event": "push"}, "started by `push`"),
        ({"report": None}, "left no report"),
        ({"PATCHMARK_INPUT_COMMENT": "off"}, "`comment` is `off`"),
        ({"repository": {**BASE, "id": 3}}, "no pull request has the head"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_where_there_is_nothing_to_post_the_log_says_why(
    step: Step,
    github: FakeGitHub,
    changes: dict[str, Any],
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A pull request that moved on, above all: its newer head has a run of its own."""
    assert posted(step, github, **changes) == 0
    out = capsys.readouterr().out
    assert "::notice title=patchmark::nothing was posted" in out
    assert why in out
    assert github.writes == []


def test_of_two_pull_requests_with_that_head_the_open_one_is_meant(
    step: Step, github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = github.pull(8, HEAD, state="closed")
    assert posted(step, github) == 0
    assert len(github.bodies) == 1
    closed["state"] = "open"
    assert posted(step, github) == 0
    assert "several pull requests have the head" in capsys.readouterr().out


@pytest.mark.parametrize("first", [78, 76])
def test_no_older_run_overwrites_a_newer(step: Step, github: FakeGitHub, first: int) -> None:
    other = REPORT.model_copy(update={"verdict": "The other."})
    assert posted(step, github, other, id=first) == 0
    assert posted(step, github, id=77) == 0
    (body,) = github.bodies
    assert ("The other." in body) is (first > 77)


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (Refusal(403), "pull-requests: write"),
        (Refusal(403, SECONDARY, {"retry-after": "3600"}), "rate limit"),
        (Refusal(422, "Validation Failed"), "422"),
    ],
)
def test_a_refused_comment_is_a_warning(
    step: Step,
    github: FakeGitHub,
    refusal: Refusal,
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    github.refusals = [refusal] * 3
    assert posted(step, github) == 0
    out = capsys.readouterr().out
    assert "::warning title=patchmark::no comment" in out
    assert why in out


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_token_that_may_not_look_is_a_warning(
    step: Step, github: FakeGitHub, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    github.refuse_with = status
    assert posted(step, github) == 0
    assert f"said {status}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"GITHUB_EVENT_NAME": "pull_request"}, "run it on `workflow_run`"),
        ({"PATCHMARK_INPUT_GITHUB_TOKEN": ""}, "`github-token` is empty"),
        ({"PATCHMARK_INPUT_ARTIFACT": ""}, "`artifact` is empty"),
        ({"PATCHMARK_INPUT_COMMENT": "maybe"}, "input `comment` is 'maybe'"),
        ({"GITHUB_EVENT_PATH": ""}, "no event of a workflow's run"),
    ],
)
def test_a_step_that_is_set_up_wrongly_says_so(
    step: Step,
    github: FakeGitHub,
    variables: dict[str, str],
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert posted(step, github, **variables) == 2
    assert why in capsys.readouterr().out
    assert github.requests == []
