"""One comment per pull request, found again among all others, never somebody else's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.commenting import opened, publish
from support.fake_github import BOT, NUMBER, FakeGitHub

from core.errors import InfrastructureError, UsageError
from reports.comment import Bodies
from reports.markdown import MARKER

OURS = f"{MARKER}\nfirst run"
NEW = f"{MARKER}\nsecond run"


def only(*bodies: str) -> Bodies:
    """The same, whatever the comment says now."""
    return lambda _: bodies


@pytest.fixture
def server() -> Iterator[FakeGitHub]:
    with FakeGitHub() as server:
        yield server


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
