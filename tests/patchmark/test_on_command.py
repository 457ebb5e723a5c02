"""Who has a comment obeyed, against a GitHub on 127.0.0.1 and under the real PyGithub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import github
import pytest
from support.action_step import Step
from support.fake_commands import COMMENT, NUMBER, OWN_RUN, SHA, FakeCommands, Run, State, Trouble

from core.errors import InfrastructureError, PatchmarkError, UsageError
from patchmark import on_command
from patchmark.command_event import Event
from patchmark.on_command import Decision, RefusedError, answer

ALLOW = {"PATCHMARK_INPUT_ALLOW_FORKS": "true"}
FORK: Mapping[str, object] = {"id": 2, "pushed_at": "2026-11-25T09:59:59Z"}


def event(body: str = "/patchmark run", **changes: Any) -> dict[str, Any]:
    """What GitHub tells of a comment that was just written."""
    return {
        "action": "created",
        "issue": {"number": NUMBER, "pull_request": {"url": "x"}},
        "comment": {"id": COMMENT, "body": body, "user": {"login": "ann", "type": "User"}},
        **changes,
    }


def said_by(login: str, kind: str) -> dict[str, Any]:
    return {"id": COMMENT, "body": "/patchmark run", "user": {"login": login, "type": kind}}


def ask(server: FakeCommands, told: dict[str, Any], **environment: str) -> Decision:
    """Decide as the command does, without its second between two writes."""
    with github.Github(
        base_url=server.url, retry=0, seconds_between_writes=0, seconds_between_requests=0,
        timeout=1, lazy=True,
    ) as client:  # fmt: skip
        there = {"GITHUB_RUN_ID": str(OWN_RUN), **environment}
        return answer(Event.model_validate(told), client.get_repo("owner/sample"), there)


def test_who_may_write_starts_a_run_on_the_head_of_that_moment() -> None:
    body = "/patchmark run google:gemini-3.5-flash --tasks 5"
    with FakeCommands(State(body=body)) as server:
        outputs = ask(server, event(body)).outputs()
    assert outputs == {
        "run": "true",
        "models": "reference,empty,google:gemini-3.5-flash",
        "tasks": "5",
        "head-sha": SHA,
        "number": "7",
    }
    assert server.reactions == ["eyes", "rocket"]
    assert server.replies == []


@pytest.mark.parametrize("permission", ["admin", "maintain", "write"])
def test_permissions_that_are_enough(permission: str) -> None:
    with FakeCommands(State(permission=permission)) as server:
        assert ask(server, event()).run


@pytest.mark.parametrize("permission", ["read", "triage", "none", "", "WRITE", "custom"])
def test_permissions_that_are_not_get_no_word(permission: str) -> None:
    """A stranger must not be able to have us write comments; a thumb down says enough."""
    with (
        FakeCommands(State(permission=permission)) as server,
        pytest.raises(RefusedError, match="permission"),
    ):
        ask(server, event())
    assert (server.reactions, server.replies) == (["-1"], [])
    assert not any("/pulls/" in line for line in server.requests)


def _edit(state: State) -> None:
    state.edited = True


def _other_words(state: State) -> None:
    state.body = "/patchmark run google:other"


def _through_an_app(state: State) -> None:
    state.app = {"slug": "helper"}


def _ghost(state: State) -> None:
    state.author = None


@pytest.mark.parametrize(
    ("change", "told", "why"),
    [
        (_edit, event(), "edited"),
        (_other_words, event(), "edited"),
        (_through_an_app, event(), "apps"),
        (_ghost, event(), "another author"),
        (None, event(comment=said_by("bob", "User")), "another author"),
        (None, event(comment=said_by("ann", "Bot")), "people only"),
        (None, event(comment=said_by("ann", "Organization")), "people only"),
        (None, event(comment=said_by("ann[bot]", "User")), "people only"),
        (None, event(comment={**said_by("ann", "User"), "user": None}), "people only"),
        (None, event(issue={"number": NUMBER}), "not on issues"),
    ],
)
def test_who_and_what_is_never_obeyed(
    change: Callable[[State], None] | None, told: dict[str, Any], why: str
) -> None:
    state = State()
    if change:
        change(state)
    with FakeCommands(state) as server, pytest.raises(RefusedError, match=why):
        ask(server, told)
    assert "rocket" not in server.reactions
    assert server.replies == []


@pytest.mark.parametrize(
    ("head", "environment", "why"),
    [
        (FORK, {}, "fork"),
        (None, ALLOW, "is gone"),
        ({"id": 2, "pushed_at": "2026-11-25T10:00:01Z"}, ALLOW, "pushed to after"),
    ],
)
def test_forks_that_are_refused(
    head: Mapping[str, object] | None, environment: dict[str, str], why: str
) -> None:
    with FakeCommands(State(head=head)) as server, pytest.raises(RefusedError, match=why):
        ask(server, event(), **environment)
    assert server.reactions == ["eyes", "-1"]
    assert why in server.replies[0]


def test_a_fork_where_it_is_allowed() -> None:
    with FakeCommands(State(head=FORK)) as server:
        assert ask(server, event(), **ALLOW).head_sha == SHA


@pytest.mark.parametrize("value", ["yes", "True", "1"])
def test_allow_forks_is_true_or_nothing(value: str) -> None:
    with FakeCommands(State(head=FORK)) as server, pytest.raises(UsageError, match="allow"):
        ask(server, event(), PATCHMARK_INPUT_ALLOW_FORKS=value)
    assert server.reactions == ["eyes", "-1"]


def test_a_closed_pull_request() -> None:
    with FakeCommands(State(state="closed")) as server, pytest.raises(RefusedError, match="closed"):
        ask(server, event())


def test_hostile_words_come_back_as_text() -> None:
    """What was refused is quoted in the answer, and must mention nobody and link nothing."""
    body = "/patchmark run <img/src=x>@everyone<!--x-->"
    with FakeCommands(State(body=body)) as server, pytest.raises(RefusedError):
        ask(server, event(body))
    (reply,) = server.replies
    assert "@everyone" not in reply
    assert "<" not in reply


def test_help_is_an_answer_and_no_run() -> None:
    with FakeCommands(State(body="/patchmark help")) as server:
        decision = ask(server, event("/patchmark help"))
    assert decision.outputs()["run"] == "false"
    assert "| `/patchmark stop` |" in server.replies[0]
    assert server.reactions == ["eyes", "rocket"]


CALLS = ("GET /repos/owner/sample/issues/comments", "/permission", "/pulls/", "/reactions")


@pytest.mark.parametrize("where", CALLS)
@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (403, '{"message": "Resource not accessible by integration"}', UsageError),
        (404, '{"message": "Not Found"}', UsageError),
        (502, "<html>", InfrastructureError),
        (429, "{}", InfrastructureError),
    ],
)
def test_an_answer_that_does_not_come_is_a_no(
    where: str, status: int, text: str, kind: type[PatchmarkError]
) -> None:
    trouble = Trouble(where, status, text)
    with FakeCommands(State(trouble=[trouble])) as server, pytest.raises(kind):
        ask(server, event())
    assert "rocket" not in server.reactions


@pytest.mark.parametrize("where", CALLS[:3])
@pytest.mark.parametrize("text", ["[]", "null", "nonsense", '{"head": 3, "user": 4}'])
def test_an_answer_that_makes_no_sense_is_a_no(where: str, text: str) -> None:
    trouble = Trouble(where, 200, text)
    with FakeCommands(State(trouble=[trouble])) as server, pytest.raises(PatchmarkError):
        ask(server, event())
    assert "rocket" not in server.reactions


def test_a_server_that_hangs_up() -> None:
    with FakeCommands() as server:
        pass
    with pytest.raises(InfrastructureError, match="does not answer"):
        ask(server, event())


def _stop(*runs: Run, own: str = f"patchmark on command: #{NUMBER}") -> State:
    return State(body="/patchmark stop", runs=[*runs, Run(OWN_RUN, title=own)])


def test_stop_cancels_the_earlier_runs_of_this_pull_request_alone() -> None:
    state = _stop(
        Run(100),
        Run(101, status="queued"),
        Run(102, status="completed"),
        Run(103, title="patchmark on command: #70"),
        Run(104, workflow=99),
        Run(OWN_RUN + 1),
    )
    with FakeCommands(state) as server:
        decision = ask(server, event("/patchmark stop"))
    assert server.cancelled == [100, 101]
    assert decision.said == "runs that were stopped: 2"
    assert decision.outputs()["run"] == "false"


def test_stop_touches_nothing_where_runs_cannot_be_told_apart() -> None:
    """Without `run-name` a run bears the pull request's title, which its author chooses."""
    state = _stop(Run(100, title="Mend it"), own="Mend it")
    with FakeCommands(state) as server, pytest.raises(UsageError, match="run-name"):
        ask(server, event("/patchmark stop"))
    assert server.cancelled == []


def test_a_run_that_cannot_be_stopped_is_said() -> None:
    with (
        FakeCommands(_stop(Run(100, refuses=403))) as server,
        pytest.raises(InfrastructureError, match=r"runs/100; the job needs `actions: write`"),
    ):
        ask(server, event("/patchmark stop"))
    assert server.reactions == ["eyes", "-1"]


def test_the_step_writes_its_outputs_and_hides_its_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    step = Step(tmp_path)
    with FakeCommands() as server:
        told = step.event(**event())
        there = step.environment(
            GITHUB_API_URL=server.url, GITHUB_EVENT_NAME="issue_comment", **told
        )
        assert on_command.run(there) == 0
    assert step.outputs["run"] == "true"
    assert step.outputs["head-sha"] == SHA
    assert "::add-mask::ghs_0123456789" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("told", "name", "code"),
    [
        (event(action="edited"), "issue_comment", 0),
        (event(action="deleted"), "issue_comment", 0),
        (event("nice work"), "issue_comment", 0),
        (event(comment={"id": "x"}), "issue_comment", 2),
        ({}, "issue_comment", 2),
        (event(), "pull_request_target", 2),
        (event(), "", 2),
    ],
)
def test_events_that_start_nothing_ask_nothing(
    tmp_path: Path, told: dict[str, Any], name: str, code: int
) -> None:
    step = Step(tmp_path)
    with FakeCommands() as server:
        there = step.environment(
            GITHUB_API_URL=server.url, GITHUB_EVENT_NAME=name, **step.event(**told)
        )
        assert on_command.run(there) == code
    assert step.outputs == {"run": "false"}
    assert server.requests == []


def test_who_is_refused_sees_no_failed_job(tmp_path: Path) -> None:
    """Else any stranger's comment would send somebody a mail about a broken workflow."""
    step = Step(tmp_path)
    with FakeCommands(State(permission="read")) as server:
        there = step.environment(
            GITHUB_API_URL=server.url, GITHUB_EVENT_NAME="issue_comment", **step.event(**event())
        )
        assert on_command.run(there) == 0
    assert step.outputs == {"run": "false"}
    assert "refused" in step.summary
