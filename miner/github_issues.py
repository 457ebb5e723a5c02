"""Issues from GitHub, each asked for at most once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from miner.issues import Issue

if TYPE_CHECKING:
    from github.Issue import Issue as Found
    from github.Repository import Repository


class GitHubIssues:
    """Issues of one repository through PyGithub.

    An issue that cannot be had (deleted, no permission, no network) is None: the miner then
    goes on with the commit message. After a failure that would only repeat itself nothing
    more is asked, and `tell` is called once with the reason.
    """

    def __init__(self, repository: Repository, tell: Callable[[str], None]):
        self._repository = repository
        self._tell = tell
        self._known: dict[int, Issue | None] = {}
        self._lock = threading.Lock()
        self._closed = False

    def get(self, number: int) -> Issue | None:
        """See Issues.get."""
        with self._lock:
            if number not in self._known:
                self._known[number] = None if self._closed else self._ask(number)
            return self._known[number]

    def _ask(self, number: int) -> Issue | None:
        import requests
        from github import GithubException

        try:
            return _read(self._repository.get_issue(number), number)
        except GithubException as error:
            if error.status not in (404, 410):
                self._close(f"GitHub answered {error.status}")
            return None
        except requests.RequestException as error:
            self._close(f"GitHub cannot be reached ({type(error).__name__})")
            return None

    def _close(self, reason: str) -> None:
        self._closed = True
        self._tell(f"{reason}: statements come from commit messages alone")


def _read(found: Found, number: int) -> Issue | None:
    # A lazy client asks GitHub here, at the first field, and not before.
    if found.pull_request is not None:
        return None
    return Issue(number=number, title=found.title, body=found.body or "")
