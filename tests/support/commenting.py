"""A client of the fake GitHub, and publishing without the waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from github import Auth, Github
from github.Repository import Repository
from support.fake_github import NAME, FakeGitHub

from reports.comment import Bodies, Published
from reports.comment import publish as publish_at_pace
from reports.patience import Pace

QUICK = Pace(settle=0, again=0.01, unsaid=0.01, patience=0.5)


def publish(
    repository: Repository, number: int, bodies: Bodies, *, author: str | None, pace: Pace = QUICK
) -> Published:
    """Without the waiting."""
    return publish_at_pace(repository, number, bodies, author=author, pace=pace)


@contextmanager
def opened(server: FakeGitHub, name: str = NAME, *, lazy: bool = False) -> Iterator[Repository]:
    """The repository as a client sees it."""
    client = Github(
        base_url=server.api,
        auth=Auth.Token("t"),
        retry=None,
        per_page=100,
        lazy=lazy,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    with client:
        yield client.get_repo(name)
