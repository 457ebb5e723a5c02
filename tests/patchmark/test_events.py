"""Every kind of event the Action may be started by, as GitHub describes it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.action_step import Program, Step

from core.errors import UsageError
from patchmark.action import run
from patchmark.events import Event, PullRequest, event_of, secrets_withheld

BASE = {"id": 1, "full_name": "owner/sample"}
FORK = {"id": 2, "full_name": "x/fork"}
OURS, THEIRS = PullRequest(7, fork=False), PullRequest(7, fork=True)


def pulled(head: object = BASE, **more: object) -> dict[str, Any]:
    """The event of a pull request from this repository."""
    there = {"number": 7, "head": {"repo": head}, "base": {"repo": BASE}}
    return {"number": 7, "pull_request": there, "repository": BASE, **more}


RUN_AFTER = {"workflow_run": {"id": 9, "head_sha": "a" * 40, "pull_requests": []}}
CASES: dict[str, tuple[str, object, PullRequest | None]] = {
    **{
        f"pull request {action}": ("pull_request", pulled(action=action), OURS)
        for action in ("opened", "edited", "synchronize", "reopened", "labeled", "closed")
    },
    "fork": ("pull_request", pulled(FORK), THEIRS),
    "fork that is gone": ("pull_request", pulled(None), THEIRS),
    "pull_request_target": ("pull_request_target", pulled(FORK), THEIRS),
    "review": ("pull_request_review", pulled(review={"state": "approved"}), OURS),
    "renamed meanwhile": ("pull_request", pulled({"id": 1, "full_name": "owner/old"}), OURS),
    "a fork of that name": ("pull_request", pulled({"id": 2, "full_name": "owner/sample"}), THEIRS),
    "comment on it": ("issue_comment", {"issue": {"number": 7, "pull_request": {}}}, OURS),
    "comment on an issue": ("issue_comment", {"issue": {"number": 7}}, None),
    "another workflow": ("workflow_run", RUN_AFTER, None),
    "merge queue": ("merge_group", {"merge_group": {"head_sha": "a" * 40}}, None),
    "push": ("push", {"ref": "refs/heads/main", "deleted": False}, None),
    "force push": ("push", {"ref": "refs/heads/main", "forced": True}, None),
    "schedule": ("schedule", {"schedule": "23 4 1 * *"}, None),
    "by hand": ("workflow_dispatch", {"inputs": {"pull_request": {"number": 7}}}, None),
    "renamed": ("repository", {"action": "renamed", "changes": {"repository": {}}}, None),
    "nobody's idea of a number": ("pull_request", {"pull_request": {"number": True}}, None),
    "no number": ("pull_request", {"pull_request": {"number": "7; rm -rf"}}, None),
    "below zero": ("issue_comment", {"issue": {"number": -7, "pull_request": {}}}, None),
    "not what it should be": ("pull_request", {"pull_request": [7], "issue": "x"}, None),
    "a list": ("pull_request", [1], None),
}


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """A step of a job."""
    return Step(tmp_path)


def started(step: Step, name: str, payload: object) -> dict[str, str]:
    """The environment of a step that this event started."""
    path = step.folder / "event.json"
    path.write_text(json.dumps(payload), encoding="utf-8")
    return step.environment(GITHUB_EVENT_NAME=name, GITHUB_EVENT_PATH=str(path))


@pytest.mark.parametrize("case", CASES)
def test_whose_pull_request_an_event_is_about(step: Step, case: str) -> None:
    """A fork was told by its name alone: a rename while the job waited made every branch one."""
    name, payload, expected = CASES[case]
    found = event_of(started(step, name, payload))
    assert found.pull_request == expected
    assert not found.idle


@pytest.mark.parametrize("name", ["issue_comment", "merge_group", "workflow_run"])
def test_where_a_comment_was_expected_the_log_says_why_there_is_none(
    step: Step, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from support.report_data import demo

    from reports.tally import tally

    program = Program(tally(demo()))
    assert run(started(step, name, {"issue": {"number": 7}}), program) == 0
    assert len(program.calls) == 1
    assert "::notice title=patchmark::no comment, the report is in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("push", {"ref": "refs/heads/gone", "deleted": True, "after": "0" * 40}),
        ("delete", {"ref": "gone", "ref_type": "branch"}),
    ],
)
def test_a_deleted_branch_is_nothing_to_measure(
    step: Step, name: str, payload: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job that the deletion of a branch started failed for want of a commit."""
    program = Program(None)
    assert run(started(step, name, payload), program) == 0
    assert program.calls == []
    assert "Nothing was run: a branch or a tag was deleted" in step.summary
    assert "::error" not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{", "\udcff"])
def test_an_unreadable_event_is_said(step: Step, text: str) -> None:
    path = step.folder / "event.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match="no readable event"):
        event_of(step.environment(GITHUB_EVENT_PATH=str(path)))
    assert event_of({}) == Event("")


@pytest.mark.parametrize(
    ("name", "pull_request", "actor", "withheld"),
    [
        ("pull_request", THEIRS, "x", True),
        ("pull_request", OURS, "x", False),
        ("pull_request", OURS, "dependabot[bot]", True),
        ("pull_request_target", THEIRS, "x", False),
        ("issue_comment", OURS, "x", False),
        ("schedule", None, "x", False),
    ],
)
def test_who_gets_no_secrets(
    name: str, pull_request: PullRequest | None, actor: str, withheld: bool
) -> None:
    assert secrets_withheld(Event(name, pull_request), {"GITHUB_ACTOR": actor}) is withheld


@pytest.mark.parametrize(
    ("name", "payload", "actor", "trusted"),
    [
        ("push", {}, "ann", True),
        ("schedule", {}, "ann", True),
        ("workflow_dispatch", {}, "ann", True),
        ("pull_request", pulled(), "ann", True),
        ("pull_request", pulled(), "dependabot[bot]", False),
        ("pull_request", pulled(FORK), "ann", False),
        ("pull_request", pulled(None), "ann", False),
        ("pull_request", {}, "ann", False),
        # Run as the base repository, on code that may be anybody's.
        ("pull_request_target", pulled(), "ann", False),
        ("issue_comment", {"issue": {"number": 7, "pull_request": {}}}, "ann", False),
        ("workflow_run", RUN_AFTER, "ann", False),
        ("something new", {}, "ann", False),
        ("", {}, "ann", False),
    ],
)
def test_what_is_made_of_others_code_is_left_to_nobody(
    step: Step, monkeypatch: pytest.MonkeyPatch, name: str, payload: Any, actor: str, trusted: bool
) -> None:
    """Nor is what was kept read, which their own steps may have written. Pulling goes on."""
    names = ("PATCHMARK_REGISTRY", "PATCHMARK_REGISTRY_PUSH", "PATCHMARK_CACHE_FOLDER")
    for variable in names:
        monkeypatch.setenv(variable, "of the job")
    environment = started(step, name, payload) | {
        "GITHUB_ACTOR": actor,
        "PATCHMARK_INPUT_REGISTRY": "ghcr.io/owner/images",
        "PATCHMARK_INPUT_REGISTRY_PUSH": "true",
        "PATCHMARK_INPUT_COMMENT": "off",
        "PATCHMARK_INPUT_CACHE_FOLDER": "kept",
    }
    seen: list[str | None] = []

    def program(arguments: list[str]) -> int:
        (out,) = (item.partition("=")[2] for item in arguments if item.startswith("--out="))
        seen.extend([*map(os.environ.get, names), out])
        Path(out).mkdir(parents=True)
        Path(out, "patches.jsonl").write_text("paid\n", encoding="utf-8")
        return 2

    before = dict(os.environ)
    try:
        run(environment, program)
    finally:
        os.environ.clear()
        os.environ.update(before)
    push, folder = ("true", str(step.folder / "kept")) if trusted else (None, None)
    out = str(step.folder / ("kept" if trusted else "temp") / "patchmark-run")
    assert seen == ["ghcr.io/owner/images", push, folder, out]
    assert step.outputs["cache-changed"] == ("true" if trusted else "false")
    assert (step.folder / "kept").exists() is trusted
