"""Issues over HTTP: the real client, and a server on 127.0.0.1."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from github import Auth, Github
from support.served import Served, send_json

from miner.github_issues import GitHubIssues

Answers = dict[int, tuple[int, dict[str, Any]]]

PULL = {"url": "https://api.github.example/repos/o/r/pulls/5"}
ANSWERS: Answers = {
    1: (200, {"number": 1, "title": "Add is wrong", "body": "It is -1.\r\n"}),
    2: (200, {"number": 2, "title": "No body", "body": None}),
    3: (404, {"message": "Not Found"}),
    4: (410, {"message": "This issue was deleted"}),
    5: (200, {"number": 5, "title": "A pull request", "body": "x", "pull_request": PULL}),
    6: (403, {"message": "Resource not accessible by integration"}),
    7: (401, {"message": "Bad credentials"}),
}


class Server(Served):
    """Answers /repos/o/r/issues/N by table, and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        status, data = ANSWERS[int(request.path.rpartition("/")[2])]
        send_json(request, status, {"url": f"{self.url}{request.path}", **data})


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def issues(server: Server) -> tuple[GitHubIssues, list[str]]:
    """The issues of repository o/r, and what is told about them."""
    told: list[str] = []
    client = Github(
        base_url=server.url,
        auth=Auth.Token("t"),
        lazy=True,
        timeout=5,
        retry=None,
        seconds_between_requests=None,
    )
    return GitHubIssues(client.get_repo("o/r"), told.append), told


def test_an_issue_is_found_and_asked_for_once(server: Server) -> None:
    found, told = issues(server)
    for _ in range(3):
        one, two = found.get(1), found.get(2)
    assert one is not None
    assert two is not None
    assert (one.number, one.title, one.body) == (1, "Add is wrong", "It is -1.\r\n")
    assert two.body == ""
    assert server.asked == ["/repos/o/r/issues/1", "/repos/o/r/issues/2"]
    assert told == []


@pytest.mark.parametrize("number", [3, 4, 5], ids=["missing", "deleted", "a pull request"])
def test_what_is_no_issue_is_none_and_asked_for_once(server: Server, number: int) -> None:
    """The next one is asked for all the same.

    Bug: a lazy client asks when a field is read, which was outside of the `try`: any issue that
    is not there ended the mining with a traceback.
    """
    found, told = issues(server)
    assert found.get(number) is None
    assert found.get(number) is None
    assert found.get(1) is not None
    assert len(server.asked) == 2
    assert told == []


@pytest.mark.parametrize(("number", "status"), [(6, 403), (7, 401)])
def test_a_refusal_ends_the_asking(server: Server, number: int, status: int) -> None:
    """What is known stays known; the reason is told once."""
    found, told = issues(server)
    assert found.get(1) is not None
    assert found.get(number) is None
    assert found.get(2) is None
    assert found.get(number) is None
    assert found.get(1) is not None
    assert len(server.asked) == 2
    assert told == [f"GitHub answered {status}: statements come from commit messages alone"]


def test_no_server_ends_the_asking() -> None:
    with Server() as server:
        pass
    found, told = issues(server)
    assert found.get(1) is None
    assert found.get(2) is None
    (words,) = told
    assert words.startswith("GitHub cannot be reached (ConnectionError)")


def test_many_threads_ask_once(server: Server) -> None:
    found, _ = issues(server)
    threads = [threading.Thread(target=found.get, args=(1,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked == ["/repos/o/r/issues/1"]
