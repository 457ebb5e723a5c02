"""`examples/workflows/sharded.yml`, called by a workflow of a pull request, by act."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.act import act
from support.fake_github import FakeGitHub
from support.runner import actions, sample_with

TOKEN = "ghs_0123456789"
CALLER = """
name: caller
on: pull_request
permissions: {}
jobs:
  compare:
    permissions: { contents: read, issues: read, pull-requests: write }
    uses: ./.github/workflows/sharded.yml
    with: { models: "reference,empty", shards: "3", max-tasks: "3", budget-usd: "1" }
"""
SETTINGS = "[limits]\nvalidation-runs = 1\nworkers = 1\n"

pytestmark = pytest.mark.docker


def attempts(folder: Path) -> dict[str, list[str]]:
    """Shard → the tasks that were judged in what it kept, one a verdict."""
    found = {}
    for kept in sorted(folder.iterdir()):
        path = kept / "patchmark-run/verdicts.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        found[kept.name] = sorted(json.loads(line)["task_id"] for line in lines)
    return found


@pytest.mark.timeout(600)
def test_a_lost_shard_is_told_and_the_next_run_makes_it_whole(tmp_path: Path) -> None:
    """One job comments, whatever the number of shards."""
    files = {"patchmark.toml": SETTINGS, ".github/workflows/caller.yml": CALLER}
    repository = sample_with(tmp_path / "sample", files, "sharded.yml")
    using = actions(tmp_path / "actions", repository)
    caches = tmp_path / "caches"
    caches.mkdir()
    base = {"id": 1, "full_name": "owner/sample"}
    event = tmp_path / "event.json"
    pulled = {"number": 7, "head": {"repo": base}, "base": {"repo": base}}
    event.write_text(json.dumps({"number": 7, "pull_request": pulled, "repository": base}))

    def run(number: int, github: FakeGitHub, lost: str = "") -> str:
        artifacts = tmp_path / f"artifacts-{number}"
        artifacts.mkdir()
        return act(
            repository, "pull_request", event, using,
            "--env", f"GITHUB_API_URL={github.url}", "--env", f"GITHUB_RUN_ID={number}",
            "--env", f"CACHES={caches}", "--env", f"ARTIFACTS={artifacts}",
            "--env", f"LOST={lost}", "--env", f"XDG_CACHE_HOME={tmp_path / 'home'}",
            "--secret", f"GITHUB_TOKEN={TOKEN}",
            "--action-cache-path", str(tmp_path / "fetched"),
            platform="ubuntu-24.04", fails=bool(lost),
        )  # fmt: skip

    with FakeGitHub(viewer=404) as github:
        run(1, github, lost="patchmark-shard-3")
        (comment,) = github.bodies
        assert "2 tasks" in comment
        assert "Shard 3 of 3 is missing" in comment
        judged = attempts(caches)
        run(2, github)
        (comment,) = github.bodies
    assert "3 tasks" in comment
    assert "is missing" not in comment
    # What the lost shard had done was kept, and was neither done again nor kept anew. The first has
    # none of the three tasks.
    assert judged.pop("patchmark-shard-1-of-3-1-1", []) == []
    assert {name: len(tasks) for name, tasks in judged.items()} == {
        "patchmark-shard-2-of-3-1-1": 4,
        "patchmark-shard-3-of-3-1-1": 2,
    }
    assert {name: tasks for name, tasks in attempts(caches).items() if tasks} == judged
