"""`patchmark env` and `patchmark images`, as a user starts them."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command_line import patchmark
from support.fake_anthropic import FakeAnthropic
from support.loopback import Behaviour, in_order
from support.repos import Repo

from core.errors import UsageError
from core.git import Repository
from patchmark.environments import spread

OPUS = "anthropic:claude-opus-4-8"
CALC = "def add(a, b):\n    return a + b\n"
TESTS = "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n"
RECIPE = 'test = ["sh checks/add.sh"]\nresults = "exit-code"\n'


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A repository whose tests nobody could detect."""
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {"add.sh": "echo $(($1 + $2))\n", "checks/add.sh": "sh add.sh 1 1\n"})
    return tmp_path / "repo"


@pytest.fixture
def model() -> Iterator[FakeAnthropic]:
    with FakeAnthropic(
        in_order(
            Behaviour(
                text="Let me look.\n\n```sh\nls; echo $npm_config_registry; touch /made\n```\n"
            ),
            Behaviour(text="I do not know."),
            Behaviour(text="```toml\ntest = 'make'\nresults = 'nonsense'\n```"),
            Behaviour(text="```sh\ntest -e /made && exit 3\n```"),
            Behaviour(text=f"So:\n\n```toml\n{RECIPE}```"),
        )
    ) as server:
        yield server


@pytest.mark.docker
def test_what_runs_is_shown_and_written_down(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {"calc.py": CALC, "README.md": ""})
    (tmp_path / "repo" / "patchmark.toml").write_text("max-tasks = 3\n")
    repo.commit("Test", {"test_calc.py": TESTS})
    done = patchmark(tmp_path, "env", "--repo", "repo", "--commits", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    header = "commit date recipe toolchain built tests pass fail skip took image"
    assert lines[0].split() == header.split()
    assert re.search(r" files +Python 3\.11\.\d+ +\d+ s +1 +1 +0 +0 +\d+ s +\d+ MB", lines[1])
    assert re.search(r" +0 +0 +0 +0 ", lines[2])
    assert "1 of 2 commits run their tests" in done.stdout
    assert max(map(len, lines[:3])) <= 80
    text = (tmp_path / "repo" / "patchmark.toml").read_text()
    assert tomllib.loads(text) == {"max-tasks": 3, "environment": {"ecosystem": "python"}}
    again = patchmark(tmp_path, "env", "--repo", "repo", "--commits", "0", "--json")
    assert "has an [environment] already" in again.stderr
    assert (tmp_path / "repo" / "patchmark.toml").read_text() == text
    (row,) = json.loads(again.stdout)
    assert (row["works"], row["tests"], row["recipe"]) == (True, {"passed": 1}, "files")


@pytest.mark.docker
def test_a_model_repairs_a_recipe_and_is_paid_once(
    shell: Path, model: FakeAnthropic, tmp_path: Path
) -> None:
    words = ("env", "--repo", shell, "--commits", "0", "--repair-with", OPUS, "--budget-usd", "2")
    keys: dict[str, Any] = {
        "ANTHROPIC_API_KEY": "sk-ant-1",
        "ANTHROPIC_BASE_URL": model.url,
        "npm_config_registry": "http://user:hunter2@127.0.0.1:1/",
    }
    done = patchmark(tmp_path, *words, "--no-write", **keys)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 commits run their tests" in done.stdout
    assert len(model.asked) == 5
    told = model.asked[-1].text
    for expected in ("no tests detected", "checks", "0 fenced blocks", "results: "):
        assert expected in told
    assert "It failed" in told
    assert "hunter2" not in "".join(asked.text for asked in model.asked)
    # Nothing is asked again, by a run of the same folder or one that lost the recipe.
    patchmark(tmp_path, *words, **keys)
    assert tomllib.loads((shell / "patchmark.toml").read_text())["environment"] == (
        tomllib.loads(RECIPE)
    )
    (tmp_path / "patchmark-run" / "repaired.toml").unlink()
    (shell / "patchmark.toml").unlink()
    patchmark(tmp_path, *words, **keys)
    assert len(model.asked) == 5


@pytest.mark.docker
def test_a_model_that_is_stopped_by_the_budget(
    shell: Path, model: FakeAnthropic, tmp_path: Path
) -> None:
    done = patchmark(
        tmp_path, "env", "--repo", shell, "--commits", "0", "--repair-with", OPUS,
        "--budget-usd", "0.0001", ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=model.url,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "repair stopped: " in done.stderr
    assert "0 of 1 commits run their tests" in done.stdout
    assert model.asked == []


@pytest.mark.docker
def test_images_are_listed(tmp_path: Path) -> None:
    done = patchmark(tmp_path, "images")
    assert re.search(r"^\d+ images \(.*base.*\), .* together$", done.stdout, re.MULTILINE)
    found = json.loads(patchmark(tmp_path, "images", "--json").stdout)
    assert found["bytes"] > 1e8
    assert {"tag", "own_bytes", "used_at"} == set(found["images"][0])


def test_the_past_is_sampled_evenly(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    commits = [repo.commit(f"{n}", {"a": str(n)}) for n in range(9)][::-1]
    chosen = [commit for commit, _ in spread(Repository(tmp_path), 4, 5)]
    assert chosen == [commits[0], commits[2], commits[4], commits[6], commits[8]]
    assert len(spread(Repository(tmp_path), 50, 5)) == 9
    assert [commit for commit, _ in spread(Repository(tmp_path), 0, 5)] == [commits[0]]


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    os.system(f"git init -q {tmp_path}")  # noqa: S605
    with pytest.raises(UsageError, match="has no commit"):
        spread(Repository(tmp_path), 4, 5)
