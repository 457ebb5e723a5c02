"""Both example workflows for forks, run by act: measured without a token, posted with one."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.act import ROOT, act, commit_all, what_users_get
from support.fake_github import REPOSITORY_ID, FakeGitHub

from core.git import clean_environment
from patchmark.demo import import_history

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
TOKEN = "ghs_bot_0123456789"
BASE = {"id": REPOSITORY_ID, "full_name": "owner/sample", "owner": {"login": "owner"}}
FORK = {"id": len("x/fork"), "full_name": "x/fork", "owner": {"login": "x"}}

pytestmark = pytest.mark.docker


def stand_in(folder: Path, script: str) -> Path:
    """An action that moves files as GitHub would, which act cannot."""
    folder.mkdir()
    names = (
        "name",
        "path",
        "retention-days",
        "ref",
        "fetch-depth",
        "persist-credentials",
    )
    step = {"shell": "bash", "env": {"AT": "${{ inputs.path }}"}, "run": script}
    content = {
        "name": folder.name,
        "description": "Stands in",
        "inputs": {name: {"description": name, "default": ""} for name in names},
        "runs": {"using": "composite", "steps": [step]},
    }
    (folder / "action.yml").write_text(json.dumps(content))
    return folder


def zipped(folder: Path) -> bytes:
    """The artifact as GitHub keeps it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    return content.getvalue()


@pytest.mark.timeout(1200)
def test_a_forks_pull_request_is_measured_and_then_posted(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    folder = tmp_path / "sample"
    import_history(ROOT / "patchmark/sample/history.fast-export", folder)
    workflows = folder / ".github/workflows"
    workflows.mkdir(parents=True)
    for name in ("fork-run.yml", "fork-report.yml"):
        text = (ROOT / "examples/workflows" / name).read_text(encoding="utf-8")
        (workflows / name).write_text(text.replace('max-tasks: "10"', 'max-tasks: "1"'))
    origin = ["remote", "add", "origin", "https://github.com/owner/sample.git"]
    subprocess.run(["git", "-C", folder, *origin], check=True, env=clean_environment())
    head = commit_all(folder)
    actions = {
        "patchmark/patchmark@COMMIT": what_users_get(tmp_path / "action"),
        CHECKOUT: stand_in(tmp_path / "checkout", f'git clone -q "{folder}" .'),
        UPLOAD: stand_in(tmp_path / "upload", f'cp "$AT" "{kept}/"'),
    }
    opened = {"number": 7, "head": {"sha": head, "repo": FORK}, "base": {"repo": BASE}}
    opened["user"] = {"login": "x"}
    measured: dict[str, Any] = {
        "id": 77, "run_attempt": 1, "event": "pull_request", "conclusion": "success",
        "head_sha": head, "head_branch": "change", "head_repository": FORK, "repository": BASE,
        "updated_at": "2026-03-02T09:30:00Z",
    }  # fmt: skip
    cache = ("--action-cache-path", str(tmp_path / "actions"))
    with FakeGitHub(viewer=404) as github:
        github.pull(7, head)
        for event, payload, token in (
            ("pull_request", {"pull_request": opened, "repository": BASE}, "ghs_fork_0123456789"),
            ("workflow_run", {"workflow_run": measured, "repository": BASE}, TOKEN),
        ):
            path = tmp_path / f"{event}.json"
            path.write_text(json.dumps(payload), encoding="utf-8")
            api = ("--env", f"GITHUB_API_URL={github.url}", "--secret", f"GITHUB_TOKEN={token}")
            if event == "workflow_run":
                github.artifacts[measured["id"]] = {"patchmark-report": zipped(kept)}
            act(folder, event, path, actions, *cache, *api, platform="ubuntu-24.04")
            assert len(github.bodies) == (event == "workflow_run")
        assert [path.name for path in kept.iterdir()] == ["report.json"]
    assert head[:12] in github.bodies[0]
    assert "nobody has checked them" in github.bodies[0]
    assert github.storage_tokens == {""}
    # The fork's own token, though there is one, got to nobody.
    assert github.tokens == {f"token {TOKEN}"}
