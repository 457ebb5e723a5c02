"""A repository that wants to run programs in the process that reads it. None may run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.hostile_repo import Trap
from support.mining import FIX

from core.errors import RepositoryError
from core.git import Repository, clean_environment, git_command, touched_paths
from core.types import Candidate
from miner.file_tracker import NoTracker
from miner.mine import mine


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path)


def test_the_trap_works(trap: Trap) -> None:
    """Git as it is runs all of these; else the tests below would prove nothing."""
    for arguments in (
        ("status",),
        ("diff", "HEAD~1"),
        ("log", "-1", "-p", "--no-ext-diff", "--textconv", "--show-signature"),
        ("checkout", "-q", "-f", "HEAD~1", "--", "src"),
        ("cat-file", "blob", trap.lost),
    ):
        trap.repo.git(*arguments, check=False)
    wanted = {"included", "diff.evil.command", "diff.evil.textconv", "gpg.program", "ext"}
    assert trap.ran >= wanted | {"filter.evil.clean", "filter.evil.smudge", "post-index-change"}


def test_mining_runs_nothing(trap: Trap) -> None:
    records = list(mine(Repository(trap.repo.path), NoTracker()))
    assert [isinstance(record, Candidate) for record in records] == [False, False, True]
    assert trap.ran == set()


def test_reading_and_archiving_run_nothing(trap: Trap) -> None:
    repository = Repository(trap.repo.path)
    assert repository.read(trap.head, "src/calc.py") == FIX["src/calc.py"]
    assert b"assert 2" in repository.archive(trap.head, "repo")
    assert not repository.is_shallow
    assert trap.ran == set()


def test_a_missing_object_is_not_fetched(trap: Trap) -> None:
    """Git would do it by running the program of the remote."""
    repository = Repository(trap.repo.path)
    with pytest.raises(RepositoryError):
        repository.archive(trap.first, "repo")
    assert repository.read(trap.first, "lost.txt") is None
    with pytest.raises(RepositoryError):
        repository.resolve("0123456789" * 4)
    assert trap.ran == set()


def test_a_missing_object_is_not_fetched_by_an_older_git_either(trap: Trap) -> None:
    """Bug: `protocol.ext.allow` of the repository won over our `protocol.allow=never`, and a git
    that does not know GIT_NO_LAZY_FETCH ran the program of the remote.
    """
    environment = clean_environment()
    del environment["GIT_NO_LAZY_FETCH"]
    command = git_command("cat-file", "blob", trap.lost, directory=trap.repo.path)
    assert subprocess.run(command, env=environment, capture_output=True).returncode != 0
    assert trap.ran == set()


def test_reading_a_diff_runs_nothing(trap: Trap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(trap.repo.path))
    monkeypatch.chdir(trap.repo.path)
    diff = "--- a/src/calc.py\n+++ b/src/calc.py\n@@ -1 +1 @@\n-a\n+b\n"
    assert touched_paths(diff) == ["src/calc.py"]
    assert trap.ran == set()
