"""One comment per pull request, found again among all others, never somebody else's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from github import Auth, Github
from github.Repository import Repository
from support.fake_github import BOT, NAME, NUMBER, SECONDARY, FakeGitHub, Refusal

from core.errors import InfrastructureError, UsageError
from reports.comment import Bodies, Published
from reports.comment import publish as publish_at_pace
from reports.markdown import MARKER
from reports.patience import Pace
from reports.stamp import Stamp, hash_of, run_id, stamp_in, stamp_line

OURS = f"{MARKER}\nfirst run"
NEW = f"{MARKER}\nsecond run"


QUICK = Pace(settle=0, again=0.01, unsaid=0.01, patience=0.5)


def publish(
    repository: Repository, number: int, bodies: Bodies, *, author: str | None, pace: Pace = QUICK
) -> Published:
    """Without the waiting."""
    return publish_at_pace(repository, number, bodies, author=author, pace=pace)


def only(*bodies: str) -> Bodies:
    """The same, whatever the comment says now."""
    return lambda _: bodies


@pytest.fixture
def server() -> Iterator[FakeGitHub]:
    with FakeGitHub() as server:
        yield server


@contextmanager
def opened(server: FakeGitHub) -> Iterator[Repository]:
    client = Github(
        base_url=server.api,
        auth=Auth.Token("t"),
        retry=None,
        per_page=100,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    with client:
        yield client.get_repo(NAME)


def test_the_first_run_creates_the_comment(server: FakeGitHub) -> None:
    server.add("alice", "please look at this")
    with opened(server) as repository:
        done = publish(repository, NUMBER, only(OURS), author=BOT)
    assert (done.action, done.id) == ("created", server.comments[1].id)
    assert done.url.endswith(f"#issuecomment-{done.id}")
    assert server.comments[1].body == OURS


def test_the_next_run_edits_it_even_behind_250_other_comments(server: FakeGitHub) -> None:
    for number in range(250):
        server.add("alice", f"comment {number}")
    ours = server.add(BOT, OURS)
    with opened(server) as repository:
        done = publish(repository, NUMBER, only(NEW), author=BOT)
    assert (done.action, done.id, ours.body) == ("updated", ours.id, NEW)
    assert len(server.comments) == 251


def test_what_the_comment_says_now_is_handed_over(server: FakeGitHub) -> None:
    said: list[str] = []

    def bodies(now: str) -> list[str]:
        said.append(now)
        return [OURS if not now else NEW]

    with opened(server) as repository:
        publish(repository, NUMBER, bodies, author=BOT)
        publish(repository, NUMBER, bodies, author=BOT)
    assert said == ["", OURS]
    assert server.comments[0].body == NEW


def test_of_two_comments_of_ours_the_oldest_is_edited(server: FakeGitHub) -> None:
    first, second = server.add(BOT, OURS), server.add(BOT, OURS)
    with opened(server) as repository:
        publish(repository, NUMBER, only(NEW), author=BOT)
    assert (first.body, second.body) == (NEW, OURS)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_an_identical_body_is_not_written(server: FakeGitHub, ending: str) -> None:
    server.add(BOT, OURS.replace("\n", "\r\n") + ending)
    with opened(server) as repository:
        done = publish(repository, NUMBER, only(OURS + "\n"), author=BOT)
    assert (done.action, server.writes) == ("unchanged", [])


@pytest.mark.parametrize(
    ("author", "body"),
    [
        ("mallory", OURS),
        ("other[bot]", OURS),
        (None, OURS),
        (BOT, f"> {OURS}"),
        (BOT, f"As seen in {OURS}"),
    ],
    ids=["person", "other bot", "deleted account", "quoted", "in the middle"],
)
def test_a_marker_of_others_or_elsewhere_is_left_alone(
    server: FakeGitHub, author: str | None, body: str
) -> None:
    theirs = server.add(author, body)
    with opened(server) as repository:
        done = publish(repository, NUMBER, only(NEW), author=None)
    assert (done.action, theirs.body) == ("created", body)


@pytest.mark.parametrize(("viewer", "login"), [("alice", "Alice"), (403, BOT)])
def test_without_a_name_github_is_asked_who_the_token_is(viewer: str | int, login: str) -> None:
    """A workflow's token may not be allowed to ask: then it is the workflow's bot."""
    with FakeGitHub(viewer) as server:
        ours = server.add(login, OURS)
        with opened(server) as repository:
            done = publish(repository, NUMBER, only(NEW), author=None)
        assert (done.action, ours.body) == ("updated", NEW)


def test_a_missing_permission_is_named(server: FakeGitHub) -> None:
    server.refuse_writes = 403
    with (
        opened(server) as repository,
        pytest.raises(UsageError, match=r"owner/sample#7.*not accessible.*`pull-requests: write`"),
    ):
        publish(repository, NUMBER, only(OURS), author=BOT)


def test_an_unknown_pull_request_is_named(server: FakeGitHub) -> None:
    with opened(server) as repository, pytest.raises(UsageError, match=r"#8: GitHub said 404"):
        publish(repository, 8, only(OURS), author=BOT)


def test_a_server_error_is_no_fault_of_the_user(server: FakeGitHub) -> None:
    server.refuse_writes = 500
    with opened(server) as repository, pytest.raises(InfrastructureError, match="said 500"):
        publish(repository, NUMBER, only(OURS), author=BOT)


def test_nobody_answering_is_no_fault_of_the_user() -> None:
    with FakeGitHub() as server, opened(server) as repository:
        pass
    with pytest.raises(InfrastructureError, match="GitHub does not answer"):
        publish(repository, NUMBER, only(OURS), author=BOT)


@pytest.mark.parametrize("there", [False, True])
def test_a_body_that_is_too_long_gives_way_to_a_shorter_one(there: bool) -> None:
    with FakeGitHub(limit_bytes=100) as server:
        if there:
            server.add(BOT, OURS)
        bodies = [MARKER + "x" * size for size in (300, 200, 50, 10)]
        with opened(server) as repository:
            publish(repository, NUMBER, only(*bodies), author=BOT)
        assert [item.body for item in server.comments] == [bodies[2]]


def test_when_every_body_is_too_long_the_user_is_told() -> None:
    with (
        FakeGitHub(limit_bytes=10) as server,
        opened(server) as repository,
        pytest.raises(UsageError, match=r"422.*too long"),
    ):
        publish(repository, NUMBER, only(OURS, NEW), author=BOT)


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
        for body in (OURS, NEW):
            with Github(
                base_url=server.api, auth=Auth.Token("t"), retry=None, lazy=True,
                seconds_between_requests=0, seconds_between_writes=0,
            ) as client:  # fmt: skip
                publish(client.get_repo("owner/old"), NUMBER, only(body), author=None)
        assert server.bodies == [NEW]
