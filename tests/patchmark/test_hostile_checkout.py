"""The whole program from inside of a repository that wants to be run, or believed, by it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import yaml
from support.action_step import Step
from support.command_line import command, environment
from support.hostile_repo import PROGRAMS, HostileCheckout
from support.repos import Repo
from support.served import Served, send

from core.errors import UsageError
from core.git import Repository
from core.programs import program, trusted_path, work_tree
from patchmark.under_test import refuse_tracked

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
BASE = str(Path(sys.base_prefix, "bin/python3"))
"""It has pip; a virtual environment need not."""
KEYS = {"ANTHROPIC_API_KEY": "sk-ant-0123456789", "GITHUB_TOKEN": ""}
ASK = "import os, requests; requests.get(os.environ['URL'])"
LOOK_UP = (
    "import docker; client = docker.APIClient(version='1.41')\n"
    "docker.auth.resolve_authconfig(docker.auth.load_config(), 'evil.invalid')"
)
CONTROLS: dict[str, tuple[list[str], dict[str, str]]] = {
    "modules": ([sys.executable, "-m", "patchmark", "--version"], {}),
    "programs": (["/bin/sh", "-c", f"for name in {' '.join(PROGRAMS)}; do $name; done"], {}),
    "uv.toml": ([f"{TOOLS}/uv", "pip", "install", "--dry-run", "--target", "t", "pm-none"], {}),
    "pip.conf": (
        [BASE, "-I", "-m", "pip", "download", "pm-none"],
        {"PIP_CONFIG_FILE": "pip.conf", "PATH": os.defpath},
    ),
    ".npmrc": ([f"{TOOLS}/npm", "view", "pm-none", "--fetch-retries=0"], {}),
    ".netrc": ([sys.executable, "-I", "-c", ASK], {"NETRC": ".netrc"}),
    ".docker": ([sys.executable, "-I", "-c", LOOK_UP], {"DOCKER_CONFIG": ".docker"}),
    ".env": (["/bin/sh", "-c", f'. ./.env; {sys.executable} -I -c "{ASK}"'], {}),
}
"""What would be done with each by a program that is not on its guard, and its environment."""


class Bait(Served):
    """A server that only the repository's own settings name."""

    methods = ("GET", "HEAD", "POST", "PUT")

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(f"{request.path} {request.headers.get('authorization', '')}")
        send(request, 404)


@pytest.fixture
def bait() -> Iterator[Bait]:
    with Bait() as server:
        yield server


@pytest.fixture
def trap(tmp_path: Path, bait: Bait) -> HostileCheckout:
    return HostileCheckout(tmp_path, bait.url)


def _start(
    trap: HostileCheckout, words: list[str], **more: str
) -> subprocess.CompletedProcess[str]:
    path = f"{trap.path}:{os.environ['PATH']}"
    variables = environment(trap.folder, **KEYS) | {"PATH": path, "PYTHONPATH": "."} | more
    return subprocess.run(
        words,
        cwd=trap.repo.path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=540,
    )


@pytest.mark.parametrize("attempt", CONTROLS)
def test_each_attempt_works_on_who_is_not_on_guard(
    attempt: str, trap: HostileCheckout, bait: Bait, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the tests below would prove nothing; what git does is in test_git_hostile.py."""
    words, more = CONTROLS[attempt]
    for name in [name for name in os.environ if name.lower().startswith(("pip_", "uv_", "npm_"))]:
        monkeypatch.delenv(name)
    done = _start(trap, words, URL=bait.url, **more)
    if attempt == "modules":
        assert trap.ran == {"module"}
    elif attempt == "programs":
        assert trap.ran == {f"program-{name}" for name in PROGRAMS}
    elif attempt == ".docker":
        assert "program-docker-credential-evil" in trap.ran
    else:
        assert bait.asked, done.stderr
    if attempt == ".netrc":
        assert "Basic" in bait.asked[0]


@pytest.mark.parametrize(
    "words", ["--version", "doctor --json", "mine --json", "init --force", "report", "images"]
)
def test_no_command_runs_or_believes_anything_of_it(
    words: str, trap: HostileCheckout, bait: Bait
) -> None:
    done = _start(trap, command(*words.split()), DOCKER_HOST="")
    assert (trap.ran, bait.asked) == (set(), []), done.stderr
    assert "Traceback" not in done.stderr
    if words == "mine --json":
        assert json.loads(done.stdout)["candidates"] == 1
    if words == "doctor --json":
        checks = {check["name"]: check for check in json.loads(done.stdout)}
        assert checks["git"]["ok"]
        assert (checks["anthropic key"]["ok"], checks["google key"]["ok"]) == (True, False)


@pytest.mark.docker
def test_a_whole_run_and_the_action_run_and_believe_nothing_of_it(
    trap: HostileCheckout, bait: Bait
) -> None:
    """Mining, building, proving, judging and reporting, in the process that holds the keys."""
    out = ("--out", trap.folder / "out")
    done = _start(trap, command("run", *out, "--max-tasks", "1"))
    assert (trap.ran, bait.asked) == (set(), []), done.stderr
    assert done.returncode == 0, done.stderr
    done = _start(trap, command("env", "--commits", "0", "--no-write", *out))
    assert (trap.ran, bait.asked, done.returncode) == (set(), [], 0), done.stderr
    step = Step(trap.folder)
    variables = step.environment(
        GITHUB_WORKSPACE=str(trap.repo.path), PATCHMARK_INPUT_COMMENT="off"
    )
    done = _start(trap, command("action"), **variables)
    assert (trap.ran, bait.asked, done.returncode) == (set(), [], 0), done.stdout
    assert step.outputs["pass-rate"] == "1.0000"


def test_the_installing_step_runs_no_program_of_the_checkout(
    trap: HostileCheckout, bait: Bait
) -> None:
    """Bug: with "." on PATH the Action's first step ran the checkout's own `dirname`.

    Up to where an interpreter is chosen: there is none of that name, neither here nor there.
    """
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    script = action["runs"]["steps"][0]["run"]
    done = _start(
        trap,
        ["/bin/bash", "-e", "-c", script],
        GITHUB_ACTION_PATH=str(ROOT),
        GITHUB_WORKSPACE=str(trap.repo.path),
        RUNNER_TEMP=str(trap.folder / "temp"),
        PATCHMARK_PYTHON="no-such-python",
        PATCHMARK_CA_BUNDLE="uv.toml",
        GITHUB_OUTPUT=os.devnull,
    )
    assert "'no-such-python' is not Python" in done.stderr
    assert (trap.ran, bait.asked) == (set(), [])


def test_git_is_none_of_the_repository(tmp_path: Path) -> None:
    """Bug: with "." or an empty entry on PATH the repository's own `git` was run."""
    for folder in ("repo/bin", "repo/.git", "other"):
        (tmp_path / folder).mkdir(parents=True)
    own, other = tmp_path / "repo/bin", tmp_path / "other"
    (tmp_path / "link").symlink_to(own)
    path = f".::bin:{own}:{tmp_path / 'link'}:{other}"
    assert trusted_path(path) == f"{own}:{tmp_path / 'link'}:{other}"
    assert trusted_path(path, work_tree(own)) == str(other)
    with pytest.raises(FileNotFoundError):
        program("git", ".::bin")
    assert program("git", f".:{os.environ['PATH']}") == shutil.which("git")


@pytest.mark.parametrize("out", ["run", "run/deeper", "link", "link/run"])
def test_a_run_folder_that_the_repository_brings_is_refused(tmp_path: Path, out: str) -> None:
    """Bug: a committed `patchmark-run` was gone on with, verdicts and all; a committed link led
    the records to wherever it pointed.
    """
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {"run/verdicts.jsonl": "{}\n", "run/deeper/x": "", "a.py": ""})
    (tmp_path / "repo/link").symlink_to(tmp_path)
    repo.checkout()
    repo.git("add", "link")
    repo.git("commit", "-qm", "Link")
    repository = Repository(tmp_path / "repo")
    with pytest.raises(UsageError, match=r"is part of the repository.*--out"):
        refuse_tracked(repository, tmp_path / "repo" / out)
    refuse_tracked(repository, tmp_path / "repo" / "patchmark-run")
    refuse_tracked(repository, tmp_path / "out")
