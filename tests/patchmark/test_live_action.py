"""The live trial's three steps in the Action, against a GitHub on 127.0.0.1 and a real clone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.action_step import Step
from support.commenting import QUICK
from support.fake_github import REPOSITORY_ID
from support.fake_repository import FakeRepository
from support.live_data import both, result
from support.repos import Repo

from core.live import LiveResult
from patchmark import live_targets, posting
from patchmark.action import run
from patchmark.live_result import write
from patchmark.live_run import NAME

FIX = {"src/calc.py": "a = 2\n", "tests/test_calc.py": "assert 2\n"}
BRANCH = "patchmark-history"
TITLE = "patchmark: the live trial"


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Step]:
    """A step without waiting, whose traces in our own environment are wiped afterwards."""
    monkeypatch.setattr(posting, "PACE", QUICK)
    monkeypatch.setattr(live_targets, "PACE", QUICK)
    before = dict(os.environ)
    yield Step(tmp_path)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def server() -> Iterator[FakeRepository]:
    with FakeRepository(viewer=404) as server:
        yield server


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {"src/calc.py": "a = 1\n", "tests/test_calc.py": "assert 1\n"})
    return repo


def tip(repo: Repo) -> str:
    return repo.git("rev-parse", "main").decode().strip()


def act(step: Step, server: FakeRepository, command: str, event: str = "push", **more: str) -> int:
    """One step of the workflow."""

    def program(arguments: list[str]) -> int:
        raise AssertionError(arguments)

    environment = step.environment(
        **{
            "GITHUB_EVENT_NAME": event,
            "GITHUB_API_URL": server.url,
            "GITHUB_RUN_ID": "7",
            "PATCHMARK_INPUT_COMMAND": command,
            "PATCHMARK_INPUT_RUN_FOLDER": "live",
            "PATCHMARK_INPUT_REPO_PATH": "repo",
            "XDG_CACHE_HOME": str(step.folder / "cache"),
            **more,
        },
    )
    return run(environment, program)


def noted(step: Step) -> list[tuple[int, str]]:
    """Number and head of what is to be tried."""
    told = json.loads((step.folder / "live" / NAME).read_text())
    return [(one["pull_request"], one["head"]) for one in told]


def push(repo: Repo, since: str, **more: Any) -> dict[str, Any]:
    told = {"ref": "refs/heads/main", "before": since, "after": tip(repo), "forced": False}
    return {**told, "repository": {"default_branch": "main"}, **more}


def test_what_a_push_merged_is_to_be_tried(step: Step, server: FakeRepository, repo: Repo) -> None:
    before = tip(repo)
    head = repo.commit("Mend (#4)", FIX)
    docs = repo.commit("Words (#5)", {"README.md": "words\n"})
    server.merged(4, [head])
    server.merged(5, [docs], title="Words *and* @more")
    assert act(step, server, "live-plan", **step.event(**push(repo, before))) == 0
    assert noted(step) == [(4, head)]
    assert (
        "&#35;&#8203;5 Words &#42;and&#42; &#64;&#8203;more: no task, it is documentation only"
        in step.summary
    )
    assert server.writes == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "what was pushed came with no pull request"),
        ({"ref": "refs/heads/other"}, "the push was not to the default branch"),
        ({"forced": True}, "the push was forced"),
        ({"before": "0" * 40}, "the branch is new"),
        ({"before": None}, "the event names no commits"),
        ({"after": "--output=/x"}, "the event names no commits"),
        ({"deleted": True}, "a branch or a tag was deleted"),
    ],
)
def test_pushes_that_merge_nothing_end_in_a_sentence(
    step: Step, server: FakeRepository, repo: Repo, more: Mapping[str, Any], words: str
) -> None:
    before = tip(repo)
    repo.commit("By hand", FIX)
    assert act(step, server, "live-plan", **step.event(**push(repo, before, **more))) == 0
    assert words in step.summary
    assert server.writes == []


def labelled(repo: Repo, server: FakeRepository, **more: Any) -> dict[str, Any]:
    """The event, and the pull request there; its base went on since."""
    base = tip(repo)
    head = repo.commit("Mend", FIX, parents=(base,), branch="side")
    now = repo.commit("Meanwhile", {"b.py": "1\n"})
    own = {"repo": {"id": REPOSITORY_ID, "full_name": "owner/sample"}}
    told = {
        "number": 4, "state": "open", "merged": False, "title": "Mend",
        "head": {"sha": head, **own}, "base": {"ref": "main", "sha": now, **own},
        "created_at": "2026-11-25T10:00:00Z", "labels": [], "body": "It was broken.",
    }  # fmt: skip
    server.pull(4, head).update(told)
    return {"action": "labeled", "pull_request": {**told, **more}}


def test_an_open_one_is_tried_at_the_head_that_was_labelled(
    step: Step, server: FakeRepository, repo: Repo
) -> None:
    event = labelled(repo, server)
    server.pulls[0]["head"] = {**server.pulls[0]["head"], "sha": "f" * 40}  # pushed to since
    assert act(step, server, "live-plan", "pull_request", **step.event(**event)) == 0
    assert noted(step) == [(4, event["pull_request"]["head"]["sha"])]
    (folder,) = (path for path in (step.folder / "live").iterdir() if path.is_dir())
    told = json.loads((folder / "candidates.jsonl").read_text())
    assert (told["title"], told["statement_source"]) == ("Mend", "pull_request")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"head": {"sha": "e" * 40, "repo": {"id": 9}}}, "comes from a fork"),
        ({"head": {"sha": "e" * 40, "repo": None}}, "comes from a fork"),
        ({"head": {"repo": {"id": REPOSITORY_ID}}}, "names no commit"),
    ],
)
def test_open_ones_that_are_not_run(
    step: Step, server: FakeRepository, repo: Repo, change: dict[str, Any], words: str
) -> None:
    event = labelled(repo, server, **change)
    assert act(step, server, "live-plan", "pull_request", **step.event(**event)) == 0
    assert words in step.summary
    assert noted(step) == []


@pytest.mark.parametrize("action", ["opened", "synchronize", "reopened", "edited", "closed"])
def test_other_events_of_a_pull_request_try_nothing(
    step: Step, server: FakeRepository, repo: Repo, action: str
) -> None:
    event = {**labelled(repo, server), "action": action}
    assert act(step, server, "live-plan", "pull_request", **step.event(**event)) == 0
    assert "was neither labelled nor merged" in step.summary


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize("name", ["merge_group", "issue_comment", "schedule"])
def test_events_about_something_else_try_nothing(
    step: Step, server: FakeRepository, name: str
) -> None:
    assert act(step, server, "live-plan", name, **step.event(action="created")) == 0
    assert f"`{name}` merges and labels nothing" in step.summary.replace("&#96;", "`").replace(
        "&#95;", "_"
    )


def test_after_the_end_nobody_is_even_asked(step: Step, server: FakeRepository, repo: Repo) -> None:
    (repo.path / "patchmark.toml").write_text("[trial]\nuntil = 2026-01-31\n")
    before = tip(repo)
    server.merged(4, [repo.commit("Mend (#4)", FIX)])
    assert act(step, server, "live-plan", **step.event(**push(repo, before))) == 0
    assert (
        "The live trial ended on 2026-01-31: nothing is tried, and nothing is spent" in step.summary
    )
    assert noted(step) == []
    assert server.requests == []
    assert act(step, server, "live", PATCHMARK_INPUT_GITHUB_TOKEN="") == 0


def test_what_is_tried_needs_its_key_and_no_token(
    step: Step, server: FakeRepository, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tip(repo)
    server.merged(4, [repo.commit("Mend (#4)", FIX)])
    act(step, server, "live-plan", **step.event(**push(repo, before)))
    server.requests.clear()
    os.environ.pop("GITHUB_TOKEN")
    more = {"PATCHMARK_INPUT_MODELS": "anthropic:claude-opus-4-8"}
    assert act(step, server, "live", PATCHMARK_INPUT_GITHUB_TOKEN="", **more) == 2
    said = capsys.readouterr().out
    assert "::error title=patchmark::" in said
    assert "ANTHROPIC_API_KEY" in said
    assert server.requests == []


def tell(step: Step, server: FakeRepository, *results: LiveResult, **more: str) -> int:
    """The job that writes, with what the other left."""
    for one in results:
        write(step.folder / "live" / one.head[:12], one)
    (step.folder / "repo").mkdir(exist_ok=True)
    more = {"PATCHMARK_INPUT_TRACKING_ISSUE": TITLE, **more}
    return act(step, server, "trial", **more)


@pytest.mark.usefixtures("repo")
def test_results_are_kept_told_and_summed_up(step: Step, server: FakeRepository) -> None:
    assert tell(step, server, both(4, "P", "F"), result(5)) == 0
    assert len(server.branches[BRANCH]) == 2
    assert "Solved by 1 of 2 models: anthropic:careful." in server.said_on(4)[0]
    assert "could not be made a task: no test fails before" in server.said_on(5)[0]
    (issue,) = server.issues
    assert "Live so far, 1 task: " in issue.body
    assert "| no test fails before the fix and passes after it | validation | 1 |" in issue.body
    assert step.outputs["comment-url"].endswith(f"/issues/{issue.number}")
    assert step.outputs["best-model"] == "anthropic:careful"
    assert "Solved by 1 of 2 models" in step.summary


@pytest.mark.usefixtures("repo")
def test_telling_it_twice_changes_nothing(step: Step, server: FakeRepository) -> None:
    tell(step, server, both(4, "P", "F"))
    body = server.said_on(4)
    tell(step, server, GITHUB_RUN_ID="8")
    assert server.said_on(4) == body
    assert (len(server.branches[BRANCH]), len(server.issues)) == (1, 1)


@pytest.mark.usefixtures("repo")
def test_an_older_run_that_ends_later_leaves_the_comment(
    step: Step, server: FakeRepository
) -> None:
    tell(step, server, both(4, "P", "F"), GITHUB_RUN_ID="9")
    tell(step, server, both(4, "F", "F"), GITHUB_RUN_ID="8")
    (said,) = server.said_on(4)
    assert "Solved by 1 of 2 models" in said


@pytest.mark.usefixtures("repo")
def test_each_refusal_is_a_warning_with_its_permission_and_the_rest_is_done(
    step: Step, server: FakeRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refuse_writes = 403
    assert tell(step, server, both(4, "P", "F")) == 0
    said = capsys.readouterr().out
    for permission in ("contents: write", "pull-requests: write", "issues: write"):
        assert f"`{permission}`" in said
    assert "Live so far, 1 task: " in step.summary  # what was measured is in no branch, and here


def test_the_decision_is_said_once_where_people_are_mailed(
    step: Step, server: FakeRepository, repo: Repo
) -> None:
    config = repo.path / "patchmark.toml"
    config.write_text("[trial]\nuntil = 2026-03-20\n")
    tell(step, server, *(both(n, "P", "F") for n in range(1, 13)))
    tell(step, server, GITHUB_RUN_ID="8")
    (issue,) = server.issues
    (said,) = server.said_on(issue.number)
    decision = (
        "Decision of the live trial, which ended on 2026-03-20: anthropic:careful solves more"
    )
    assert decision in said
    assert "Decision of the live trial" in issue.body


@pytest.mark.usefixtures("repo")
def test_comment_off_is_neither_comment_nor_issue(step: Step, server: FakeRepository) -> None:
    tell(step, server, both(4, "P", "F"), PATCHMARK_INPUT_COMMENT="off")
    assert (server.comments, server.issues) == ([], [])
    assert len(server.branches[BRANCH]) == 1


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize("text", ["{", '{"schema_version": 1}', " " * 5_000_000])
def test_a_result_that_is_none_is_refused(step: Step, server: FakeRepository, text: str) -> None:
    (step.folder / "live/x").mkdir(parents=True)
    (step.folder / "live/x/live.json").write_text(text)
    assert tell(step, server) == 2
    assert server.writes == []


@pytest.mark.usefixtures("repo")
def test_a_link_among_the_results_is_not_followed(
    step: Step, server: FakeRepository, tmp_path: Path
) -> None:
    (step.folder / "live/x").mkdir(parents=True)
    (tmp_path / "secret.json").write_text(both(4, "P", "F").model_dump_json())
    (step.folder / "live/x/live.json").symlink_to(tmp_path / "secret.json")
    assert tell(step, server) == 0
    assert server.comments == []
