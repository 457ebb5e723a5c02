"""Submodules: their files come along where the clone has them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import cast

import pytest
from support.repos import Entry, File, Repo

from core.git import Repository
from sandbox.docker import DockerEngine
from sandbox.image import Images
from sandbox.network import Network
from sandbox.recipe import EnvironmentSettings
from sandbox.submodules import submodules

MODULES = '[submodule "{name}"]\n\tpath = tests/data\n\turl = ../data\n'


def clone(folder: Path, name: str = "data") -> tuple[Repo, str]:
    """A repository with a submodule in tests/data, and the commit that is recorded."""
    inner = Repo(folder / "data")
    recorded = inner.commit("Start", {"a.toml": "old\n", ".gitmodules": ""})
    inner.commit("Later", {"a.toml": "new\n"})
    outer = Repo(folder / "repo")
    files: dict[str, File] = {
        ".gitmodules": MODULES.format(name=name),
        "tests/data": Entry("160000", recorded.encode()),
        "tests/a.py": "",
    }
    outer.commit("Start", files)
    return outer, recorded


def fetch(repo: Repo, source: Path, name: str = "data") -> None:
    """As `git submodule update --init` leaves it."""
    place = repo.path / ".git/modules" / name
    repo.git("clone", "-q", "--bare", str(source), str(place))
    repo.git(f"--git-dir={place}", "config", "core.bare", "false")
    repo.git(f"--git-dir={place}", "config", "core.worktree", "../../../tests/data")
    (repo.path / "tests/data").mkdir(parents=True)


def unpacked(repo: Repo, said: list[str]) -> dict[str, bytes]:
    """The files that a build of HEAD gets."""
    images = Images(
        engine=cast(DockerEngine, None),  # which only later steps ask
        repository=Repository(repo.path),
        settings=EnvironmentSettings(),
        network=Network(),
        logs=repo.path,
        tell=said.append,
    )
    found = {}
    for archive in images._archives("HEAD") + images._archives("HEAD"):
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                file = tar.extractfile(member)
                found[member.name] = file.read() if file else b""
    return found


def test_a_submodule_comes_along_at_the_recorded_commit(tmp_path: Path) -> None:
    """Bug: tests that read a submodule's files were run without it, and none could be collected."""
    repo, _ = clone(tmp_path)
    fetch(repo, tmp_path / "data")
    said: list[str] = []
    assert unpacked(repo, said)["repo/tests/data/a.toml"] == b"old\n"
    assert not said


def test_one_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    repo, recorded = clone(tmp_path)
    said: list[str] = []
    assert set(unpacked(repo, said)) == {"repo/.gitmodules", "repo/tests/a.py"}
    assert len(said) == 1
    assert f"tests/data at {recorded[:12]} is not in this clone" in said[0]


@pytest.mark.parametrize("name", ["../../../elsewhere", "{}/elsewhere"])
def test_a_name_does_not_lead_out_of_the_clone(tmp_path: Path, name: str) -> None:
    repo, recorded = clone(tmp_path, name.format(tmp_path))
    (repo.path / ".git/modules").mkdir()
    repo.git("clone", "-q", "--bare", str(tmp_path / "data"), str(tmp_path / "elsewhere"))
    found = list(submodules(Repository(repo.path), "HEAD"))
    assert [(one.commit, one.repository) for one in found] == [(recorded, None)]
