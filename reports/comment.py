"""The one comment on a pull request that every run finds again and rewrites."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.errors import InfrastructureError, PatchmarkError, UsageError
from reports.markdown import MARKER
from reports.patience import Pace, limited, patiently
from reports.stamp import stamp_in

if TYPE_CHECKING:
    from github.GithubException import GithubException
    from github.IssueComment import IssueComment
    from github.NamedUser import NamedUser
    from github.Organization import Organization
    from github.Repository import Repository

ACTIONS_BOT = "github-actions[bot]"
"""Who writes with a workflow's own token. No person can register a name with brackets."""

_VIEWER = "query { viewer { login } }"
_ROUNDS = 4
"""How often a comment is looked at anew because another run wrote on it meanwhile."""


Bodies = Callable[[str], Sequence[str]]
"""From what our comment says now, empty where there is none, to what it may say, best first.

Nothing at all = it stays as it is."""


@dataclass(frozen=True)
class Published:
    """Where the comment is and what was done to it; no URL where there is none."""

    url: str
    id: int
    action: Literal["created", "updated", "unchanged", "kept"]
    body: str


def publish(
    repository: Repository,
    number: int,
    bodies: Bodies,
    *,
    author: str | None,
    pace: Pace | None = None,
) -> Published:
    """Write on pull request `number`: edit our comment, or create it.

    Ours is the oldest comment that starts with `MARKER` and was written by `author`, the
    login the token acts as. With None the login is asked for, and is `github-actions[bot]`
    where GitHub does not tell; the marker alone is never enough, because anybody can write it.
    Where GitHub calls a body too long, the next is tried.

    Other runs may do the same at the same time: the comment is read again right before it is
    written and once more after it; where another run wrote meanwhile, `bodies` is asked anew. Of
    two comments that were created at once the older stays.

    Raises UsageError when the token may not do this (naming the permission), when there is no
    such pull request or when every body is refused; InfrastructureError when GitHub is down or
    its limits ask for more waiting than `pace` allows.
    """
    pace = pace or Pace()
    with explained(f"{repository.full_name}#{number}"):
        login = author or _viewer(repository)
        return patiently(lambda: _rounds(repository, number, login, bodies, pace), pace)


def _rounds(
    repository: Repository, number: int, login: str, bodies: Bodies, pace: Pace
) -> Published:
    from github.GithubException import UnknownObjectException

    repository.complete()  # its address, where it was renamed since the workflow began
    ours = None
    for _ in range(_ROUNDS):
        ours = _first(repository, number, login)
        texts = bodies(ours.body if ours else "")
        if not texts:
            return _untouched(ours, "kept")
        now = _first(repository, number, login)
        if _body(now) != _body(ours):
            continue
        try:
            done = _write(repository, number, now, texts)
        except UnknownObjectException:
            if now is None:
                raise
            continue  # it was deleted meanwhile
        if done.action == "unchanged" or _settled(repository, number, login, done, pace):
            return done
    # Others write all the time, and each of them puts it right as well.
    return _untouched(ours, "kept")


def _settled(repository: Repository, number: int, login: str, done: Published, pace: Pace) -> bool:
    """Look again: False where another run wrote meanwhile. What is there twice is removed."""
    time.sleep(pace.settle)
    ours = _all(repository, number, login)
    mine = next((item for item in ours if item.id == done.id), None)
    if mine is None or not _same(mine.body, done.body):
        return False
    if mine is not ours[0]:
        _remove(mine)
        return False
    written = stamp_in(done.body)
    for other in ours[1:]:
        theirs = stamp_in(other.body)
        if written and theirs and theirs.older_than(written):
            _remove(other)
    return True


def _remove(comment: IssueComment) -> None:
    from github.GithubException import UnknownObjectException

    # Where the run that wrote it, or another, was faster, there is nothing to remove.
    with suppress(UnknownObjectException):
        comment.delete()


def _untouched(ours: IssueComment | None, action: Literal["unchanged", "kept"]) -> Published:
    return Published(ours.html_url if ours else "", ours.id if ours else 0, action, _body(ours))


def _body(ours: IssueComment | None) -> str:
    return ours.body if ours else ""


def _viewer(repository: Repository) -> str:
    from github.GithubException import GithubException

    try:
        _, data = repository.requester.graphql_query(_VIEWER, {})
    except GithubException:
        return ACTIONS_BOT
    viewer = (data.get("data") or {}).get("viewer") or {}
    return str(viewer.get("login") or ACTIONS_BOT)


def _first(repository: Repository, number: int, login: str) -> IssueComment | None:
    return next(iter(_all(repository, number, login)), None)


def _all(repository: Repository, number: int, login: str) -> list[IssueComment]:
    """Our comments, the oldest first; there should be one."""
    comments = repository.get_issue(number).get_comments()
    return sorted((one for one in comments if _is_ours(one, login)), key=lambda one: one.id)


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
        return Published(made.html_url, made.id, "created", body)
    if _same(ours.body, body):
        return _untouched(ours, "unchanged")
    ours.edit(body)
    return Published(ours.html_url, ours.id, "updated", body)


def _same(first: str, second: str) -> bool:
    """Equal but for line ends and outer white space, which GitHub does not keep."""
    return first.replace("\r\n", "\n").strip() == second.replace("\r\n", "\n").strip()


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what PyGithub raises about this into an error with a message for a person."""
    from github.GithubException import GithubException

    try:
        yield
    except GithubException as error:
        raise _error(error, what) from error
    except OSError as error:  # what requests raises when nobody answers
        raise InfrastructureError(f"GitHub does not answer: {error}") from error


def _error(error: GithubException, what: str) -> PatchmarkError:
    data = error.data if isinstance(error.data, dict) else {}
    said = f"{what}: GitHub said {error.status} {data.get('message') or ''}".strip()
    if limited(error):
        return InfrastructureError(f"{said}; its rate limit is used up")
    if error.status == 403:
        return UsageError(
            f"{said}; to comment, the job needs the permission `pull-requests: write`, which a "
            "pull request from a fork never has (examples/workflows/fork-report.yml posts for it)"
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
