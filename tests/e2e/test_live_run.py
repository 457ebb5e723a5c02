"""`examples/workflows/live.yml` as it stands, run by act against a loopback GitHub.

Both jobs and all their steps are real, but for what installs patchmark, which hands out this
environment, and for the actions of GitHub's own that move files. Answers are recorded ones.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.act import ROOT, act, commit_all, what_users_get
from support.fake_repository import FakeRepository
from support.sample import EXCHANGES, sample

from core.git import clean_environment

ISO = "8b050132daca"  # "Read ISO 8601 durations", which has recorded answers
TOKEN = "ghs_0123456789"
KEY = "sk-ant-0123456789"
PINS = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
    "cache": "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae",
    "upload": "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
    "download": "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131",
}
SETUP = """\
#!/bin/sh
mkdir -p "$2/bin"
printf '#!/bin/sh\\nexec %s "$@"\\n' '{python}' > "$2/bin/python"
chmod +x "$2/bin/python"
"""

pytestmark = pytest.mark.docker


def stand_in(folder: Path, script: str) -> Path:
    """An action that moves files as GitHub would, which act cannot."""
    folder.mkdir(parents=True)
    names = (
        "ref", "fetch-depth", "persist-credentials", "path", "key", "restore-keys", "name",
        "if-no-files-found", "retention-days",
    )  # fmt: skip
    step = {"id": "it", "shell": "bash", "env": {"AT": "${{ inputs.path }}"}, "run": script}
    content = {
        "name": folder.name,
        "description": "Stands in",
        "inputs": {name: {"description": name, "default": ""} for name in names},
        "outputs": {"artifact-id": {"value": "${{ steps.it.outputs.id }}", "description": "id"}},
        "runs": {"using": "composite", "steps": [step]},
    }
    (folder / "action.yml").write_text(json.dumps(content))
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The sample with the workflow, whose models are recordings."""
    folder = sample(tmp_path)
    workflow = folder / ".github/workflows/live.yml"
    workflow.parent.mkdir(parents=True)
    text = (ROOT / "examples/workflows/live.yml").read_text(encoding="utf-8")
    text = text.replace(
        "models: reference,empty,anthropic:claude-opus-4-8,google:gemini-3.5-flash",
        f"models: reference,empty,replay:hasty\n          replay: {EXCHANGES}",
    )
    workflow.write_text(text, encoding="utf-8")
    origin = ["remote", "add", "origin", "https://github.com/owner/sample.git"]
    subprocess.run(["git", "-C", folder, *origin], check=True, env=clean_environment())
    commit_all(folder)
    return folder


@pytest.fixture
def actions(repository: Path, tmp_path: Path) -> dict[str, Path]:
    """What the workflow uses, by how it names it."""
    ours = what_users_get(tmp_path / "action")
    (ours / "scripts/setup").write_text(SETUP.format(python=sys.executable), encoding="utf-8")
    kept, at = tmp_path / "kept", tmp_path / "actions"
    leave = f'for f in $AT; do [ -f "$f" ] || continue; mkdir -p "{kept}/$(dirname "${{f#*/}}")"; '
    leave += f'cp "$f" "{kept}/${{f#*/}}"; echo id=7 >> "$GITHUB_OUTPUT"; done'
    for part in ("restore", "save"):
        stand_in(at / "cache" / part, "true")
    return {
        "patchmark/patchmark@COMMIT": ours,
        PINS["checkout"]: stand_in(at / "checkout", f'git clone -q "{repository}" .'),
        PINS["cache"]: at / "cache",
        PINS["upload"]: stand_in(at / "upload", leave),
        PINS["download"]: stand_in(at / "download", f'mkdir -p "$AT"; cp -r "{kept}"/. "$AT"'),
    }


def commit(repository: Path, revision: str) -> str:
    told = subprocess.check_output(["git", "-C", repository, "rev-parse", revision], text=True)
    return told.strip()


def pushed(repository: Path, last: str) -> dict[str, Any]:
    """The event of a push that ended with a commit, and brought that alone."""
    return {
        "ref": "refs/heads/main", "forced": False,
        "before": commit(repository, f"{last}^"), "after": commit(repository, last),
        "repository": {"default_branch": "main", "full_name": "owner/sample"},
    }  # fmt: skip


@pytest.mark.timeout(600)
def test_a_merge_is_tried_told_kept_and_the_trial_comes_to_an_end(
    repository: Path, actions: dict[str, Path], tmp_path: Path
) -> None:
    with FakeRepository(viewer=404) as github:
        github.merged(4, [commit(repository, ISO)], title="Read ISO 8601")

        def run(event: str, payload: dict[str, Any]) -> str:
            path = tmp_path / f"{event}.json"
            path.write_text(json.dumps(payload), encoding="utf-8")
            return act(
                repository, event, path, actions, "--env", f"GITHUB_API_URL={github.url}",
                "--secret", f"GITHUB_TOKEN={TOKEN}", "--secret", f"ANTHROPIC_API_KEY={KEY}",
                "--action-cache-path", str(tmp_path / "fetched"), platform="ubuntu-24.04",
            )  # fmt: skip

        log = run("push", pushed(repository, ISO))
        (comment,) = github.said_on(4)
        assert "**replay:hasty would not have solved this.**" in comment
        assert "| **replay:hasty** | ❌ failed | &#36;0.013 | 4.3 s | still fails: " in comment
        (path,) = github.branches["patchmark-history"]
        assert path.startswith("live/")
        (issue,) = github.issues
        assert issue.title == "patchmark: the live trial"
        assert "Live so far, 1 task: " in issue.body
        assert github.said_on(issue.number) == []
        assert TOKEN not in log
        assert KEY not in log

        (repository / "patchmark.toml").write_text("[trial]\nuntil = 2026-01-31\n")
        commit_all(repository)
        run("schedule", {"schedule": "17 6 * * *"})
        (said,) = github.said_on(issue.number)
        assert "The live trial ended on 2026-01-31 without a decision" in said
        assert "The live trial ended on 2026-01-31 without a decision" in issue.body
        assert len(github.issues) == 1
