"""Pull requests and issues over HTTP: the real client, and a GitHub on 127.0.0.1."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.fake_tracker import LONG_AGO, NAME, FakeTracker, Fault, nodes, rate_limited

from core.redact import NOTHING
from miner.api_cache import ApiCache
from miner.github_api import connect
from miner.github_tracker import GitHubTracker
from miner.tracker import Comment, Edit

ENDS = "GitHub is asked for nothing more in this run"
OID = "{:040x}".format


@pytest.fixture
def server() -> Iterator[FakeTracker]:
    with FakeTracker() as server:
        yield server


class Run:
    """One run's tracker, and what it told and slept."""

    def __init__(self, server: FakeTracker, folder: Path, name: str = NAME):
        self.told: list[str] = []
        self.slept: list[float] = []
        url = f"{server.url}{server.prefix}"
        api = connect(url, "secret-token", True, self.told.append, self.slept.append)
        self.cache = ApiCache(folder, url, name, self.told.append, NOTHING)
        self.tracker = GitHubTracker(api, name, self.cache, self.told.append)
        self.issues = self.tracker.issues
        self.pulls = self.tracker.pull_requests


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def now(**shift: float) -> str:
    return (datetime.now(UTC) + timedelta(**shift)).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- what is read ---------------------------------------------------------------------------


def test_a_pull_request_with_all_that_people_wrote(server: FakeTracker, tmp_path: Path) -> None:
    elsewhere = {"nameWithOwner": "other/repo"}
    server.pull(
        12,
        labels=nodes({"name": "bug"}, {"name": "ü"}),
        userContentEdits=nodes(
            {"editedAt": "2024-01-05T00:00:00Z", "diff": "third"},
            {"editedAt": "2024-01-02T00:00:00Z", "diff": None},
            {"editedAt": LONG_AGO, "diff": "first"},
        ),
        renames=nodes(
            {"createdAt": "2024-01-02T00:00:00Z", "previousTitle": "a", "currentTitle": "b"},
            {"createdAt": "2024-01-03T00:00:00Z", "previousTitle": "b", "currentTitle": "c"},
        ),
        closingIssuesReferences=nodes(
            {"number": 3, "repository": {"nameWithOwner": "Owner/Sample"}},
            None,
            {"number": 4, "repository": elsewhere},
        ),
    )
    found = Run(server, tmp_path).pulls([12], [])[12]
    assert (found.number, found.title, found.body) == (12, "Title 12", "Body 12")
    assert found.created_at == at(LONG_AGO)
    assert found.started_at == at("2023-12-31T00:00:00Z")
    assert found.labels == ("bug", "ü")
    assert found.titles == (
        Edit(at=at(LONG_AGO), text="a"),
        Edit(at=at("2024-01-02T00:00:00Z"), text="b"),
        Edit(at=at("2024-01-03T00:00:00Z"), text="c"),
    )
    assert [edit.text for edit in found.bodies] == ["first", "", "third"]
    assert found.bodies[0].at == at(LONG_AGO)
    assert found.closes == (3,)


def test_an_issue_with_its_comments_and_closers(server: FakeTracker, tmp_path: Path) -> None:
    """A comment is as old as its last edit; those of bots, and closers elsewhere, are left out."""
    ours, fork = {"nameWithOwner": NAME}, {"nameWithOwner": "fork/sample"}
    said = {"createdAt": "2024-01-02T00:00:00Z", "lastEditedAt": None, "body": "me too"}
    server.issue(
        5,
        body=None,
        comments=nodes(
            {**said, "lastEditedAt": "2024-01-09T00:00:00Z", "author": {"login": "ann"}},
            {**said, "author": None},
            {**said, "author": {"login": "ci", "__typename": "Bot"}},
            {**said, "author": {"login": "old[bot]", "__typename": "User"}},
        ),
        closings=nodes(
            {"closer": {"oid": OID(1), "repository": ours}},
            {"closer": None},
            {"closer": {"number": 12, "repository": ours}},
            {"closer": {"number": 13, "repository": fork}},
            {"closer": {}},
            {"closer": {"number": 12, "repository": ours}},
        ),
    )
    found = Run(server, tmp_path).issues([5])[5]
    assert found.body == ""
    assert found.comments == (
        Comment(at=at("2024-01-02T00:00:00Z"), author="", text="me too"),
        Comment(at=at("2024-01-09T00:00:00Z"), author="ann", text="me too"),
    )
    assert found.closed_by == (OID(1), "#12")


def test_what_is_something_else_is_left_out(server: FakeTracker, tmp_path: Path) -> None:
    """A pull request asked for as an issue and the other way round, an open one, a moved one."""
    server.issue(1)
    server.pull(2)
    server.pull(3, mergedAt=None)
    server.issue(4, repository={"nameWithOwner": "owner/moved"})
    run = Run(server, tmp_path)
    numbers = [1, 2, 3, 4, 5, 0, -1, 2**31, 10**12]
    assert set(run.issues(numbers)) == {1}
    assert set(run.pulls(numbers, ["", "abc", "g" * 40])) == {2}
    assert (run.tracker.missed, run.told, len(server.requests)) == (0, [], 2)


def test_commits_lead_to_the_pull_request_that_brought_them(
    server: FakeTracker, tmp_path: Path
) -> None:
    """Of several, the one that was merged as this commit; else the first one merged."""
    server.pull(1, mergedAt="2024-01-02T00:00:00Z", mergeOid=OID(99))
    server.pull(2, mergedAt="2024-01-05T00:00:00Z", mergeOid=OID(10))
    server.pull(3, mergedAt=None)
    server.commit(OID(10), 1, 2)
    server.commit(OID(11), 2, 1, 3)
    server.commit(OID(12), 3)
    server.commit(OID(13))
    run = Run(server, tmp_path)
    found = run.pulls([3], [OID(n) for n in (10, 11, 12, 13, 14)])
    assert {key: pull.number for key, pull in found.items()} == {OID(10): 2, OID(11): 1}
    assert run.tracker.missed == 0


def test_a_commit_of_today_may_have_a_pull_request_tomorrow(
    server: FakeTracker, tmp_path: Path
) -> None:
    """Neither a commit without one, nor one that is not pushed yet, is known for ever."""
    server.commit(OID(1), date=now())
    assert Run(server, tmp_path).pulls([], [OID(1), OID(2)]) == {}
    server.pull(7)
    server.commit(OID(1), 7)
    server.commit(OID(2), 7)
    assert set(Run(server, tmp_path).pulls([], [OID(1), OID(2)])) == {OID(1), OID(2)}


def test_a_thousand_pull_requests_take_under_a_hundred_requests(
    server: FakeTracker, tmp_path: Path
) -> None:
    """And the second run one, which says that nothing has changed; so does the third."""
    commits = [OID(n) for n in range(1, 1001)]
    for n in range(1, 1001):
        server.pull(n, mergeOid=OID(n))
        server.commit(OID(n), n)
        server.issue(n + 1000)
    run = Run(server, tmp_path)
    first = run.pulls(range(1, 1001), commits)
    issues = run.issues(range(1001, 2001))
    assert (len(first), len(issues), run.told, run.tracker.missed) == (2000, 1000, [], 0)
    assert len(server.requests) < 100
    for _ in range(2):
        server.requests.clear()
        again = Run(server, tmp_path)
        assert again.pulls(range(1, 1001), commits) == first
        assert again.issues(range(1001, 2001)) == issues
        assert server.requests == ["GET 1"]


# --- what changed since ---------------------------------------------------------------------


def test_what_changed_is_asked_for_again_and_nothing_else(
    server: FakeTracker, tmp_path: Path
) -> None:
    for n in (1, 2):
        server.issue(n)
    server.pull(3, mergedAt=None)
    before = Run(server, tmp_path)
    before.issues([1, 2, 4])
    before.pulls([3], [])
    server.issue(2, title="New", updatedAt=now(minutes=10))
    server.pull(3, updatedAt=now(minutes=10))
    server.issue(4, updatedAt=now(minutes=10))
    server.requests.clear()
    after = Run(server, tmp_path)
    assert [issue.title for issue in after.issues([1, 2, 4]).values()] == [
        "Title 1",
        "New",
        "Title 4",
    ]
    assert set(after.pulls([3], [])) == {3}
    assert server.requests == ["GET 1", "POST 2 4", "POST 3"]
    server.requests.clear()
    Run(server, tmp_path).issues([1, 2, 4])
    assert server.requests == ["GET 1"]


def test_what_changed_but_is_not_asked_for_stays_out_of_date(
    server: FakeTracker, tmp_path: Path
) -> None:
    server.issue(1)
    Run(server, tmp_path).issues([1])
    server.issue(1, title="New", updatedAt=now(minutes=10))
    Run(server, tmp_path).issues([2])
    assert Run(server, tmp_path).issues([1])[1].title == "New"


@pytest.mark.parametrize(("changed", "pages"), [(60, 1), (150, 2), (300, 3), (301, 3)])
def test_a_long_list_of_changes_is_begun_anew(
    server: FakeTracker, tmp_path: Path, changed: int, pages: int
) -> None:
    """With more than three pages, everything counts as changed."""
    server.issue(1)
    server.issue(9999)
    Run(server, tmp_path).issues([1, 9999])
    for n in range(1, changed + 1):
        server.issue(n, updatedAt=now(minutes=10))
    server.requests.clear()
    Run(server, tmp_path).issues([1, 9999])
    listed = [f"GET {page}" for page in range(1, pages + 1)]
    assert server.requests == [*listed, "POST 1 9999" if changed > 300 else "POST 1"]


@pytest.mark.parametrize("status", [403, 404, 410, 422, 502])
def test_where_changes_are_not_told_everything_is_asked_again(
    server: FakeTracker, tmp_path: Path, status: int
) -> None:
    """A repository whose issues are switched off answers 410, and has pull requests."""
    server.pull(1)
    Run(server, tmp_path).pulls([1], [])
    server.listing = Fault(status)
    server.pull(1, title="New")
    run = Run(server, tmp_path)
    assert run.pulls([1], [])[1].title == "New"
    assert (run.told, run.tracker.missed) == ([], 0)


def test_a_renamed_repository_is_followed(server: FakeTracker, tmp_path: Path) -> None:
    """Bug class: references are told under the new name, and would all be another repository's."""
    server.name, server.known_as = "new/name", [NAME, "new/name"]
    ours = {"nameWithOwner": "new/name"}
    server.pull(1, closingIssuesReferences=nodes({"number": 2, "repository": ours}))
    assert Run(server, tmp_path).pulls([1], [])[1].closes == (2,)
    server.known_as = ["new/name"]
    server.requests.clear()
    assert set(Run(server, tmp_path).pulls([1], [])) == {1}
    assert server.requests == ["GET 1"]


def test_without_an_answer_what_is_kept_is_used(server: FakeTracker, tmp_path: Path) -> None:
    server.issue(1)
    Run(server, tmp_path).issues([1])
    server.always = Fault(401, {"message": "Bad credentials"})
    run = Run(server, tmp_path)
    assert set(run.issues([1, 2])) == {1}
    assert run.told == [f"GitHub answered 401 (Bad credentials): {ENDS}"]
    assert run.tracker.missed == 1


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 410, 422, 307])
def test_a_refusal_is_told_once_and_ends_the_asking(
    server: FakeTracker, tmp_path: Path, status: int
) -> None:
    server.issue(1)
    run = Run(server, tmp_path)
    assert set(run.issues([1])) == {1}
    server.always = Fault(status)
    assert run.issues([1, 2, 3]).keys() == {1}
    assert run.pulls([2], [OID(1)]) == {}
    words = "Resource not accessible by integration"
    assert run.told == [f"GitHub answered {status} ({words}): {ENDS}"]
    assert (run.tracker.missed, len(server.requests), run.slept) == (4, 2, [])


def test_a_repository_that_is_not_there_or_hidden(server: FakeTracker, tmp_path: Path) -> None:
    run = Run(server, tmp_path, "owner/other")
    assert run.issues([1]) == {}
    assert run.told == [f"GitHub knows no owner/other, or hides it from this token: {ENDS}"]
    assert run.tracker.missed == 1


def test_a_repository_behind_a_sign_in(server: FakeTracker, tmp_path: Path) -> None:
    error = {"type": "FORBIDDEN", "path": ["repository"], "message": "Protected by SAML\x1b[2J"}
    server.always = Fault(200, {"data": {"repository": None}, "errors": [error]})
    run = Run(server, tmp_path)
    assert run.issues([1]) == {}
    assert run.told == [f"GitHub refuses (Protected by SAML [2J): {ENDS}"]


def test_one_object_that_is_refused_is_missed_and_not_asked_for_again(
    server: FakeTracker, tmp_path: Path
) -> None:
    for n in range(1, 6):
        server.issue(n)
    server.poison["3"] = "FORBIDDEN"
    run = Run(server, tmp_path)
    assert set(run.issues(range(1, 6))) == {1, 2, 4, 5}
    assert (run.tracker.missed, len(server.requests), run.told) == (1, 1, [])


def test_no_server_is_told_once(server: FakeTracker, tmp_path: Path) -> None:
    with FakeTracker() as gone:
        pass
    run = Run(gone, tmp_path)
    assert run.issues([1, 2]) == {}
    assert run.issues([3]) == {}
    assert run.told == [f"GitHub cannot be reached (ConnectionError): {ENDS}"]
    assert (run.slept, run.tracker.missed) == ([1, 2], 3)


def test_a_page_that_is_not_githubs(server: FakeTracker, tmp_path: Path) -> None:
    server.always = Fault(200, b"<html>Sign in to the network</html>")
    run = Run(server, tmp_path)
    assert run.issues([1]) == {}
    assert run.told == [f"what answers is not GitHub's API (is GITHUB_API_URL right?): {ENDS}"]


# --- failures -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["RESOURCE_LIMITS_EXCEEDED", "status", "timeout"])
def test_a_number_that_fails_costs_only_itself(
    server: FakeTracker, tmp_path: Path, kind: str
) -> None:
    """Batches are halved until the one is alone, then it is skipped and counted."""
    words = "Something went wrong while executing your query. It may be a timeout."
    faults = {
        "status": Fault(502, b"<html>Bad Gateway</html>"),
        "timeout": Fault(200, {"data": None, "errors": [{"message": words}]}),
    }
    for n in range(1, 101):
        server.issue(n)
    server.poison["17"] = faults.get(kind, kind)
    run = Run(server, tmp_path)
    assert set(run.issues(range(1, 101))) == set(range(1, 101)) - {17}
    assert run.tracker.missed == 1
    assert len(server.requests) < 30
    server.poison.clear()
    assert set(Run(server, tmp_path).issues([17])) == {17}


def test_a_slow_server_is_asked_for_less(server: FakeTracker, tmp_path: Path) -> None:
    server.most_at_once = 10
    for n in range(1, 101):
        server.issue(n)
    run = Run(server, tmp_path)
    assert len(run.issues(range(1, 101))) == 100
    assert run.tracker.missed == 0
    assert run.told == ["GitHub answered 502: asking for less at a time"]
    assert len(server.requests) < 25


def test_a_server_that_always_fails_is_left_alone(server: FakeTracker, tmp_path: Path) -> None:
    server.always = Fault(503, b"")
    run = Run(server, tmp_path)
    assert run.issues(range(1, 501)) == {}
    assert run.told == [
        "GitHub answered 503: asking for less at a time",
        f"GitHub answered 503: {ENDS}",
    ]
    assert (len(server.requests), run.tracker.missed) == (10, 500)
    assert sum(run.slept) < 120


@pytest.mark.parametrize(
    "fault",
    [
        Fault(200, b'{"data": {"repository": {"k1"'),
        Fault(200, b'{"data": {}}', cut=True),
        Fault(200, b""),
        Fault(200, {"data": {}, "errors": "many"}),
    ],
    ids=["half of the JSON", "half of the bytes", "nothing", "other JSON"],
)
def test_half_an_answer_is_asked_for_twice_more(
    server: FakeTracker, tmp_path: Path, fault: Fault
) -> None:
    for n in range(1, 5):
        server.issue(n)
    server.faults = [fault] * 2
    assert set(Run(server, tmp_path / "a").issues([1, 2, 3, 4])) == {1, 2, 3, 4}
    assert server.batches == [4, 4, 4]
    server.batches.clear()
    server.faults = [fault] * 3
    assert set(Run(server, tmp_path / "b").issues([1, 2, 3, 4])) == {1, 2, 3, 4}
    assert server.batches == [4, 4, 4, 2, 2]


def test_answers_that_make_no_sense_are_missed(server: FakeTracker, tmp_path: Path) -> None:
    server.issue(1, title=None)
    server.issue(2, labels={"nodes": "many"})
    server.issue(3)
    run = Run(server, tmp_path)
    assert set(run.issues([1, 2, 3])) == {3}
    assert run.tracker.missed == 2


# --- limits ---------------------------------------------------------------------------------


SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait."}


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault(403, SECONDARY, (("retry-after", "42"),)), 42),
        (Fault(429, b"", (("retry-after", "42"),)), 42),
        (Fault(403, SECONDARY), 60),
        (Fault(429, SECONDARY, (("retry-after", "soon"),)), 60),
        (rate_limited(), 60),
        (Fault(200, {"errors": [{"message": SECONDARY["message"]}]}), 60),
    ],
)
def test_limits_are_waited_out_in_sight(
    server: FakeTracker, tmp_path: Path, fault: Fault, seconds: int
) -> None:
    server.issue(1)
    server.faults = [fault]
    run = Run(server, tmp_path)
    assert set(run.issues([1])) == {1}
    assert run.slept == [seconds]
    assert run.told == [f"GitHub's rate limit: waiting {seconds} s"]
    assert run.tracker.missed == 0


@pytest.mark.parametrize("status", [200, 403])
def test_a_spent_hour_is_waited_for_by_githubs_clock(
    server: FakeTracker, tmp_path: Path, status: int
) -> None:
    server.issue(1)
    spent = rate_limited(int(time.time()) + 600)
    server.faults = [Fault(status, spent.data, spent.headers)]
    run = Run(server, tmp_path)
    assert set(run.issues([1])) == {1}
    (slept,) = run.slept
    assert 590 < slept <= 601


def test_waiting_ends_after_65_minutes_in_all(server: FakeTracker, tmp_path: Path) -> None:
    server.issue(1)
    server.faults = [Fault(403, SECONDARY, (("retry-after", "2000"),))] * 2
    run = Run(server, tmp_path)
    assert run.issues([1]) == {}
    assert run.slept == [2000]
    assert run.told[1:] == [f"GitHub's rate limit: 2000 s is too long a wait: {ENDS}"]
    assert run.tracker.missed == 1


def test_a_limit_that_names_no_time_is_met_with_patience(
    server: FakeTracker, tmp_path: Path
) -> None:
    server.always = rate_limited()
    run = Run(server, tmp_path)
    assert run.issues([1]) == {}
    assert run.slept == [60, 120, 240, 480, 960, 1920]


# --- old servers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lacking",
    [
        {("PullRequest", "closingIssuesReferences")},
        {("PullRequest", "userContentEdits"), ("PullRequest", "commits")},
        {("UserContentEdit", "diff"), ("PullRequest", "labels")},
        {("RenamedTitleEvent", "previousTitle")},
    ],
)
def test_a_field_that_the_server_does_not_know_is_left_out(
    server: FakeTracker, tmp_path: Path, lacking: set[tuple[str, str]]
) -> None:
    """From then on: one request is wasted, not one a batch."""
    server.lacking = lacking
    for n in range(1, 101):
        server.pull(n)
    run = Run(server, tmp_path)
    assert len(run.pulls(range(1, 101), [])) == 100
    assert (run.told, run.tracker.missed) == ([], 0)
    assert server.batches == [40, 40, 40, 20]


def test_a_server_without_the_least_is_told(server: FakeTracker, tmp_path: Path) -> None:
    server.lacking = {("Issue", "title")}
    run = Run(server, tmp_path)
    assert run.issues([1]) == {}
    assert run.told == [f"GitHub's API knows no field 'title': {ENDS}"]


def test_an_enterprise_server_has_its_addresses_elsewhere(tmp_path: Path) -> None:
    with FakeTracker() as server:
        server.prefix = "/api/v3"
        server.issue(1)
        assert set(Run(server, tmp_path).issues([1])) == {1}
        assert set(Run(server, tmp_path).issues([1])) == {1}
        assert server.requests == ["POST 1", "GET 1"]


def test_the_token_is_sent_and_never_kept(server: FakeTracker, tmp_path: Path) -> None:
    server.issue(1)
    run = Run(server, tmp_path)
    run.issues([1])
    run.cache.close()
    assert server.tokens == {"token secret-token"}
    assert all(b"secret-token" not in file.read_bytes() for file in tmp_path.iterdir())
