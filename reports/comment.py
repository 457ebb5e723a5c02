"""The one comment on a pull request that every run finds again and rewrites."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.errors import InfrastructureError, PatchmarkError, UsageError
from reports.markdown import MARKER

if TYPE_CHECKING:
    from github.GithubException import GithubException
    from github.IssueComment import IssueComment
    from github.NamedUser import NamedUser
    from github.Organization import Organization
    from github.Repository import Repository

ACTIONS_BOT = "github-actions[bot]"
"""Who writes with a workflow's own token. No person can register a name with brackets."""

_VIEWER = "query { viewer { login } }"


Bodies = Callable[[str], Sequence[str]]
"""From what our comment says now, empty where there is none, to what it may say, best first."""


@dataclass(frozen=True)
class Published:
    """Where the comment is and what was done to it."""

    url: str
    id: int
    action: Literal["created", "updated", "unchanged"]


def publish(
    repository: Repository,
    number: int,
    bodies: Bodies,
    *,
    author: str | None,
) -> Published:
    """Write on pull request `number`: edit our comment, or create it.

    Ours is the oldest comment that starts with `MARKER` and was written by `author`, the
    login the token acts as. With None the login is asked for, and is `github-actions[bot]`
    where GitHub does not tell; the marker alone is never enough, because anybody can write it.
    Where GitHub calls a body too long, the next is tried.

    Raises UsageError when the token may not do this (naming the permission), when there is no
    such pull request or when every body is refused; InfrastructureError when GitHub is down.
    """
    with _explained(repository, number):
        login = author or _viewer(repository)
        ours = _find(repository, number, login)
        return _write(repository, number, ours, bodies(ours.body if ours else ""))


def _viewer(repository: Repository) -> str:
    from github.GithubException import GithubException

    try:
        _, data = repository.requester.graphql_query(_VIEWER, {})
    except GithubException:
        return ACTIONS_BOT
    viewer = (data.get("data") or {}).get("viewer") or {}
    return str(viewer.get("login") or ACTIONS_BOT)


def _find(repository: Repository, number: int, login: str) -> IssueComment | None:
    comments = repository.get_issue(number).get_comments()
    ours = [item for item in comments if _is_ours(item, login)]
    return min(ours, key=lambda item: item.id, default=None)


def _is_ours(comment: IssueComment, login: str) -> bool:
    # A deleted account's comments have no user, whatever PyGithub's types say.
    user: NamedUser | Organization | None = comment.user
    ours = user is not None and user.login.casefold() == login.casefold()
    return ours and comment.body.startswith(MARKER)


def _write(
    repository: Repository, number: int, ours: IssueComment | None, bodies: Sequence[str]
) -> Published:
    from github.GithubException import GithubException

    for body in bodies[:-1]:
        try:
            return _write_one(repository, number, ours, body)
        except GithubException as error:
            if error.status != 422:
                raise
    return _write_one(repository, number, ours, bodies[-1])


def _write_one(
    repository: Repository, number: int, ours: IssueComment | None, body: str
) -> Published:
    if ours is None:
        made = repository.get_issue(number).create_comment(body)
        return Published(made.html_url, made.id, "created")
    if _same(ours.body, body):
        return Published(ours.html_url, ours.id, "unchanged")
    ours.edit(body)
    return Published(ours.html_url, ours.id, "updated")


def _same(first: str, second: str) -> bool:
    """Equal but for line ends and outer white space, which GitHub does not keep."""
    return first.replace("\r\n", "\n").strip() == second.replace("\r\n", "\n").strip()


@contextmanager
def _explained(repository: Repository, number: int) -> Iterator[None]:
    """Turn what PyGithub raises into an error with a message for a person."""
    from github.GithubException import GithubException

    try:
        yield
    except GithubException as error:
        raise _error(error, repository.full_name, number) from error
    except OSError as error:  # what requests raises when nobody answers
        raise InfrastructureError(f"GitHub does not answer: {error}") from error


def _error(error: GithubException, repository: str, number: int) -> PatchmarkError:
    from github.GithubException import RateLimitExceededException

    data = error.data if isinstance(error.data, dict) else {}
    said = f"{repository}#{number}: GitHub said {error.status} {data.get('message') or ''}".strip()
    if isinstance(error, RateLimitExceededException) or error.status == 429:
        return InfrastructureError(f"{said}; its rate limit is used up")
    if error.status == 403:
        return UsageError(
            f"{said}; to comment, the job needs the permission `pull-requests: write`, which a "
            "pull request from a fork never has"
        )
    hints = {
        401: "the token is not valid",
        404: "there is no such pull request, or the token cannot see it",
        410: "comments are turned off there",
        422: "the comment was refused, most likely because it is too long",
    }
    if error.status in hints:
        return UsageError(f"{said}; {hints[error.status]}")
    return InfrastructureError(said)
