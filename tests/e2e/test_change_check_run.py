"""`examples/workflows/change-check.yml` run by act: two pushes to a pull request, one comment.

GitHub is the stateful one of the loopback, the model a server there that the real SDK asks, and all
else that is measured is real: history, containers, verdicts. Checkout and caches are stand-ins, and
so is what would install patchmark: it hands out this environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.act import ROOT, act, what_users_get
from support.fake_anthropic import FakeAnthropic
from support.github_emulator import BOT, BOT_TOKEN, HERE, Emulator, emulator
from support.knowing import fixes, knowing
from support.npm import NotInstalledError, installed
from support.repos import ENVIRONMENT

from patchmark.demo import import_history
from patchmark.workflow_files import workflow
from reports.change_check_comment import MARKER

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
CACHE = "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
SETUP = """\
#!/bin/sh
mkdir -p "$2/bin"
printf '#!/bin/sh\\nexec %s "$@"\\n' '{python}' > "$2/bin/python"
chmod +x "$2/bin/python"
"""
MODEL = "anthropic:claude-opus-4-8+format=diff"
TASKS = 8
"""Fewer cannot tell."""
SETTINGS = f'max-tasks = {TASKS}\n[limits]\nvalidation-runs = 1\n[mine]\nsince = "2025-03-01"\n'
KEY = "sk-ant-0123456789"
TOLD = "Think of the edges of every range."

pytestmark = pytest.mark.docker


class Pushed:
    """The repository of the pull request; branch `change` is its head."""

    def __init__(self, folder: Path):
        self.path = folder
        import_history(ROOT / "patchmark/sample/history.fast-export", folder)
        text = workflow("change-check", [MODEL], "5").replace('max-tasks: "30"', "")
        self.put(".github/workflows/change-check.yml", text)
        self.put("AGENTS.md", "Be brief.\n")
        self.put("patchmark.toml", SETTINGS)
        self.base = self.commit("main")
        self.git("remote", "add", "origin", "https://github.com/owner/sample.git")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", self.path, *arguments], capture_output=True, text=True, env=ENVIRONMENT,
            check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def put(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self, branch: str) -> str:
        self.git("checkout", "-qB", branch)
        self.git("add", ".")
        self.git("commit", "-qm", "Say more")
        return self.git("rev-parse", "HEAD")

    def push(self, github: Emulator, **files: str) -> dict[str, object]:
        """Commit these to the branch; what the event says then."""
        self.put("AGENTS.md", files["agents"])
        self.put("patchmark.toml", files["settings"])
        repo = {"id": 1, "full_name": "owner/sample"}
        head = {"sha": self.commit("change"), "ref": "change", "repo": repo}
        base = {"sha": self.base, "ref": "main", "repo": repo}
        number = 1 if hasattr(self, "number") else github.open_pull_request().number
        self.number = getattr(self, "number", number)
        return {"pull_request": {"number": self.number, "head": head, "base": base}}


def stand_in(folder: Path, script: str) -> Path:
    """An action that moves files as GitHub would, which act cannot."""
    folder.mkdir(parents=True)
    names = ("path", "key", "restore-keys", "name", "ref", "fetch-depth", "persist-credentials")
    env = {"AT": "${{ inputs.path }}", "REF": "${{ inputs.ref }}"}
    content = {
        "name": folder.name,
        "description": "Stands in",
        "inputs": {name: {"description": name, "default": ""} for name in names},
        "runs": {
            "using": "composite",
            "steps": [{"shell": "bash", "env": env, "run": script}],
        },
    }
    (folder / "action.yml").write_text(json.dumps(content))
    return folder


@pytest.fixture
def actions(tmp_path: Path) -> dict[str, Path]:
    """What the workflow uses, by how it names it."""
    ours, kept = what_users_get(tmp_path / "action"), tmp_path / "kept"
    (ours / "scripts/setup").write_text(SETUP.format(python=sys.executable), encoding="utf-8")
    clone = f'git clone -q "{tmp_path / "sample"}" . && git checkout -q "$REF"'
    restore = f'if [ -d "{kept}" ]; then cp -r "{kept}" "$AT"; fi'
    save = f'rm -rf "{kept}" && if [ -d "$AT" ]; then cp -r "$AT" "{kept}"; fi'
    cache = tmp_path / "cache"
    stand_in(cache / "restore", restore)
    stand_in(cache / "save", save)
    return {
        "patchmark/patchmark@COMMIT": ours,
        CHECKOUT: stand_in(tmp_path / "checkout", clone),
        CACHE: cache,
        UPLOAD: stand_in(tmp_path / "upload", "true"),
    }


@pytest.mark.timeout(1200)
def test_a_change_that_helps_and_then_one_that_does_nothing(
    actions: dict[str, Path], tmp_path: Path
) -> None:
    try:
        installed(HERE)
    except NotInstalledError as error:
        pytest.fail(str(error))
    pushed, asked, logs = Pushed(tmp_path / "sample"), [0], []
    event = tmp_path / "event.json"
    model = FakeAnthropic(knowing(fixes(pushed.path), lambda text: TOLD in text))
    with emulator(tmp_path) as github, model as server:

        def run(number: int, agents: str, settings: str) -> str:
            event.write_text(json.dumps(pushed.push(github, agents=agents, settings=settings)))
            logs.append(act(
                pushed.path, "pull_request", event, actions,
                "--secret", f"GITHUB_TOKEN={BOT_TOKEN}", "--secret", f"ANTHROPIC_API_KEY={KEY}",
                "--env", f"GITHUB_API_URL={github.url}", "--env", f"GITHUB_RUN_ID={number}",
                "--env", f"ANTHROPIC_BASE_URL={server.url}",
                "--action-cache-path", str(tmp_path / "actions"),
                platform="ubuntu-24.04",
            ))  # fmt: skip
            asked.append(len(server.asked))
            (comment,) = github.comments(pushed.number)
            assert comment.user.login == BOT
            return comment.body

        spoilt = SETTINGS.replace("[limits]", "budget-usd = 900\n[limits]")
        helps = run(1, f"Be brief.\n{TOLD}\n", spoilt)
        nothing = run(2, "Be brief.\nBe kind.\n", SETTINGS)
    assert helps.startswith(MARKER)
    assert f"**The change helps {MODEL}: 0 % → 100 % on {TASKS} tasks" in helps.replace(
        "&#43;", "+"
    )
    assert "AGENTS.md: changed, +1 −0 lines" in helps.replace("&#43;", "+")
    assert "budget-usd: not set → 900; what may be spent is the base's word" in helps
    assert "cannot be told: 0 % → 0 %" in nothing
    assert "more tasks" in nothing
    assert "budget-usd" not in nothing
    # Of the second push the new version alone was asked: what the base says was paid for before.
    # Who cannot tell is asked once more, so a task of theirs is two questions.
    assert asked == [0, 3 * TASKS, 5 * TASKS]
    assert not any(secret in log for secret in (KEY, BOT_TOKEN) for log in logs)
