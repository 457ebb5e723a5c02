"""Clones and contents as people have them: partial, bare, linked, huge. None ends the mining."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.mining import FIX, candidates, endings, mined
from support.repos import Entry, File, Repo

from core.git import Repository
from core.objects import Objects
from core.types import Dropped

CALC, TEST = "src/calc.py", "tests/test_calc.py"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {CALC: "a = 1\n", TEST: "assert a\n"})
    repo.commit("Fix", {**FIX})
    repo.commit("More", {CALC: "a = 3\n", TEST: "assert 3\n"})
    return repo


def cloned(repo: Repo, target: Path, *options: str) -> Repo:
    repo.git("clone", "-q", *options, f"file://{repo.path}", str(target))
    clone = Repo.__new__(Repo)
    clone.path = target
    return clone


@pytest.mark.parametrize("options", [("--bare",), ("--mirror",), ("--no-checkout",)])
def test_any_complete_clone_gives_the_same(
    repo: Repo, tmp_path: Path, options: tuple[str, ...]
) -> None:
    assert mined(cloned(repo, tmp_path / "clone", *options)) == mined(repo)


def test_a_linked_worktree_gives_the_same(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "tree"), "main")
    assert mined(Repo(tmp_path / "tree")) == mined(repo)


def test_of_a_partial_clone_what_is_here_is_mined(repo: Repo, tmp_path: Path) -> None:
    """Nothing is fetched: what a clone left out costs the commits that need it, by name."""
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = cloned(repo, tmp_path / "partial", "--filter=blob:none")
    found = endings(clone)
    assert sorted(found.values()) == ["root_commit", "unreadable", "unreadable"]
    whole = endings(repo)
    assert list(whole) == list(found)
    assert Repository(tmp_path / "partial").is_partial


def test_objects_of_a_partial_clone_are_none_where_they_are_not_here(
    repo: Repo, tmp_path: Path
) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    blob = repo.git("rev-parse", f"main:{CALC}").decode().strip()
    old = repo.git("rev-parse", f"main~1:{CALC}").decode().strip()
    clone = cloned(repo, tmp_path / "partial", "--filter=blob:none")
    clone.git("checkout", "-q", "main")
    with Objects(Repository(clone.path)) as objects:
        assert objects.sizes([blob, old, blob, "f" * 40]) == [6, None, 6, None]
        assert objects.read(blob) == b"a = 3\n"
        assert objects.read(old) is None


def test_a_file_of_a_hundred_megabytes_is_not_read(repo: Repo) -> None:
    """It is judged by its size alone: a patch of it would be in memory more than once."""
    big = b"\0" * 100_000_000
    commit = repo.commit("Big", {"data/big.bin": big, CALC: "a = 4\n", TEST: "assert 4\n"})
    after = repo.commit("After", {TEST: "assert 5\n", CALC: "a = 5\n"})
    found = {record.commit: record for record in mined(repo) if isinstance(record, Dropped)}
    assert (found[commit].reason.value, found[commit].detail) == (
        "too_large",
        "data/big.bin has 100 MB",
    )
    assert after in endings(repo)


POINTER = "version https://git-lfs.example/spec/v1\noid sha256:{}\nsize 12345\n"


def test_pointers_links_renames_and_modes_are_changes_like_any_other(repo: Repo) -> None:
    tip = repo.git("rev-parse", "main").decode().strip()
    files: dict[str, File] = {
        "data/model.bin": POINTER.format("a" * 64),
        "src/link.py": Entry("120000", b"calc.py"),
        "src/run.py": Entry("100755", b"x\n"),
        "src/windows.py": "a\r\nb\r\n",
        CALC: None,
        "src/renamed.py": "a = 3\n",
        TEST: "assert 5\n",
    }
    commit = repo.commit("All of it", files)
    found = {c.fix_commit: c for c in candidates(repo)}[commit]
    assert found.base_commit == tip
    assert {"src/link.py", "src/run.py", "src/windows.py", CALC, "src/renamed.py"} == set(
        found.source_files
    )
    assert "a\r\n" in found.gold_patch
    assert "deleted file mode" in found.gold_patch


def test_clocks_that_are_wrong_change_nothing_but_dates(repo: Repo) -> None:
    late = repo.commit("Late", {CALC: "a = 5\n", TEST: "assert 5\n"}, date="4000000000 +0000")
    early = repo.commit("Early", {CALC: "a = 6\n", TEST: "assert 6\n"}, date="5 +0000")
    assert [c.fix_commit for c in candidates(repo)][-2:] == [late, early]
