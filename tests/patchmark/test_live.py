"""`patchmark live` on the sample repository with a real engine, and what is refused before."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_line import patchmark
from support.fake_repository import FakeRepository
from support.repos import Repo
from support.sample import EXCHANGES, MODELS, sample

ISO = "8b050132daca"  # "Read ISO 8601 durations", which has recorded answers
HELP = "e6082e7"  # changes tests alone
TOKEN = "ghs_0123456789"


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, FakeRepository]]:
    """A folder where pull request 4, merged as that commit, was tried; and what was printed."""
    folder = tmp_path_factory.mktemp("live")
    repository = sample(folder)
    git = ["git", "-C", str(repository)]
    subprocess.run([*git, "remote", "add", "origin", "https://github.com/owner/sample"], check=True)
    head = subprocess.check_output([*git, "rev-parse", ISO], text=True).strip()
    with FakeRepository() as server:
        server.merged(4, [head], title="Read ISO 8601")
        arguments = live(repository)
        done = patchmark(folder, *arguments, GITHUB_TOKEN=TOKEN, GITHUB_API_URL=server.url)
        assert done.returncode == 0, done.stderr
        yield folder, done.stdout, server


def live(repository: Path, commit: str = ISO, *more: str) -> list[str | Path]:
    """Arguments that try a commit with the recorded answers."""
    return [
        "live", "--commit", commit, "--repo", repository, "--models", MODELS,
        "--replay", EXCHANGES, *more,
    ]  # fmt: skip


@pytest.mark.docker
def test_everybody_tries_it_and_it_lies_in_the_history(
    tried: tuple[Path, str, FakeRepository],
) -> None:
    folder, printed, _ = tried
    assert printed.startswith("#4 Read ISO 8601\n  Solved by none of 2 models.\n")
    assert "replay:hasty" in printed
    git = ["git", "-C", str(folder / "sundial")]
    (path,) = subprocess.check_output(
        [*git, "ls-tree", "-r", "--name-only", "patchmark-history"], text=True
    ).split()
    kept = json.loads(subprocess.check_output([*git, "show", f"patchmark-history:{path}"]))
    assert kept["pull_request"] == 4
    assert kept["unmeasured"] is None
    assert {(c["entrant"], c["outcome"]) for c in kept["cells"]} == {
        ("reference", "passed"),
        ("empty", "failed"),
        ("replay:careful", "failed"),
        ("replay:hasty", "failed"),
    }
    assert all(c["fiction"] for c in kept["cells"] if c["entrant"].startswith("replay:"))


@pytest.mark.docker
def test_what_was_tried_is_not_tried_again_and_after_the_end_nothing_is(
    tried: tuple[Path, str, FakeRepository], tmp_path: Path
) -> None:
    folder, _, _ = tried
    again = patchmark(folder, *live(folder / "sundial"))
    assert (again.returncode, again.stdout) == (0, "")
    assert f"{ISO} was tried before" in again.stderr
    config = tmp_path / "patchmark.toml"
    config.write_text("[trial]\nuntil = 2026-01-31\n")
    over = patchmark(folder, *live(folder / "sundial", ISO, "--again", f"--config={config}"))
    assert (over.returncode, over.stdout) == (0, "")
    assert "The live trial ended on 2026-01-31: nothing is tried" in over.stderr


def test_a_change_without_tests_ends_in_a_sentence(tmp_path: Path) -> None:
    repository = sample(tmp_path)
    done = patchmark(tmp_path, *live(repository, HELP))
    assert (done.returncode, done.stdout) == (0, "")
    assert "no task, it changes no source file" in done.stderr
    refs = subprocess.check_output(["git", "-C", repository, "for-each-ref"], text=True)
    assert "patchmark-history" not in refs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--commit SHA, or --pull NUMBER"),
        (("--commit=HEAD", "--pull=3"), "--commit SHA, or --pull NUMBER"),
        (("--pull=3",), "set GITHUB_TOKEN"),
        (("--commit=HEAD",), "has no parent"),
        (("--commit=nothing",), "is not in this clone"),
        (("--commit=HEAD", "--history=branch:a..b"), "cannot be a branch"),
    ],
)
def test_what_cannot_be_tried_says_so(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {"a.py": "1\n"})
    done = patchmark(tmp_path, "live", "--repo", repo.path, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
