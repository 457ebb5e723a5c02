"""The Action where a run is split over jobs: plan, shards, and the one job that comments."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.action_step import Program, Step
from support.fake_github import FakeGitHub
from support.report_data import demo
from support.sample import sample

from core.errors import UsageError
from core.report import Report
from patchmark.action import run
from patchmark.action_inputs import parse_inputs
from patchmark.cli import main
from patchmark.pipeline import TIME_UP
from reports.tally import tally


@pytest.fixture
def step(tmp_path: Path) -> Iterator[Step]:
    """A step whose traces in our own environment are wiped afterwards."""
    before = dict(os.environ)
    yield Step(tmp_path)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def report() -> Report:
    return tally(demo())


def given(step: Step, **inputs: str) -> dict[str, str]:
    """The step's variables with these inputs."""
    return step.environment(**{f"PATCHMARK_INPUT_{name}": text for name, text in inputs.items()})


def test_planning_sets_the_matrix_and_needs_no_key(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The models that the configuration names are asked nothing yet."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    sample(step.folder)
    environment = given(
        step, COMMAND="plan", SHARDS="2", REPO_PATH="sundial", RUN_FOLDER="planned",
        MODELS="anthropic:claude-opus-4-8", GITHUB_TOKEN="",
    )  # fmt: skip
    assert run(environment, main) == 0
    assert json.loads(step.outputs["matrix"]) == {
        "include": [{"shard": 1, "of": 2}, {"shard": 2, "of": 2}]
    }
    assert (step.folder / "planned" / "candidates.jsonl").exists()


def test_a_plan_that_fails_sets_no_matrix(step: Step) -> None:
    assert run(given(step, COMMAND="plan", SHARDS="2"), Program(None, code=2)) == 2
    assert "matrix" not in step.outputs


def test_only_the_merging_job_comments(step: Step, report: Report) -> None:
    """Bug of others: jobs of a matrix wrote over each other's comments."""
    with FakeGitHub(viewer=404) as github:
        pull_request = step.pull_request() | {"GITHUB_API_URL": github.url}
        shard = Program(report)
        assert run(given(step, SHARD="2/5") | pull_request, shard) == 0
        assert "--shard=2/5" in shard.calls[0]
        assert github.bodies == []
        assert run(given(step, COMMAND="merge") | pull_request, Program(report)) == 0
        assert len(github.bodies) == 1


def test_merging_names_the_folders_that_are_there_and_how_many_there_should_be(step: Step) -> None:
    for name in ("patchmark-shard-2", "patchmark-shard-1"):
        (step.folder / "shards" / name).mkdir(parents=True)
    inputs = parse_inputs(
        given(
            step, COMMAND="merge", MERGE_FROM="shards", SHARDS="3", FAIL_UNDER="0.5",
            MODELS="reference", BUDGET_USD="3", RUN_FOLDER="all",
        )
    )  # fmt: skip
    assert inputs.arguments() == [
        "merge",
        str(step.folder / "shards" / "patchmark-shard-1"),
        str(step.folder / "shards" / "patchmark-shard-2"),
        f"--repo={step.folder}",
        f"--out={step.folder / 'all'}",
        "--fail-under=0.5",
        "--expect=3",
    ]


def test_a_time_limit_is_no_failure_of_the_step(step: Step, report: Report) -> None:
    """Steps that keep the run folder come after it."""
    program = Program(report, code=TIME_UP)
    assert run(given(step, TIME_LIMIT="330"), program) == 0
    assert "--time-limit=330" in program.calls[0]


@pytest.mark.parametrize("text", ["0", "many", "-1", "999", "1.5"])
def test_a_wrong_number_of_shards_is_named(step: Step, text: str) -> None:
    with pytest.raises(UsageError, match="input `shards`"):
        parse_inputs(given(step, SHARDS=text))


def test_what_plan_left_is_no_shard_where_all_artifacts_are_downloaded(step: Step) -> None:
    """As on a GitHub Enterprise Server, whose download takes no pattern."""
    for name in ("patchmark-plan", "patchmark-shard-1", "patchmark-shard-2"):
        (step.folder / "shards" / name).mkdir(parents=True)
    arguments = parse_inputs(given(step, COMMAND="merge", MERGE_FROM="shards")).arguments()
    assert [Path(word).name for word in arguments if "/shards/" in word] == [
        "patchmark-shard-1", "patchmark-shard-2",
    ]  # fmt: skip
