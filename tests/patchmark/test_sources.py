"""Where issues and pull requests come from: what the settings and the remote say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fake_tracker import NAME, FakeTracker, Fault
from support.repos import Repo

from core.errors import UsageError
from core.git import Repository
from miner.tracker import Tracker
from patchmark.settings import Flags, make
from patchmark.sources import tracker_for

TOKEN = {"GITHUB_TOKEN": "t", "GITHUB_API_URL": "http://127.0.0.1:9/api/v3"}


@pytest.fixture
def server() -> Iterator[FakeTracker]:
    with FakeTracker() as server:
        yield server


def tracker(
    tmp_path: Path, variables: dict[str, str], remote: str = "", issues: Path | None = None
) -> tuple[Tracker, list[str]]:
    """The tracker of a new repository, and what is told."""
    repo = Repo(tmp_path / "repo")
    repo.commit()
    if remote:
        repo.git("remote", "add", "origin", remote)
    told: list[str] = []
    ours = {"XDG_CACHE_HOME": str(tmp_path / "cache"), **variables}
    settings = make(Flags(repo=repo.path, issues=issues), ours)
    slept: list[float] = []
    return tracker_for(settings, Repository(repo.path), told.append, slept.append), told


@pytest.mark.parametrize(
    ("remote", "variables", "slug"),
    [
        ("git@github.com:o/r.git", {}, "o/r"),
        ("https://github.com/o/r", {}, "o/r"),
        ("https://github.example.org/o/r.x.git/", {}, "o/r.x"),
        ("https://github.com/o/r", {"GITHUB_REPOSITORY": "our/fork"}, "our/fork"),
        ("https://github.com/o/r", {"GITHUB_REPOSITORY": "no slug"}, "o/r"),
        ("git@git.corp:o/r.git", {"GITHUB_API_URL": "https://git.corp/api/v3"}, "o/r"),
        ("ssh://git@git.corp:22/o/r.git", {"GITHUB_API_URL": "https://git.corp/api/v3"}, "o/r"),
        ("https://u@Git.Corp/o/r.git", {"GITHUB_API_URL": "https://api.git.corp"}, "o/r"),
    ],
)
def test_the_repository_is_known_by_its_remote_or_by_name(
    tmp_path: Path, remote: str, variables: dict[str, str], slug: str
) -> None:
    found, told = tracker(tmp_path, TOKEN | variables, remote)
    assert (found.slug, told) == (slug, [])


@pytest.mark.parametrize(
    ("remote", "variables", "words"),
    [
        ("https://github.com/o/r", {}, "GITHUB_TOKEN is not set"),
        ("https://github.com/o/r", {"GITHUB_TOKEN": " "}, "GITHUB_TOKEN is not set"),
        ("", TOKEN, "no GitHub remote is known"),
        ("https://gitlab.example/o/r", TOKEN, "no GitHub remote is known"),
    ],
)
def test_without_a_token_or_a_repository_there_is_none_and_that_is_told(
    tmp_path: Path, remote: str, variables: dict[str, str], words: str
) -> None:
    found, told = tracker(tmp_path, variables, remote)
    assert found.issues([1]) == {}
    assert found.missed == 1
    assert told == [f"{words}: statements come from commit messages alone"]


def test_an_issues_file_goes_before_github(tmp_path: Path) -> None:
    path = tmp_path / "issues.json"
    path.write_text(json.dumps([{"number": 1, "title": "t"}]))
    found, told = tracker(tmp_path, TOKEN, "https://github.com/o/r", path)
    assert (set(found.issues([1, 2])), found.slug, found.missed, told) == ({1}, "o/r", 0, [])


@pytest.mark.parametrize("url", ["github.example", "ftp://github.example", "https://"])
def test_an_address_that_is_none_is_named(tmp_path: Path, url: str) -> None:
    variables = TOKEN | {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": "o/r"}
    with pytest.raises(UsageError, match="GITHUB_API_URL"):
        tracker(tmp_path, variables)


def test_github_is_asked_once_for_all_runs(server: FakeTracker, tmp_path: Path) -> None:
    """By the first question; answers are kept below the cache folder."""
    server.issue(1)
    variables = {"GITHUB_TOKEN": "t", "GITHUB_API_URL": server.url, "GITHUB_REPOSITORY": NAME}
    found, told = tracker(tmp_path, variables)
    assert server.requests == []
    assert set(found.issues([1, 2])) == {1}
    again, _ = tracker(tmp_path, variables)
    assert set(again.issues([1, 2])) == {1}
    assert (server.requests, told, found.missed) == (["POST 1 2", "GET 1"], [], 0)
    (kept,) = (tmp_path / "cache/patchmark/github").iterdir()
    assert "owner+sample" in kept.name


def test_a_refused_token_costs_statements_and_not_the_run(
    server: FakeTracker, tmp_path: Path
) -> None:
    server.always = Fault(401, {"message": "Bad credentials"})
    variables = {"GITHUB_TOKEN": "t", "GITHUB_API_URL": server.url, "GITHUB_REPOSITORY": NAME}
    found, told = tracker(tmp_path, variables)
    assert (found.issues([1]), found.pull_requests([2], []), found.missed) == ({}, {}, 2)
    assert len(told) == 1
