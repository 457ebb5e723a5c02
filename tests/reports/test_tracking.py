"""One tracking issue, found again whatever people made of it, and never somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from support.commenting import QUICK, opened
from support.fake_github import BOT, SECONDARY, Refusal
from support.fake_repository import FakeRepository

from core.errors import InfrastructureError, UsageError
from reports.markdown import MARKER
from reports.stamp import Stamp, hash_of, run_id, stamp_in, stamp_line
from reports.sticky import Published
from reports.tracking import marker, publish

TITLE = "Which model?"
MARK = marker(TITLE)


@pytest.fixture
def server() -> Iterator[FakeRepository]:
    with FakeRepository() as server:
        yield server


def told(run: int) -> str:
    """What the run of this number says."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    stamp = Stamp(**run_id(str(run), "1", at).model_dump(), verdict=hash_of("fine"), best="m")
    return f"{MARKER}\nrun {run}\n{stamp_line(stamp)}"


def keep(server: FakeRepository, *bodies: str, title: str = TITLE) -> Published:
    """Without the waiting."""
    with opened(server) as repository:
        return publish(repository, title, lambda _: bodies, author=BOT, pace=QUICK)


def test_it_is_created_once_and_then_rewritten(server: FakeRepository) -> None:
    first = keep(server, told(1))
    second = keep(server, told(2))
    (issue,) = server.issues
    assert (first.action, second.action, first.id) == ("created", "updated", issue.number)
    assert issue.title == TITLE
    assert issue.body == f"{MARK}\n{told(2)}"
    assert second.url == f"https://github.example/owner/sample/issues/{issue.number}"


def test_it_is_found_behind_250_others_of_ours_and_under_another_title(
    server: FakeRepository,
) -> None:
    issue = server.open_issue(BOT, "What people called it later", f"{MARK}\nold")
    for number in range(250):
        server.open_issue(BOT, f"Something else {number}", "no marker")
    assert keep(server, told(1)).id == issue.number
    assert len(server.issues) == 251


@pytest.mark.parametrize("author", ["mallory", None])
def test_one_that_another_wrote_with_our_marker_is_left_alone(
    server: FakeRepository, author: str | None
) -> None:
    theirs = server.open_issue(author, TITLE, f"{MARK}\nnice try")
    assert keep(server, told(1)).action == "created"
    assert theirs.body.endswith("nice try")


def test_a_pull_request_in_the_list_of_issues_is_left_alone(server: FakeRepository) -> None:
    server.open_issue(BOT, TITLE, f"{MARK}\na pull request").is_pull = True
    assert keep(server, told(1)).action == "created"


def test_one_that_people_closed_stays_closed_and_no_second_one_is_opened(
    server: FakeRepository,
) -> None:
    server.open_issue(BOT, TITLE, f"{MARK}\nold").state = "closed"
    keep(server, told(1))
    (issue,) = server.issues
    assert issue.state == "closed"
    assert "run 1" in issue.body


def test_another_title_is_another_issue(server: FakeRepository) -> None:
    keep(server, told(1))
    keep(server, told(1), title="Of the sub-folder")
    assert len(server.issues) == 2


def test_the_same_again_is_not_written(server: FakeRepository) -> None:
    keep(server, told(1))
    before = len(server.writes)
    assert keep(server, told(1) + "\n").action == "unchanged"
    assert len(server.writes) == before


def test_of_two_that_were_created_at_once_the_older_stays(server: FakeRepository) -> None:
    """Nobody but an administrator can delete an issue: the younger is emptied and closed."""
    server.meanwhile = [lambda: server.open_issue(BOT, TITLE, f"{MARK}\n{told(1)}")]
    keep(server, told(2))
    first, second = server.issues
    assert (first.state, second.state) == ("open", "closed")
    assert "run 2" in first.body
    assert second.body == f"Two runs began this at once; #{first.number} goes on."


def test_a_newer_run_is_not_written_over(server: FakeRepository) -> None:
    """It wrote between our reading and our writing: what it says is asked about anew."""

    def unless_newer(said: str) -> Sequence[str]:
        there, mine = stamp_in(said), stamp_in(told(1))
        return [] if there and mine and mine.older_than(there) else [told(1)]

    server.open_issue(BOT, TITLE, f"{MARK}\n{told(2)}")
    with opened(server) as repository:
        done = publish(repository, TITLE, unless_newer, author=BOT, pace=QUICK)
    assert done.action == "kept"
    assert "run 2" in server.issues[0].body


def test_a_body_that_is_too_long_is_followed_by_a_shorter_one(server: FakeRepository) -> None:
    keep(server, "x" * 70_000, told(1))
    assert "run 1" in server.issues[0].body


@pytest.mark.parametrize("status", [403, 404, 410, 422])
def test_refusals_name_what_is_missing(server: FakeRepository, status: int) -> None:
    server.refuse_writes = status
    words = {403: "`issues: write`", 404: "`issues: write`", 410: "turned off", 422: "too long"}
    with pytest.raises(UsageError, match=words[status]):
        keep(server, told(1))
    assert server.issues == []


def test_issues_that_are_turned_off_are_said_by_name(server: FakeRepository) -> None:
    server.issues_answer = 410
    with pytest.raises(UsageError, match="issues are turned off in this repository"):
        keep(server, told(1))


def test_a_secondary_limit_is_waited_for_within_bounds(server: FakeRepository) -> None:
    server.refusals = [Refusal(403, SECONDARY, {"retry-after": "0"})]
    assert keep(server, told(1)).action == "created"
    server.refusals = [Refusal(403, SECONDARY, {"retry-after": "9999"})]
    with pytest.raises(InfrastructureError, match="rate limit"):
        keep(server, told(2))
