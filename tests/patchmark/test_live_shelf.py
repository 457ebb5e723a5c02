"""Where live results are kept: beside a history's runs, here or on a branch of GitHub's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.command_line import patchmark
from support.commenting import QUICK, opened
from support.fake_github import SECONDARY, Refusal
from support.fake_repository import FakeRepository
from support.live_data import both, result
from support.report_data import demo
from support.repos import Repo

from core.errors import InfrastructureError, StoreError, UsageError
from core.live import LiveResult
from patchmark.live_branch import GitHubShelf
from patchmark.shelf import Shelf, live_shelf, shelf
from reports.digest import digest_of
from reports.tally import tally

BRANCH = "patchmark-history"


@pytest.fixture
def server() -> Iterator[FakeRepository]:
    with FakeRepository() as server:
        yield server


@pytest.fixture(params=["folder", "branch"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """Both kinds of places, and the repository."""
    repo = Repo(tmp_path / "shop")
    repo.commit("Start", {"a.py": "x = 1\n"})
    return str(tmp_path / "results") if request.param == "folder" else "branch:kept", repo.path


def test_results_and_runs_share_a_history_and_do_not_mix(where: tuple[str, Path]) -> None:
    live: Shelf[LiveResult] = live_shelf(*where)
    runs = shelf(*where)
    digest = digest_of(tally(demo()))
    assert live.add(both(1, "P", "F"))
    assert runs.add(digest)
    assert live.add(result(2))
    assert not live.add(result(2))
    assert live.read() == [both(1, "P", "F"), result(2)]
    assert runs.read() == [digest]


def test_two_that_add_at_once_both_stay(where: tuple[str, Path]) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: live_shelf(*where).add(both(n, "P", "F")), range(1, 5)))
    assert [one.pull_request for one in live_shelf(*where).read()] == [1, 2, 3, 4]


def test_a_result_that_somebody_spoilt_is_named(tmp_path: Path) -> None:
    live_shelf(str(tmp_path), tmp_path).add(result(1))
    (path,) = (tmp_path / "live").iterdir()
    path.write_text(path.read_text().replace("no_fail_to_pass", "<b>"))
    with pytest.raises(StoreError, match=r"live/2026.*unmeasured.reason"):
        live_shelf(str(tmp_path), tmp_path).read()


def test_the_first_result_begins_the_branch_and_the_next_lies_beside_it(
    server: FakeRepository,
) -> None:
    with opened(server) as github:
        kept = GitHubShelf(github, BRANCH, QUICK)
        assert kept.read() == []
        assert kept.add(both(1, "P", "F"))
        assert kept.add(result(2))
        assert not kept.add(result(2))
        assert kept.read() == [both(1, "P", "F"), result(2)]
    assert all(path.startswith("live/2026-03-") for path in server.branches[BRANCH])


@pytest.mark.parametrize("there", [False, True])
def test_of_two_jobs_that_add_at_once_neither_loses_anything(
    server: FakeRepository, there: bool
) -> None:
    """GitHub refuses who is late (409, or 422 where the branch was begun meanwhile)."""

    def meanwhile() -> None:
        with opened(server) as github:
            GitHubShelf(github, BRANCH, QUICK).add(result(1))

    with opened(server) as github:
        kept = GitHubShelf(github, BRANCH, QUICK)
        if there:
            kept.add(result(9))
        server.before_write = [meanwhile]
        assert kept.add(result(2))
        assert {one.pull_request for one in kept.read()} == {1, 2} | ({9} if there else set())


def test_a_branch_that_moves_all_the_time_is_given_up_with_words(server: FakeRepository) -> None:
    server.branches[BRANCH] = {"live/other.txt": "x"}
    server.before_write = [lambda: None] * 8
    with opened(server) as github, pytest.raises(UsageError, match="others write to it"):
        GitHubShelf(github, BRANCH, QUICK).add(result(1))


@pytest.mark.parametrize("status", [403, 404])
def test_a_missing_permission_is_named(server: FakeRepository, status: int) -> None:
    server.refuse_writes = status
    with opened(server) as github, pytest.raises(UsageError, match="`contents: write`"):
        GitHubShelf(github, BRANCH, QUICK).add(result(1))


def test_limits_are_obeyed_within_bounds(server: FakeRepository) -> None:
    with opened(server) as github:
        kept = GitHubShelf(github, BRANCH, QUICK)
        server.refusals = [Refusal(403, SECONDARY, {"retry-after": "0"})]
        assert kept.add(result(1))
        server.refusals = [Refusal(403, SECONDARY, {"retry-after": "9999"})]
        with pytest.raises(InfrastructureError, match="rate limit"):
            kept.add(result(2))


@pytest.mark.parametrize("text", [None, "{}"])
def test_what_is_no_result_is_named(server: FakeRepository, text: str) -> None:
    server.branches[BRANCH] = {"live/x.json": text}
    with opened(server) as github, pytest.raises(StoreError, match=r"x\.json"):
        GitHubShelf(github, BRANCH, QUICK).read()


def test_a_trial_without_results_says_so(tmp_path: Path) -> None:
    """Bug: it showed a report of no tasks, of commit 000000000000."""
    Repo(tmp_path / "repo").commit("Start", {"a.py": "x = 1\n"})
    done = patchmark(tmp_path, "trial", "--repo", "repo", "--in", "results")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "results holds no pull request yet; patchmark live adds them\n"
