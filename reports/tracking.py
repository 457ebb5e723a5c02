"""The one issue that runs without a pull request keep up to date.

It is found again by a hidden first line and its author, whatever people have made of its title.
An issue that people closed stays closed: it goes on telling the newest numbers to whoever looks,
and nobody is told. Reopen it to have it back among the open ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.patience import Pace
from reports.sticky import Bodies, Ours, Published, explained, keep

if TYPE_CHECKING:
    from github.Issue import Issue
    from github.NamedUser import NamedUser
    from github.Repository import Repository

LONGEST_TITLE = 200
_NEEDED = "to keep a tracking issue, the job needs the permission `issues: write`"
_HINTS = {
    403: _NEEDED,
    404: f"{_NEEDED}, and the token has to see the repository",
    410: "issues are turned off in this repository: turn them on, or leave `tracking-issue` out",
    422: "the issue was refused, most likely because it is too long",
}


def marker(title: str) -> str:
    """The hidden first line of the issue that was asked for under this title."""
    name = hashlib.sha256(title.strip().casefold().encode()).hexdigest()[:12]
    return f"<!-- patchmark:tracking v1 {name} -->"


def publish(
    repository: Repository,
    title: str,
    bodies: Bodies,
    *,
    author: str | None = None,
    pace: Pace | None = None,
) -> Published:
    """Edit our issue, or create it under this title, as `sticky.keep` says.

    Another title is another issue. Its number is `Published.id`. Raises as `comment.publish`.
    """
    place, mark = _Issues(repository, title), marker(title)

    def marked(said: str) -> Sequence[str]:
        return [f"{mark}\n{body}" for body in bodies(said)]

    with explained(f"{repository.full_name}: the issue {title!r}", _HINTS):
        return keep(repository, place, marked, author=author, pace=pace or Pace())


@dataclass(frozen=True)
class _Tracking:
    issue: Issue

    @property
    def id(self) -> int:
        return self.issue.number

    @property
    def url(self) -> str:
        return self.issue.html_url

    @property
    def body(self) -> str:
        return self.issue.body or ""

    def edit(self, body: str) -> None:
        self.issue.edit(body=body)

    def remove(self, kept: Ours) -> None:
        # Nobody but an administrator can delete an issue; without our line it is none of ours.
        body = f"Two runs began this at once; #{kept.id} goes on."
        self.issue.edit(body=body, state="closed", state_reason="not_planned")


@dataclass(frozen=True)
class _Issues:
    repository: Repository
    title: str

    def ours(self, login: str) -> list[Ours]:
        from github.NamedUser import NamedUser

        # GitHub sends those of this author alone, of how many ever there are.
        author = NamedUser(self.repository.requester, {}, {"login": login}, completed=True)
        issues = self.repository.get_issues(state="all", creator=author)
        found = [one for one in issues if self._is_ours(one, login)]
        return [_Tracking(one) for one in sorted(found, key=lambda one: one.number)]

    def create(self, body: str) -> Ours:
        title = " ".join(self.title.split())[:LONGEST_TITLE]
        return _Tracking(self.repository.create_issue(title, body=body))

    def _is_ours(self, issue: Issue, login: str) -> bool:
        user: NamedUser | None = issue.user
        ours = user is not None and user.login.casefold() == login.casefold()
        # The list holds pull requests as well; to ask whether it is one is a request each.
        is_pull = "/pull/" in issue.html_url
        return ours and not is_pull and (issue.body or "").startswith(marker(self.title))
