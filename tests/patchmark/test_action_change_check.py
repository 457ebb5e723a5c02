"""`command: change-check` of the Action: whose two commits, for whom not, and its own comment."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.action_step import Program, Step
from support.fake_github import FakeGitHub
from support.report_data import demo, facts
from support.repos import Repo

from core.change_check import ChangeCheck, CheckedEntrant
from core.report import Report
from patchmark.action import run
from reports import markdown
from reports.change_check import with_change
from reports.change_check_comment import MARKER
from reports.tally import tally

KEY = "sk-ant-0123456789"
CLAUDE = "anthropic:claude-opus-4-8"
BASE = {"id": 501, "full_name": "owner/sample"}


@pytest.fixture
def repo(step: Step) -> Repo:
    """The checkout, with a branch that changes AGENTS.md."""
    made = Repo(step.folder)
    base = made.commit("Start", {"AGENTS.md": "x\n", "patchmark.toml": f'models = ["{CLAUDE}"]\n'})
    made.commit("Change", {"AGENTS.md": "y\n"}, parents=(base,), branch="change")
    return made


def sha(repo: Repo, branch: str) -> str:
    return repo.git("rev-parse", branch).decode().strip()


def measured(base: str, head: str) -> Report:
    """What the program leaves."""
    one = CheckedEntrant(entrant=CLAUDE, other=CLAUDE, base=f"{CLAUDE}B", head=f"{CLAUDE}H")
    about = ChangeCheck(base="a" * 40, head="b" * 40, margin=0.1, entrants=(one,))
    return with_change(tally(facts({one.base: base, one.head: head})), about)


HELPS, HURTS = measured("F" * 9, "P" * 9), measured("P" * 9, "F" * 9)
IDLE = with_change(HELPS, ChangeCheck(base="a" * 40, head="b" * 40, margin=0.1))


def event(step: Step, base: str, head: str, source: object = BASE) -> dict[str, str]:
    """What the pull request's event sets; `source` is its head's repository."""
    pull = {
        "number": 7,
        "base": {"sha": base, "repo": BASE},
        "head": {"sha": head, "repo": source},
    }
    return {
        "GITHUB_EVENT_NAME": "pull_request",
        "PATCHMARK_INPUT_COMMAND": "change-check",
        "PATCHMARK_INPUT_ANTHROPIC_API_KEY": KEY,
        **step.event(pull_request=pull),
    }


def checked(step: Step, repo: Repo, program: Program, **more: str) -> int:
    """One run for the branch."""
    sides = event(step, sha(repo, "main"), sha(repo, "change"))
    return run(step.environment(**{**sides, **more}), program)


def test_the_command_line_has_both_commits_and_the_comment_a_marker_of_its_own(
    step: Step, repo: Repo
) -> None:
    with FakeGitHub(viewer=404) as github:
        api = {"GITHUB_API_URL": github.url}
        usual = step.environment(**api, **step.pull_request())
        assert run(usual, Program(tally(demo()))) == 0
        program = Program(HELPS)
        more = {"PATCHMARK_INPUT_BUDGET_USD": "5", "PATCHMARK_INPUT_GUIDANCE": "prompts/"}
        assert checked(step, repo, program, **api, **more, GITHUB_RUN_ID="3") == 0
        assert checked(step, repo, Program(HURTS), **api, GITHUB_RUN_ID="2") == 0
        backtest, change = github.bodies
        assert checked(step, repo, Program(HURTS), **api, GITHUB_RUN_ID="4") == 0
        assert github.bodies[0] == backtest
        assert "The change hurts" in github.bodies[1]
    (call,) = program.calls
    assert call[0] == "check-change"
    assert {f"--base={sha(repo, 'main')}", f"--head={sha(repo, 'change')}"} < set(call)
    assert {"--budget-usd=5", "--guidance=prompts/"} < set(call)
    assert not any(KEY in word or "+version" in word for word in call)
    assert backtest.startswith(markdown.MARKER)
    assert change.startswith(MARKER)
    assert "The change helps" in change  # the older run did not write over it
    assert "The change helps" in step.summary
    assert step.outputs["verdict"] == HURTS.verdict


def test_who_has_nothing_to_measure_tells_nobody_but_takes_back_what_was_said(
    step: Step, repo: Repo
) -> None:
    with FakeGitHub(viewer=404) as github:
        api = {"GITHUB_API_URL": github.url}
        assert checked(step, repo, Program(IDLE), **api, GITHUB_RUN_ID="1") == 0
        assert github.bodies == []
        for number, report in enumerate((HURTS, IDLE), 2):
            assert checked(step, repo, Program(report), **api, GITHUB_RUN_ID=str(number)) == 0
    assert "nobody was asked" in github.bodies[0]
    assert len(github.bodies) == 1


FORK = {"id": 9, "full_name": "x/fork"}


@pytest.mark.parametrize("name", ["pull_request", "pull_request_target"])
def test_a_fork_is_told_so_and_nothing_is_run(step: Step, repo: Repo, name: str) -> None:
    """Also where there are keys: they would be spent on what a stranger writes."""
    program = Program(HELPS)
    sides = event(step, sha(repo, "main"), sha(repo, "change"), FORK)
    assert run(step.environment(**{**sides, "GITHUB_EVENT_NAME": name}), program) == 0
    assert program.calls == []
    assert "is from a fork" in step.summary


@pytest.mark.parametrize("said", [{}, {"issue": {"number": 7, "pull_request": {}}}])
def test_without_a_pull_request_there_is_nothing_to_compare(
    step: Step, repo: Repo, said: dict[str, object]
) -> None:
    program = Program(HELPS)
    sides = event(step, sha(repo, "main"), sha(repo, "change")) | step.event(**said)
    assert run(step.environment(**sides), program) == 0
    assert program.calls == []
    assert "Nothing was run: " in step.summary


@pytest.mark.usefixtures("repo")
def test_a_head_that_was_pushed_over_is_left_to_the_newer_run(step: Step, repo: Repo) -> None:
    program = Program(HELPS)
    sides = event(step, sha(repo, "main"), "f" * 40)
    assert run(step.environment(**sides), program) == 0
    assert program.calls == []
    assert "ffffffffffff is in no branch of this repository any more" in step.summary


def test_a_shallow_checkout_is_a_mistake_of_the_workflow(
    step: Step, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = Repo(tmp_path / "far")
    far.commit("One", {"a": "1"})
    far.commit("Two", {"a": "2"})
    near = Repo(tmp_path / "near")
    near.git("fetch", "-q", "--depth=1", f"file://{far.path}", "main:got")
    near.git("checkout", "-q", "got")
    sides = event(step, sha(near, "got"), "f" * 40)
    more = {"PATCHMARK_INPUT_REPO_PATH": "near"}
    assert run(step.environment(**{**sides, **more}), Program(HELPS)) == 2
    assert "fetch-depth: 0" in capsys.readouterr().out


def test_settings_of_the_head_that_cannot_be_read_fail_with_their_line(
    step: Step, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.commit("Break", {"patchmark.toml": "a = 1\nb = [\n"}, branch="change")
    program = Program(HELPS)
    assert checked(step, repo, program) == 2
    assert program.calls == []
    assert f"patchmark.toml of {sha(repo, 'change')[:12]}:2:" in capsys.readouterr().out


def test_dependabot_has_no_keys_and_fails_for_none(step: Step, repo: Repo) -> None:
    program = Program(HELPS)
    more = {"GITHUB_ACTOR": "dependabot[bot]", "PATCHMARK_INPUT_ANTHROPIC_API_KEY": ""}
    assert checked(step, repo, program, **more) == 0
    assert program.calls == []
    assert "API key is missing" in step.summary
