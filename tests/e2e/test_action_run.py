"""The Action for real: a workflow of another repository, run by act against a loopback GitHub."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.act import ROOT, act, commit_all, what_users_get
from support.github_emulator import (
    BOT,
    BOT_TOKEN,
    HERE,
    REPOSITORY,
    Emulator,
    emulator,
)
from support.npm import NotInstalledError, installed

from core.git import clean_environment
from patchmark.demo import import_history

USES = "patchmark/patchmark@COMMIT"
WORKFLOW = f"""
name: patchmark
on: pull_request
permissions:
  contents: read
  pull-requests: write
jobs:
  measure:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
        with:
          fetch-depth: 0
      - id: patchmark
        uses: {USES}
        with:
          models: reference,empty
          max-tasks: ${{{{ vars.MAX_TASKS }}}}
          run-folder: ${{{{ vars.FOLDER }}}}
      - if: always()
        env:
          OUTPUTS: ${{{{ toJSON(steps.patchmark.outputs) }}}}
          FOLDER: ${{{{ vars.FOLDER }}}}
        run: printf '%s' "$OUTPUTS" > "$FOLDER/outputs.json"
"""

pytestmark = pytest.mark.docker


@dataclass(frozen=True)
class Consumer:
    """A repository that uses the Action, on the machine that runs its workflow."""

    folder: Path
    action: Path
    temporary: Path

    def run(self, github: Emulator, event: Path, max_tasks: int) -> tuple[Path, str]:
        """Run the workflow; the run folder and the log. Fails the test when the workflow does."""
        folder = self.temporary / f"run-{max_tasks}"
        folder.mkdir()
        log = act(
            self.folder, "pull_request", event, {USES: self.action},
            "--secret", f"GITHUB_TOKEN={BOT_TOKEN}", "--env", f"GITHUB_API_URL={github.url}",
            "--action-cache-path", str(self.temporary / "actions"),
            "--var", f"MAX_TASKS={max_tasks}", "--var", f"FOLDER={folder}",
        )  # fmt: skip
        return folder, log


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Emulator]:
    """A GitHub of our own."""
    try:
        installed(HERE)
    except NotInstalledError as error:
        pytest.fail(str(error))
    with emulator(tmp_path) as running:
        yield running


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    """The sample repository with a workflow that uses this checkout as the Action."""
    folder = tmp_path / "sample"
    import_history(ROOT / "patchmark/sample/history.fast-export", folder)
    workflow = folder / ".github/workflows/patchmark.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(WORKFLOW, encoding="utf-8")
    origin = f"https://github.com/{REPOSITORY}.git"
    subprocess.run(
        ["git", "-C", folder, "remote", "add", "origin", origin],
        check=True,
        env=clean_environment(),
    )
    commit_all(folder)
    return Consumer(folder, what_users_get(tmp_path / "action"), tmp_path)


@pytest.mark.timeout(1200)
def test_a_pull_request_gets_one_comment_that_the_next_run_updates(
    github: Emulator, consumer: Consumer, tmp_path: Path
) -> None:
    """Install, mine, prove, solve, judge and report, twice, with nothing faked but GitHub."""
    pull_request = github.open_pull_request()
    event = tmp_path / "event.json"
    event.write_text(json.dumps(github.event(pull_request)), encoding="utf-8")

    folder, log = consumer.run(github, event, max_tasks=2)
    (first,) = github.comments(pull_request.number)
    outputs = json.loads((folder / "outputs.json").read_text(encoding="utf-8"))
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert first.user.login == BOT
    assert "2 tasks" in first.body
    assert outputs["verdict"] == report["verdict"]
    assert outputs["verdict"] in first.body
    assert outputs["pass-rate"] == "1.0000"
    assert outputs["best-model"] == "reference"
    assert outputs["comment-url"] == first.html_url
    assert outputs["report-html"] == str(folder / "report.html")
    assert [row["passed"] for row in report["entrants"]] == [2, 0]
    assert "Summary - " in log
    assert BOT_TOKEN not in log

    consumer.run(github, event, max_tasks=1)
    (second,) = github.comments(pull_request.number)
    assert second.id == first.id
    assert second.body != first.body
    assert "1 task" in second.body
