"""A folder of a monorepo: its own settings, its own fixes, its own tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command_line import patchmark
from support.repos import Repo

from patchmark.settings import Flags, make
from patchmark.subfolder import folder_within

PROJECT = """\
[project]
name = "api"
version = "1"
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
packages = ["api"]
"""
SETTINGS = """\
max-tasks = 3
[mine]
tests = ["checks/**"]
paths = ["api"]
[environment]
workdir = "."
dockerfile = "ci/Dockerfile"
"""


def _code(add: str, web: str) -> dict[str, str]:
    return {
        "services/api/pyproject.toml": PROJECT,
        "services/api/api/__init__.py": f"def add(a, b):\n    return {add}\n",
        "services/web/web.py": f"def page():\n    return {web}\n",
    }


@pytest.fixture
def mono(tmp_path: Path) -> Path:
    """Two fixes, one in each of two services; a folder of one of them."""
    repo = Repo(tmp_path / "mono")
    api, web = "services/api/tests/test_api.py", "services/web/test_web.py"
    first = {**_code("a - b", "1"), api: "def test_it():\n    assert True\n", web: ""}
    repo.commit("Start", first)
    of_api = {
        **first, **_code("a + b", "1"),
        api: "from api import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    }  # fmt: skip
    repo.commit("Add adds: add(1, 2) returned -1", of_api)
    repo.commit(
        "The page is 2: it was 1",
        {**of_api, **_code("a + b", "2"), web: "from web import page\nassert page() == 2\n"},
    )
    folder = tmp_path / "mono/services/api"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_paths_of_its_settings_and_flags_count_from_the_folder(mono: Path) -> None:
    """Bug: the whole repository was mined, and what is installed and tested was left to luck."""
    assert folder_within(mono) == "services/api"
    assert folder_within(mono.parents[1]) == ""
    plain = make(Flags(repo=mono), {})
    assert plain.choice.paths == ("services/api",)
    assert plain.environment.workdir == "services/api"
    (mono / "patchmark.toml").write_text(SETTINGS)
    own = make(Flags(repo=mono), {})
    assert own.max_tasks == 3
    assert own.choice.paths == ("services/api/api",)
    assert own.path_rules.tests == ("services/api/checks/**",)
    assert own.environment.workdir == "services/api"
    assert own.environment.dockerfile == "services/api/ci/Dockerfile"
    assert make(Flags(repo=mono, paths="api/x,tests"), {}).choice.paths == (
        "services/api/api/x", "services/api/tests",
    )  # fmt: skip
    assert make(Flags(repo=mono, paths=""), {}).choice.paths == ("services/api",)
    root = make(Flags(repo=mono.parents[1]), {})
    assert (root.choice.paths, root.environment.workdir) == ((), ".")


@pytest.mark.docker
def test_its_fixes_become_tasks_and_no_others(mono: Path, tmp_path: Path) -> None:
    (mono / "patchmark.toml").write_text("[limits]\nvalidation-runs = 1\n")
    done = patchmark(tmp_path, "run", "--repo", mono, "--out", "out")
    assert done.returncode == 0, done.stderr
    (task,) = map(json.loads, (tmp_path / "out/tasks.jsonl").read_text().splitlines())
    assert task["fail_to_pass"] == ["tests/test_api.py::test_add"]
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert [row["pass_rate"] for row in report["entrants"]] == [1.0, 0.0]
