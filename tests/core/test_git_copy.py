"""A repository on another machine: the same commits, tags, cut and submodules."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from support.repos import Repo

from core.errors import RepositoryError
from core.git import Repository
from core.git_copy import copy_name, read_copy, write_copy
from sandbox.submodules import submodules


def copied(repository: Repository, folder: Path) -> Repository:
    stream = io.BytesIO()
    write_copy(repository, stream)
    stream.seek(0)
    read_copy(stream, folder)
    return Repository(folder / "repository")


def git(*arguments: str | Path) -> None:
    subprocess.run(["git", "-c", "protocol.file.allow=always", *arguments], check=True)


def test_all_that_images_are_made_of_is_there(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "one")
    first = repo.commit("First", {"a.txt": "1\n", "deep/b.txt": "2\n"})
    repo.git("tag", "v1.2.3")
    second = repo.commit("Second", {"a.txt": "3\n"})
    here = Repository(tmp_path / "one")
    there = copied(here, tmp_path / "copy")
    assert there.head == here.head == second
    for commit in (first, second):
        assert there.archive(commit, "repo") == here.archive(commit, "repo")
    assert there.text("describe", "--tags", "--abbrev=0", second).strip() == "v1.2.3"
    assert copy_name(there) == copy_name(here)
    repo.git("tag", "v1.2.4")
    assert copy_name(there) != copy_name(here)


def test_a_shallow_clone_stays_one(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "one")
    for number in range(3):
        repo.commit(f"Number {number}", {"a.txt": f"{number}\n"})
    git("clone", "--quiet", "--depth", "2", f"file://{tmp_path}/one", tmp_path / "cut")
    there = copied(Repository(tmp_path / "cut"), tmp_path / "copy")
    assert there.is_shallow
    assert len(there.text("rev-list", "HEAD").split()) == 2


def test_submodules_come_along(tmp_path: Path) -> None:
    inner, repo = Repo(tmp_path / "inner"), Repo(tmp_path / "outer")
    wanted = inner.commit("Inner", {"data.txt": "inner\n"})
    repo.commit("Outer", {"a.txt": "1\n"})
    git("-C", tmp_path / "outer", "submodule", "--quiet", "add", tmp_path / "inner", "data")
    repo.git("commit", "-q", "-m", "With data")
    git("clone", "--quiet", "--recurse-submodules", tmp_path / "outer", tmp_path / "clone")
    there = copied(Repository(tmp_path / "clone"), tmp_path / "copy")
    (found,) = submodules(there, there.head)
    assert (found.path, found.commit) == ("data", wanted)
    assert found.repository is not None
    assert found.repository.read(wanted, "data.txt") == "inner\n"


def test_what_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("repository/../../head"), io.BytesIO())
    stream.seek(0)
    with pytest.raises(RepositoryError, match="no part of a repository"):
        read_copy(stream, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []
