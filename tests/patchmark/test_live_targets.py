"""Which pull requests a push brought, in every way of merging, under the real PyGithub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commenting import QUICK, opened
from support.fake_github import REPOSITORY_ID, SECONDARY, Refusal
from support.fake_repository import FakeRepository
from support.repos import Repo

from core.errors import UsageError
from core.git import Repository
from patchmark import live_targets
from patchmark.live_targets import Finder, NothingToTryError, Target, commit_alone

OWN = {"repo": {"id": REPOSITORY_ID, "full_name": "owner/sample"}}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_targets, "PACE", QUICK)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {"a.py": "0\n"})
    return repo


@pytest.fixture
def server() -> Iterator[FakeRepository]:
    with FakeRepository() as server:
        yield server


def tip(repo: Repo) -> str:
    return repo.git("rev-parse", "main").decode().strip()


def ask(server: FakeRepository, repo: Repo, what: Callable[[Finder], list[Target]]) -> list[Target]:
    with opened(server, lazy=True) as github:
        return what(Finder(Repository(repo.path), github))


def pushed(server: FakeRepository, repo: Repo, before: str) -> list[tuple[int | None, str, str]]:
    """Number, base and head of what a push from there to the tip brought."""
    found = ask(server, repo, lambda finder: finder.of_push(before, tip(repo)))
    assert all(one.merged for one in found)
    return [(one.pull_request, one.base, one.head) for one in found]


def test_a_squash_is_its_one_commit(server: FakeRepository, repo: Repo) -> None:
    before = tip(repo)
    head = repo.commit("Mend (#4)", {"a.py": "1\n"})
    server.merged(4, [head])
    assert pushed(server, repo, before) == [(4, before, head)]


def test_a_merge_commit_stands_for_its_whole_side(server: FakeRepository, repo: Repo) -> None:
    before = tip(repo)
    side = repo.commit("Half", {"a.py": "1\n"}, parents=(before,), branch="side")
    side = repo.commit("Whole", {"a.py": "2\n"}, parents=(side,), branch="side")
    head = repo.commit("Merge", {"a.py": "2\n"}, parents=(before, side))
    server.merged(4, [head])
    assert pushed(server, repo, before) == [(4, before, head)]


def test_a_rebase_is_all_its_commits_and_not_the_one_before(
    server: FakeRepository, repo: Repo
) -> None:
    earlier = tip(repo)
    before = repo.commit("Earlier (#3)", {"a.py": "1\n"})
    commits = [repo.commit(f"Part {n}", {"a.py": f"{n}\n"}) for n in (2, 3, 4)]
    server.merged(3, [before])
    server.merged(4, commits)
    assert pushed(server, repo, before) == [(4, before, commits[-1])]
    assert pushed(server, repo, earlier) == [(3, earlier, before), (4, before, commits[-1])]


def test_what_a_stacked_one_shares_with_the_one_below_belongs_to_that(
    server: FakeRepository, repo: Repo
) -> None:
    """GitHub names both for the lower one's commits, and the upper one took them as its own."""
    start = tip(repo)
    lower = repo.commit("Lower", {"a.py": "1\n"})
    upper = repo.commit("Upper", {"a.py": "2\n"})
    server.merged(3, [lower])
    server.merged(4, [lower, upper])
    assert pushed(server, repo, start) == [(3, start, lower), (4, lower, upper)]


def test_a_queue_pushes_several_at_once(server: FakeRepository, repo: Repo) -> None:
    before = tip(repo)
    heads = [repo.commit(f"Mend {n}", {"a.py": f"{n}\n"}) for n in (1, 2, 3)]
    for number, head in zip((7, 8, 9), heads, strict=True):
        server.merged(number, [head])
    assert [one[0] for one in pushed(server, repo, before)] == [7, 8, 9]


def test_a_pull_request_into_another_branch_did_not_end_here(
    server: FakeRepository, repo: Repo
) -> None:
    """GitHub names every pull request that holds a commit, of stacked ones all."""
    before = tip(repo)
    head = repo.commit("Mend", {"a.py": "1\n"})
    server.merged(4, [head])
    server.merged(5, [head], merge_commit_sha="e" * 40)
    server.merged(6, [head], merged_at=None)
    assert [one[0] for one in pushed(server, repo, before)] == [4]


@pytest.mark.parametrize("known", [[], None])
def test_a_push_without_a_pull_request_is_told_quietly(
    server: FakeRepository, repo: Repo, known: list[int] | None
) -> None:
    """422 is what GitHub says of a commit that it does not have."""
    before = tip(repo)
    head = repo.commit("By hand", {"a.py": "1\n"})
    if known is not None:
        server.brought_by[head] = known
    with pytest.raises(NothingToTryError, match="came with no pull request"):
        pushed(server, repo, before)


@pytest.mark.parametrize("status", [403, 404])
def test_a_missing_permission_is_named(server: FakeRepository, repo: Repo, status: int) -> None:
    before = tip(repo)
    repo.commit("By hand", {"a.py": "1\n"})
    server.refuse_with = status
    with pytest.raises(UsageError, match="`pull-requests: read`"):
        pushed(server, repo, before)


def test_a_secondary_limit_is_waited_for(server: FakeRepository, repo: Repo) -> None:
    before = tip(repo)
    head = repo.commit("Mend", {"a.py": "1\n"})
    server.merged(4, [head])
    server.reads_refused = [Refusal(403, SECONDARY, {"retry-after": "0"})]
    assert pushed(server, repo, before) == [(4, before, head)]


def test_commits_that_are_not_here_are_said_with_what_fetches_them(
    server: FakeRepository, repo: Repo
) -> None:
    with pytest.raises(UsageError, match="fetch-depth: 0"):
        pushed(server, repo, "c" * 40)


def of_number(
    server: FakeRepository, repo: Repo, *, forks: bool = False, head: str | None = None
) -> Target:
    (found,) = ask(server, repo, lambda it: it.of_number(4, allow_forks=forks, head=head))
    return found


def opened_on(server: FakeRepository, repo: Repo, **more: Any) -> tuple[str, str]:
    """An open pull request whose base went on since; base and head of its own work."""
    base = tip(repo)
    head = repo.commit("Mend", {"a.py": "1\n"}, parents=(base,), branch="side")
    now = repo.commit("Meanwhile", {"b.py": "1\n"})
    told = {
        "merged": False, "merged_at": None, "title": "Mend a", "body": "It was broken.",
        "created_at": "2026-11-25T10:00:00Z", "labels": [{"name": "patchmark"}],
        "base": {"ref": "main", "sha": now, **OWN}, "head": {"sha": head, **OWN},
    }  # fmt: skip
    server.pull(4, head).update({**told, **more})
    return base, head


def test_an_open_one_is_tried_from_where_it_left_its_base(
    server: FakeRepository, repo: Repo
) -> None:
    base, head = opened_on(server, repo)
    found = of_number(server, repo)
    assert (found.base, found.head, found.merged) == (base, head, False)
    assert found.told is not None
    assert (found.told.title, found.told.labels) == ("Mend a", ("patchmark",))


def test_its_head_is_pinned_whatever_is_pushed_after_the_label(
    server: FakeRepository, repo: Repo
) -> None:
    base, head = opened_on(server, repo, head={"sha": "f" * 40, **OWN})
    assert of_number(server, repo, head=head).head == head
    with pytest.raises(UsageError, match="git fetch origin pull/4/head"):
        of_number(server, repo)
    assert base


@pytest.mark.parametrize("fork", [None, {"id": 9, "full_name": "x/fork"}])
def test_an_open_one_from_a_fork_is_refused_unless_allowed(
    server: FakeRepository, repo: Repo, fork: dict[str, Any] | None
) -> None:
    _, head = opened_on(server, repo)
    server.pulls[0]["head"] = {"sha": head, "repo": fork}
    with pytest.raises(UsageError, match="comes from a fork"):
        of_number(server, repo)
    assert of_number(server, repo, forks=True).head == head


def test_a_merged_one_from_a_fork_is_trusted(server: FakeRepository, repo: Repo) -> None:
    before = tip(repo)
    head = repo.commit("Mend (#4)", {"a.py": "1\n"})
    server.merged(4, [head])
    assert of_number(server, repo).base == before


def test_one_that_was_given_up_is_refused(server: FakeRepository, repo: Repo) -> None:
    opened_on(server, repo, state="closed")
    with pytest.raises(UsageError, match="closed without being merged"):
        of_number(server, repo)


def test_without_github_a_commit_stands_for_itself(repo: Repo) -> None:
    before = tip(repo)
    head = repo.commit("Mend", {"a.py": "1\n"})
    found = commit_alone(Repository(repo.path), head[:10])
    assert (found.pull_request, found.base, found.head) == (None, before, head)
    with pytest.raises(UsageError, match="has no parent"):
        commit_alone(Repository(repo.path), before)
