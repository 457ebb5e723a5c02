"""The Action against a GitHub on 127.0.0.1; the program is a stand-in that writes a report."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from decimal import Decimal

import pytest
from support.action_step import Program, Step
from support.fake_github import FakeGitHub
from support.report_data import demo, facts

from core.report import Report
from patchmark.action import run
from patchmark.action_inputs import parse_inputs
from patchmark.pipeline import AWAITING
from patchmark.posting import best
from reports import files
from reports.tally import tally

KEY = "sk-ant-0123456789"


@pytest.fixture(scope="module")
def report() -> Report:
    """A run of two baselines and two models; its verdict holds nothing that Markdown escapes."""
    return tally(demo()).model_copy(update={"verdict": "Take the careful one."})


def test_second_run_updates_the_one_comment(step: Step, report: Report) -> None:
    with FakeGitHub(viewer=404) as github:
        environment = step.environment(GITHUB_API_URL=github.url, **step.pull_request())
        assert run(environment, Program(report)) == 0
        first = github.bodies[0]
        changed = report.model_copy(update={"verdict": "Something else."})
        assert run(environment, Program(changed)) == 0
    assert len(github.bodies) == 1
    assert report.verdict in first
    assert "Something else." in github.bodies[0]
    assert github.tokens == {"token ghs_0123456789"}
    assert (
        step.outputs["comment-url"]
        == "https://github.example/owner/sample/pull/7#issuecomment-1001"
    )


def test_the_comment_tells_what_changed_since_the_last_run(step: Step, report: Report) -> None:
    """The numbers ride in the comment itself: nothing else has to be kept from run to run."""
    better = tally(facts({"replay:hasty": "PPPPPPPPPPPPPP", "openai:new": "P" * 14}))
    later = better.model_copy(update={"head": "e" * 40, "repository": report.repository})
    with FakeGitHub(viewer=404) as github:
        environment = step.environment(GITHUB_API_URL=github.url, **step.pull_request())
        for one in (report, later, later):
            assert run(environment, Program(one)) == 0
    (body,) = github.bodies
    assert f"against the run of 2026-03-02 at {report.head[:12]}; this one is at eeeeeeee" in body
    assert "| +6 −0 of 14 (noise) |" in body
    assert "| new |" in body


def bodies_after(
    step: Step, mode: str, *runs: tuple[str, Report], kept: Report | None = None
) -> list[str]:
    """What the comments say after these runs of the workflow, each with its number."""
    if kept:
        files.write(kept, step.folder / "temp/patchmark-run")
    with FakeGitHub(viewer=404) as github:
        for number, report in runs:
            environment = step.environment(
                GITHUB_API_URL=github.url, GITHUB_RUN_ID=number, GITHUB_RUN_ATTEMPT="1",
                PATCHMARK_INPUT_COMMENT=mode, **step.pull_request(),
            )  # fmt: skip
            assert run(environment, Program(report)) == 0
    return github.bodies


def test_an_older_run_that_ends_later_leaves_the_comment(
    step: Step, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    older = report.model_copy(update={"verdict": "Older."})
    (body,) = bodies_after(step, "auto", ("20", report), ("19", older))
    assert report.verdict in body
    assert "the comment stays as it is: the comment tells of a newer run" in capsys.readouterr().out
    assert step.outputs["comment-url"].endswith("#issuecomment-1001")


def test_changes_are_told_and_the_same_again_is_not(step: Step, report: Report) -> None:
    again = report.model_copy(update={"head": "e" * 40})
    (body,) = bodies_after(step, "changes", ("1", report), ("2", again))
    assert report.head[:12] in body
    assert "eeeeeeee" not in body


def test_a_regression_is_told_beside_the_run_that_the_folder_kept(
    step: Step, report: Report
) -> None:
    """Where all was well there is no comment to compare with: the run folder knows."""
    entrants = {"openai:new": "P" * 14}
    good = tally(facts(entrants)).model_copy(update={"repository": report.repository})
    worse = tally(facts({"openai:new": "F" * 14})).model_copy(
        update={"repository": report.repository, "head": "e" * 40}
    )
    assert bodies_after(step, "regressions", ("1", good), kept=good) == []
    (body,) = bodies_after(step, "regressions", ("2", worse), ("3", worse), kept=good)
    assert "| +0 −14 of 14 (p < 0.001) |" in body


def test_summary_and_outputs_say_what_the_report_says(step: Step, report: Report) -> None:
    assert run(step.environment(), Program(report)) == 0
    folder = step.folder / "temp" / "patchmark-run"
    row = best(report)
    assert row is not None
    assert row.pass_rate is not None
    assert report.verdict in step.summary
    assert step.outputs == {
        "cache-changed": "false",
        "verdict": report.verdict,
        "best-model": row.name,
        "pass-rate": f"{row.pass_rate:.4f}",
        "cost-usd": str(sum((r.cost_usd or Decimal(0) for r in report.entrants), Decimal(0))),
        "run-folder": str(folder),
        "report-md": str(folder / "report.md"),
        "report-html": str(folder / "report.html"),
        "report-json": str(folder / "report.json"),
    }


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_refused_comment_is_a_warning_and_no_failure(
    step: Step, report: Report, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeGitHub(viewer=404, refuse_with=status) as github:
        environment = step.environment(GITHUB_API_URL=github.url, **step.pull_request())
        assert run(environment, Program(report)) == 0
    (warning,) = re.findall("^::warning .*$", capsys.readouterr().out, re.MULTILINE)
    assert str(status) in warning
    assert status != 403 or "pull-requests: write" in warning
    assert step.outputs["comment-url"] == ""


def test_a_github_that_is_down_is_a_warning(
    step: Step, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = step.environment(GITHUB_API_URL="http://127.0.0.1:9", **step.pull_request())
    assert run(environment, Program(report)) == 0
    assert "::warning title=patchmark::no comment" in capsys.readouterr().out


def test_no_comment_when_switched_off_or_without_pull_request(step: Step, report: Report) -> None:
    with FakeGitHub(viewer=404) as github:
        environment = step.environment(GITHUB_API_URL=github.url)
        off = {"PATCHMARK_INPUT_COMMENT": "off"}
        assert run(environment | step.event(ref="refs/heads/main"), Program(report)) == 0
        assert run(environment | off | step.pull_request(), Program(report)) == 0
    assert github.bodies == []
    assert report.verdict in step.summary


def test_fork_without_keys_runs_nothing_and_says_so(
    step: Step, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    program = Program(report)
    models = {"PATCHMARK_INPUT_MODELS": "reference,anthropic:some-model"}
    assert run(step.environment(**models, **step.pull_request("x/fork")), program) == 0
    assert program.calls == []
    assert "Nothing was run" in step.summary
    assert "::notice title=patchmark::Nothing was run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "head"),
    [
        pytest.param({}, "x/fork", id="baselines need no key"),
        pytest.param(
            {"PATCHMARK_INPUT_MODELS": "anthropic:some-model", "PATCHMARK_INPUT_REPLAY": "answers"},
            "x/fork",
            id="recorded answers need no key",
        ),
        pytest.param(
            {"PATCHMARK_INPUT_MODELS": "anthropic:some-model", "ANTHROPIC_API_KEY": KEY},
            "x/fork",
            id="the repository gives forks its keys",
        ),
        pytest.param(
            {"PATCHMARK_INPUT_MODELS": "anthropic:some-model"}, "Owner/Sample", id="no fork"
        ),
    ],
)
def test_everything_else_is_run(
    step: Step, report: Report, more: Mapping[str, str], head: str
) -> None:
    program = Program(report)
    off = {"PATCHMARK_INPUT_COMMENT": "off"}
    assert run(step.environment(**more, **off, **step.pull_request(head)), program) == 0
    assert len(program.calls) == 1


def test_dependabot_gets_no_secrets_either(step: Step) -> None:
    program = Program(None)
    environment = step.environment(
        PATCHMARK_INPUT_MODELS="google:some-model",
        GITHUB_ACTOR="dependabot[bot]",
        **step.pull_request(),
    )
    assert run(environment, program) == 0
    assert program.calls == []


@pytest.mark.parametrize("code", [1, 2, 3])
def test_exit_code_is_that_of_the_command_line(
    step: Step, report: Report, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(step.environment(), Program(report if code == 1 else None, code)) == code
    assert "::error title=patchmark::" in capsys.readouterr().out
    assert step.summary


def test_report_of_an_earlier_step_is_not_taken_for_ours(step: Step, report: Report) -> None:
    assert run(step.environment(), Program(report)) == 0
    (step.folder / "summary.md").unlink()
    assert run(step.environment(), Program(None, 3)) == 3
    assert report.verdict not in step.summary


def test_runner_takes_no_commands_while_the_program_prints(
    step: Step, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    run(step.environment(), Program(report, prints="::error::forged"))
    out = capsys.readouterr().out
    token = re.search("^::stop-commands::([0-9a-f]{32})$", out, re.MULTILINE)
    assert token is not None
    assert token.start() < out.index("::error::forged") < out.index(f"::{token[1]}::")


def test_runner_stays_deaf_when_the_program_crashes(
    step: Step, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(_: list[str]) -> int:
        raise RuntimeError("\n::error::forged")

    with pytest.raises(RuntimeError):
        run(step.environment(), crash)
    token = re.search("::stop-commands::(.*)", out := capsys.readouterr().out)
    assert token is not None
    assert f"::{token[1]}::" not in out.replace(token[0], "")


def test_text_of_a_report_can_set_no_output(step: Step, report: Report) -> None:
    verdict = "fine\nEOF\npass-rate<<EOF\n1.0000\nEOF"
    run(step.environment(), Program(report.model_copy(update={"verdict": verdict})))
    assert step.outputs["verdict"] == verdict
    assert step.outputs["pass-rate"] != "1.0000"


def test_keys_are_masked_first_and_short_values_never(
    step: Step, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = {"PATCHMARK_INPUT_ANTHROPIC_API_KEY": KEY, "GEMINI_API_KEY": "short"}
    run(step.environment(**keys), Program(report))
    lines = capsys.readouterr().out.splitlines()
    masks = {line for line in lines if line.startswith("::add-mask::")}
    assert masks == {f"::add-mask::{KEY}", "::add-mask::ghs_0123456789"}
    assert set(lines[: len(masks)]) <= masks


def test_keys_reach_the_program_by_environment_and_inputs_go_first(
    step: Step, report: Report
) -> None:
    os.environ["PATCHMARK_INPUT_GITHUB_TOKEN"] = "ghs_0123456789"
    program = Program(report)
    given = {"PATCHMARK_INPUT_GOOGLE_API_KEY": KEY, "GEMINI_API_KEY": "the job's own"}
    run(step.environment(**given), program)
    assert os.environ["GEMINI_API_KEY"] == KEY
    assert os.environ["GITHUB_TOKEN"] == "ghs_0123456789"
    assert not [name for name in os.environ if name.startswith("PATCHMARK_INPUT_")]
    assert "--models=reference,empty" in program.calls[0]
    assert KEY not in " ".join(program.calls[0])


def test_another_providers_key_is_not_enough_on_a_fork(step: Step) -> None:
    program = Program(None)
    environment = step.environment(
        PATCHMARK_INPUT_MODELS="google:some-model",
        ANTHROPIC_API_KEY=KEY,
        **step.pull_request("x/fork"),
    )
    assert run(environment, program) == 0
    assert program.calls == []


@pytest.mark.parametrize("helper", ["JUDGE_MODEL", "REWRITE_WITH"])
def test_who_only_helps_needs_a_key_too(step: Step, helper: str) -> None:
    """A fork's run with a judge and baselines alone began, and failed for want of the key."""
    program = Program(None)
    wanted = {f"PATCHMARK_INPUT_{helper}": "google:some-model"}
    assert run(step.environment(**wanted, **step.pull_request("x/fork")), program) == 0
    assert program.calls == []


def test_inputs_become_flags_and_paths_start_at_the_workspace(step: Step) -> None:
    inputs = parse_inputs(
        step.environment(
            PATCHMARK_INPUT_REPO_PATH="sub",
            PATCHMARK_INPUT_MODELS="a,b",
            PATCHMARK_INPUT_FAIL_UNDER="--help",
            PATCHMARK_INPUT_RUN_FOLDER="kept",
        )
    )
    assert inputs.arguments() == [
        "run",
        f"--repo={step.folder}/sub",
        "--models=a,b",
        f"--out={step.folder}/kept",
        "--fail-under=--help",
    ]


@pytest.mark.parametrize("name", ["comment", "batch"])
def test_a_wrong_input_is_named(step: Step, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {f"PATCHMARK_INPUT_{name.upper()}": "maybe"}
    assert run(step.environment(**wrong), Program(None)) == 2
    assert f"input `{name}` is 'maybe'" in capsys.readouterr().out


@pytest.mark.parametrize(("given", "flags"), [("true", ["--batch"]), ("false", []), ("", [])])
def test_batches_are_asked_for_by_a_word(step: Step, given: str, flags: list[str]) -> None:
    inputs = parse_inputs(step.environment(PATCHMARK_INPUT_BATCH=given))
    assert [word for word in inputs.arguments() if word.startswith("--batch")] == flags


def test_awaited_batches_are_no_failure(
    step: Step, report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job that handed in its questions was shown as failed until the next one went on."""
    assert run(step.environment(), Program(report, AWAITING)) == 0
    printed = capsys.readouterr().out
    assert "::error" not in printed
    assert "answers are awaited from a batch" in printed
    assert report.verdict in step.summary


def test_best_is_the_cheaper_of_equally_good_models(report: Report) -> None:
    first, second = (row for row in report.entrants if not row.baseline)
    rows = [
        first.model_copy(update={"pass_rate": 0.5, "cost_usd": Decimal(2)}),
        second.model_copy(update={"pass_rate": 0.5, "cost_usd": Decimal(1)}),
    ]
    assert best(report.model_copy(update={"entrants": tuple(rows)})) == rows[1]
    assert best(report.model_copy(update={"entrants": ()})) is None
