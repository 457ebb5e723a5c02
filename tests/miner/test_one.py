"""One change, however it was merged, is one task: all that lies between two commits."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.repos import Repo

from core.git import Repository
from core.types import Candidate, Dropped, StatementSource
from miner.file_tracker import NoTracker
from miner.one import one

CALC, TEST = "src/calc.py", "tests/test_calc.py"
FIX = {CALC: "a = 2\nb = 2\n", TEST: "assert 2\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {CALC: "a = 1\nb = 1\n", TEST: "assert 1\n"})
    return repo


def made(repo: Repo, base: str, head: str, pull: int | None = None) -> Candidate | Dropped:
    tracker = NoTracker("owner/sample")
    return one(Repository(repo.path), tracker, base, head, pull_request=pull)


def tip(repo: Repo) -> str:
    return repo.git("rev-parse", "main").decode().strip()


def squashed(repo: Repo) -> str:
    return repo.commit("Mend it (#4)", FIX)


def rebased(repo: Repo) -> str:
    repo.commit("Mend half of it", {CALC: "a = 2\nb = 1\n"})
    return repo.commit("Mend the rest", FIX)


def merged(repo: Repo) -> str:
    base = tip(repo)
    side = repo.commit("Mend half", {CALC: "a = 2\nb = 1\n"}, parents=(base,), branch="side")
    side = repo.commit("Mend the rest", FIX, parents=(side,), branch="side")
    return repo.commit("Merge pull request #4 from ann/side", FIX, parents=(base, side))


@pytest.mark.parametrize("how", [squashed, rebased, merged])
def test_every_way_of_merging_gives_the_same_patches(repo: Repo, how: object) -> None:
    base = tip(repo)
    head = how(repo)  # type: ignore[operator]
    found = made(repo, base, head, 4)
    assert isinstance(found, Candidate)
    assert (found.base_commit, found.fix_commit, found.pull_request) == (base, head, 4)
    assert found.gold_patch.count("\n+") == 3  # two lines, and the header's
    assert "+assert 2" in found.test_patch
    assert found.id == head[:12]


def test_the_commits_of_a_rebased_pull_request_all_say_what_it_is_for(repo: Repo) -> None:
    base = tip(repo)
    found = made(repo, base, rebased(repo))
    assert isinstance(found, Candidate)
    assert found.statement_source is StatementSource.COMMIT_MESSAGE
    assert "half of it" in found.statement


def test_of_an_open_branch_what_its_base_got_meanwhile_is_no_part(repo: Repo) -> None:
    base = tip(repo)
    head = repo.commit("Mend it", FIX, parents=(base,), branch="side")
    repo.commit("Meanwhile", {"src/other.py": "x = 1\n", "tests/test_other.py": "y\n"})
    found = made(repo, base, head)
    assert isinstance(found, Candidate)
    assert found.source_files == (CALC,)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({CALC: "a = 9\n"}, "no_tests"),
        ({TEST: "assert 9\n"}, "no_source"),
        ({"README.md": "words\n"}, "documentation"),
    ],
)
def test_what_is_no_task_says_why(repo: Repo, files: dict[str, str], reason: str) -> None:
    base = tip(repo)
    found = made(repo, base, repo.commit("Change", files))
    assert isinstance(found, Dropped)
    assert found.reason == reason


def test_a_merge_queues_own_commit_is_not_taken_for_a_bots_work(repo: Repo) -> None:
    """The queue's commits are by a bot, and all of them were dropped as a bot's."""
    base = tip(repo)
    side = repo.commit("Mend it", FIX, parents=(base,), branch="side")
    queue = "github-merge-queue[bot] <queue@users.noreply.github.com>"
    merge = "Merge pull request #4 from ann/side"
    head = repo.commit(merge, FIX, parents=(base, side), author=queue)
    assert isinstance(made(repo, base, head, 4), Candidate)


def test_a_bots_own_work_is_none_whoever_merged_it(repo: Repo) -> None:
    base = tip(repo)
    bot = "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>"
    side = repo.commit("Bump", FIX, parents=(base,), branch="side", author=bot)
    found = made(repo, base, repo.commit("Merge #5", FIX, parents=(base, side)), 5)
    assert isinstance(found, Dropped)
    assert found.reason == "bot"
