"""Several runs at one comment, and a GitHub that wants to be asked less."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from support.commenting import QUICK, opened, publish
from support.fake_github import BOT, NUMBER, SECONDARY, FakeGitHub, Refusal

from core.errors import InfrastructureError, UsageError
from reports.comment import Bodies, Published
from reports.markdown import MARKER
from reports.patience import Pace
from reports.stamp import Stamp, hash_of, run_id, stamp_in, stamp_line


@pytest.fixture
def server() -> Iterator[FakeGitHub]:
    with FakeGitHub() as server:
        yield server


def told(run: int) -> str:
    """What the run of this number says."""
    stamp = Stamp(
        **run_id(str(run), "1", datetime(2026, 3, 2, tzinfo=UTC)).model_dump(),
        verdict=hash_of("fine"),
        best="m",
    )
    return f"{MARKER}\nrun {run}\n{stamp_line(stamp)}"


def unless_newer(run: int) -> Bodies:
    """What a run says where no newer one has spoken."""
    mine = stamp_in(told(run))

    def bodies(said: str) -> Sequence[str]:
        there = stamp_in(said)
        return [] if there and mine and mine.older_than(there) else [told(run)]

    return bodies


def say(server: FakeGitHub, run: int, pace: Pace = QUICK) -> Published:
    """Have a run publish."""
    with opened(server) as repository:
        return publish(repository, NUMBER, unless_newer(run), author=BOT, pace=pace)


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (2, 2)])
def test_the_newest_run_has_the_last_word_in_any_order(
    server: FakeGitHub, order: tuple[int, int]
) -> None:
    """A slow run that ended after a newer one took the comment back to its own, older numbers."""
    for run in order:
        say(server, run)
    assert server.bodies == [told(2)]


@pytest.mark.parametrize("other", [1, 3])
def test_two_runs_that_create_at_once_leave_one_comment(server: FakeGitHub, other: int) -> None:
    """Each found none and created one; both stayed for ever."""
    server.meanwhile.append(lambda: server.add(BOT, told(other)))
    say(server, 2)
    assert server.bodies == [told(max(2, other))]


@pytest.mark.parametrize(("other", "left"), [(1, [2]), (3, [2, 3])])
def test_what_an_older_run_created_a_moment_later_is_removed(
    server: FakeGitHub, other: int, left: list[int]
) -> None:
    """A newer run's is left to that run: it looks as well."""
    server.after.append(lambda: server.add(BOT, told(other)))
    say(server, 2)
    assert server.bodies == [told(run) for run in left]


@pytest.mark.parametrize(("other", "left"), [(1, 2), (3, 3)])
def test_what_is_written_over_is_written_again_unless_by_a_newer_run(
    server: FakeGitHub, other: int, left: int
) -> None:
    ours = server.add(BOT, told(0))
    server.after.append(lambda: setattr(ours, "body", told(other)))
    say(server, 2)
    assert server.bodies == [told(left)]


@pytest.mark.parametrize(("other", "left"), [(1, 2), (3, 3)])
def test_what_another_wrote_while_we_did_is_read_before_it_is_written_over(
    server: FakeGitHub, other: int, left: int
) -> None:
    ours = server.add(BOT, told(0))
    asked: list[str] = []

    def bodies(said: str) -> Sequence[str]:
        asked.append(said)
        ours.body = told(other)
        return unless_newer(2)(said)

    with opened(server) as repository:
        publish(repository, NUMBER, bodies, author=BOT)
    assert asked == [told(0), told(other)]
    assert server.bodies == [told(left)]


def test_a_comment_that_goes_meanwhile_is_made_again(server: FakeGitHub) -> None:
    ours = server.add(BOT, told(1))
    server.meanwhile.append(lambda: server.comments.remove(ours))
    say(server, 2)
    assert server.bodies == [told(2)]
    server.after.append(server.comments.clear)
    say(server, 3)
    assert server.bodies == [told(3)]


def test_many_runs_at_once_leave_one_comment_of_the_newest(server: FakeGitHub) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda run: say(server, run, Pace(settle=0.3)), range(1, 7)))
    assert server.bodies == [told(6)]


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(403, "Forbidden", {"retry-after": "0"}),
        Refusal(403, SECONDARY),
        Refusal(429, "Too Many Requests"),
        Refusal(403, "API rate limit exceeded", {"x-ratelimit-remaining": "0"}),
        Refusal(502, "Bad Gateway"),
    ],
    ids=lambda refusal: f"{refusal.status} {refusal.message[:9]}",
)
def test_a_limit_is_waited_for(server: FakeGitHub, refusal: Refusal) -> None:
    server.refusals = [refusal, refusal]
    assert say(server, 1).action == "created"
    assert server.bodies == [told(1)]


def test_as_long_as_a_limit_asks_for(server: FakeGitHub) -> None:
    server.refusals = [Refusal(403, SECONDARY, {"retry-after": "1"})]
    began = time.monotonic()
    say(server, 1, Pace(settle=0, patience=5))
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    "headers",
    [{"retry-after": "3600"}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999999"}],
)
def test_a_limit_beyond_the_bound_is_not(server: FakeGitHub, headers: dict[str, str]) -> None:
    """A job must not sleep for an hour, and pay for it, to write a comment."""
    server.refusals = [Refusal(403, SECONDARY, headers)]
    with pytest.raises(InfrastructureError, match="rate limit"):
        say(server, 1)
    assert server.bodies == []


def test_a_missing_permission_is_not_asked_for_twice(server: FakeGitHub) -> None:
    server.refuse_writes = 403
    with pytest.raises(UsageError, match="pull-requests: write"):
        say(server, 1)
    assert len(server.writes) == 1


def test_a_server_of_ones_own_and_a_renamed_repository() -> None:
    """GitHub answers a write to the old name with a redirection that is not followed."""
    with FakeGitHub(prefix="/api/v3", once_called="owner/old") as server:
        for run in (1, 2):
            with opened(server, "owner/old", lazy=True) as repository:
                publish(repository, NUMBER, unless_newer(run), author=None)
        assert server.bodies == [told(2)]
