"""`examples/workflows/on-command.yml` as it stands, run by act against a loopback GitHub.

What would install patchmark is a stand-in that hands out this environment, and so are the
comparison itself, checkout and cache; who decides, and what the second job is told, is real.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.fake_commands import COMMENT, NUMBER, SHA, FakeCommands, State
from support.npm import programs
from support.repos import Repo

ROOT = Path(__file__).parents[2]
TOKEN = "tok_0123456789"
KEY = "sk-ant-0123456789"
CACHE = "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
STEP = """\
name: stand-in
inputs: {{ {inputs} }}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        GIVEN: ${{{{ toJSON(inputs) }}}}
      run: printf '%s' "$GIVEN" > "$SEEN/{name}.json"
"""
SETUP = """\
#!/bin/sh
mkdir -p "$2/bin"
printf '#!/bin/sh\\nexec %s "$@"\\n' '{python}' > "$2/bin/python"
chmod +x "$2/bin/python"
"""


def _stand_in(folder: Path, name: str, *inputs: str) -> None:
    """An action that writes down its inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    table = ", ".join(f"{each}: {{ default: '' }}" for each in inputs)
    (folder / "action.yml").write_text(STEP.format(name=name, inputs=table), encoding="utf-8")


@pytest.fixture
def actions(tmp_path: Path) -> dict[str, Path]:
    """What the workflow uses, by how it names it."""
    ours, cache = tmp_path / "patchmark", tmp_path / "cache"
    given = ("models", "max-tasks", "budget-usd", "run-folder", "anthropic-api-key")
    _stand_in(ours, "compare", *given, "google-api-key")
    shutil.copytree(ROOT / "on-command", ours / "on-command")
    shutil.copytree(ROOT / "scripts", ours / "scripts")
    shutil.copy(ROOT / "requirements.txt", ours)
    (ours / "scripts/setup").write_text(SETUP.format(python=sys.executable), encoding="utf-8")
    for part in ("restore", "save"):
        _stand_in(cache / part, part, "path", "key", "restore-keys")
    checkout = tmp_path / "checkout"
    _stand_in(checkout, "checkout", "ref", "fetch-depth", "persist-credentials")
    return {"patchmark/patchmark@COMMIT": ours, CACHE: cache, CHECKOUT: checkout}


def _act(repo: Repo, github: FakeCommands, actions: dict[str, Path], tmp_path: Path) -> str:
    """Run the workflow; its log, and in `seen` what the stand-ins were given."""
    (tmp_path / "seen").mkdir()
    person = {"login": "ann", "type": "User"}
    event = tmp_path / "event.json"
    event.write_text(
        json.dumps(
            {
                "action": "created",
                "issue": {"number": NUMBER, "pull_request": {"url": "x"}},
                "comment": {"id": COMMENT, "body": github.state.body, "user": person},
            }
        )
    )
    options = [
        "issue_comment", "--platform", "ubuntu-24.04=-self-hosted", "--eventpath", str(event),
        "--secret", f"GITHUB_TOKEN={TOKEN}", "--secret", f"ANTHROPIC_API_KEY={KEY}",
        "--env", f"GITHUB_API_URL={github.url}", "--env", f"SEEN={tmp_path / 'seen'}",
        "--action-cache-path", str(tmp_path / "fetched"), "--no-cache-server",
    ]  # fmt: skip
    for name, folder in actions.items():
        options += ["--local-repository", f"{name}={folder}"]
    done = subprocess.run(
        [Path(sys.executable).with_name("act"), *options],
        cwd=repo.path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PATH": programs()},
    )
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    return log


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository whose one workflow is the example."""
    made = Repo(tmp_path / "repo")
    example = (ROOT / "examples/workflows/on-command.yml").read_text(encoding="utf-8")
    made.commit("Start", {".github/workflows/on-command.yml": example})
    made.git("reset", "--hard", "-q")
    made.git("remote", "add", "origin", "https://github.com/owner/sample.git")
    return made


def test_a_command_reaches_the_comparison_and_nothing_else_does(
    repo: Repo, actions: dict[str, Path], tmp_path: Path
) -> None:
    body = "/patchmark run anthropic:claude-opus-4-8 --tasks 3\nthank you"
    with FakeCommands(State(body=body)) as github:
        log = _act(repo, github, actions, tmp_path)
    given = json.loads((tmp_path / "seen/compare.json").read_text())
    assert given["models"] == "reference,empty,anthropic:claude-opus-4-8"
    assert given["max-tasks"] == "3"
    assert given["anthropic-api-key"] == KEY
    checkout = json.loads((tmp_path / "seen/checkout.json").read_text())
    assert checkout == {"ref": SHA, "fetch-depth": "0", "persist-credentials": "false"}
    kept = json.loads((tmp_path / "seen/save.json").read_text())
    assert kept["key"].startswith(f"on-command-{NUMBER}-")
    assert github.reactions == ["eyes", "rocket"]
    assert TOKEN not in log
    assert KEY not in log


def test_who_may_not_starts_nothing(repo: Repo, actions: dict[str, Path], tmp_path: Path) -> None:
    with FakeCommands(State(permission="read")) as github:
        log = _act(repo, github, actions, tmp_path)
    assert list((tmp_path / "seen").iterdir()) == []
    assert "refused" in log
    assert github.reactions == ["-1"]
