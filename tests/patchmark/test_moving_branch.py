"""A repository whose default branch moves, and then is gone, while a run goes on in its clone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.command_line import patchmark
from support.fake_anthropic import FakeAnthropic
from support.loopback import Asked, Behaviour
from support.sample import ISSUES, sample

from core.git import clean_environment, git_command

pytestmark = pytest.mark.docker
MODEL = "anthropic:claude-opus-4-8+repair=off"


def git(repository: Path, *words: str) -> str:
    ours = clean_environment() | {
        f"GIT_{who}_{what}": "someone@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        git_command(*words, directory=repository),
        env=ours,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_run_is_of_the_commit_that_it_began_with(tmp_path: Path) -> None:
    """The same commands then go on, with what the branch has become."""
    repository = sample(tmp_path)
    moved: list[str] = []
    began = git(repository, "rev-parse", "HEAD")

    def plan(asked: Asked, number: int) -> Behaviour:
        if not moved:  # pushed over with an older commit and one that nobody knew
            git(repository, "update-ref", "refs/heads/main", "HEAD~20")
            git(repository, "commit", "--quiet", "--allow-empty", "-m", "Something else")
            moved.append(git(repository, "rev-parse", "HEAD"))
            git(repository, "checkout", "--quiet", "--detach")
            git(repository, "branch", "-D", "main")
        return Behaviour(text="I cannot", input_tokens=10, output_tokens=10)

    (tmp_path / "one.toml").write_text("[limits]\nvalidation-runs = 1\n", encoding="utf-8")

    def run(server: FakeAnthropic, models: str) -> dict[str, Any]:
        done = patchmark(
            tmp_path, "run", "--repo", repository, "--out", "out", "--issues", ISSUES, "--json",
            "--models", models, "--max-tasks", "1", "--config", tmp_path / "one.toml",
            ANTHROPIC_API_KEY="sk-ant-secret-1", ANTHROPIC_BASE_URL=server.url,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    with FakeAnthropic(plan) as server:
        first = run(server, f"reference,empty,{MODEL}")
        asked = len(server.asked)
        assert moved
        second = run(server, "reference,empty")
        assert len(server.asked) == asked
    passed = {row["name"]: (row["passed"], row["scored"]) for row in first["entrants"]}
    assert passed == {"reference": (1, 1), "empty": (0, 1), MODEL: (0, 1)}
    assert (first["head"], second["head"]) == (began, moved[0])
    assert not first["tasks_broken"]
