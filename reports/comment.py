"""The one comment on a pull request that every run finds again and rewrites."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports import sticky
from reports.markdown import MARKER
from reports.patience import Pace
from reports.sticky import Bodies as Bodies
from reports.sticky import Ours, keep
from reports.sticky import Published as Published

if TYPE_CHECKING:
    from github.IssueComment import IssueComment
    from github.NamedUser import NamedUser
    from github.Organization import Organization
    from github.Repository import Repository

_HINTS = {
    403: "to comment, the job needs the permission `pull-requests: write`, which a pull request "
    "from a fork never has (examples/workflows/fork-report.yml posts for it)",
    404: "there is no such pull request, or the token cannot see it",
    410: "comments are turned off there",
    422: "the comment was refused, most likely because it is too long",
}


def publish(
    repository: Repository,
    number: int,
    bodies: Bodies,
    *,
    author: str | None,
    pace: Pace | None = None,
    marker: str = MARKER,
) -> Published:
    """Write on pull request `number`: edit our comment, or create it, as `sticky.keep` says.

    Ours starts with `marker` and was written by `author`; the marker alone is never enough,
    because anybody can write it.

    Raises UsageError when the token may not do this (naming the permission), when there is no
    such pull request or when every body is refused; InfrastructureError when GitHub is down or
    its limits ask for more waiting than `pace` allows.
    """
    place = _Comments(repository, number, marker)
    with explained(f"{repository.full_name}#{number}"):
        return keep(repository, place, bodies, author=author, pace=pace or Pace())


def explained(what: str) -> AbstractContextManager[None]:
    """As `sticky.explained`, where it is about comments and pull requests."""
    return sticky.explained(what, _HINTS)


@dataclass(frozen=True)
class _Comment:
    comment: IssueComment

    @property
    def id(self) -> int:
        return self.comment.id

    @property
    def url(self) -> str:
        return self.comment.html_url

    @property
    def body(self) -> str:
        return self.comment.body

    def edit(self, body: str) -> None:
        self.comment.edit(body)

    def remove(self, kept: Ours) -> None:  # noqa: ARG002 - a comment can go without a trace
        from github.GithubException import UnknownObjectException

        # Where the run that wrote it, or another, was faster, there is nothing to remove.
        with suppress(UnknownObjectException):
            self.comment.delete()


@dataclass(frozen=True)
class _Comments:
    repository: Repository
    number: int
    marker: str

    def ours(self, login: str) -> list[Ours]:
        comments = self.repository.get_issue(self.number).get_comments()
        found = [one for one in comments if self._is_ours(one, login)]
        return [_Comment(one) for one in sorted(found, key=lambda one: one.id)]

    def create(self, body: str) -> Ours:
        return _Comment(self.repository.get_issue(self.number).create_comment(body))

    def _is_ours(self, comment: IssueComment, login: str) -> bool:
        # A deleted account's comments have no user, whatever PyGithub's types say.
        user: NamedUser | Organization | None = comment.user
        ours = user is not None and user.login.casefold() == login.casefold()
        return ours and comment.body.startswith(self.marker)
