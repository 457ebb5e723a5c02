"""One text of ours on GitHub that every run finds again and rewrites, wherever it is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from core.errors import InfrastructureError, PatchmarkError, UsageError
from reports.patience import Pace, limited, patiently
from reports.stamp import stamp_in

if TYPE_CHECKING:
    from github.GithubException import GithubException
    from github.Repository import Repository

ACTIONS_BOT = "github-actions[bot]"
"""Who writes with a workflow's own token. No person can register a name with brackets."""

_VIEWER = "query { viewer { login } }"
_ROUNDS = 4
"""How often a text is looked at anew because another run wrote on it meanwhile."""


Bodies = Callable[[str], Sequence[str]]
"""From what our text says now, empty where there is none, to what it may say, best first.

Nothing at all = it stays as it is."""


@dataclass(frozen=True)
class Published:
    """Where the text is and what was done to it; no URL where there is none."""

    url: str
    id: int
    action: Literal["created", "updated", "unchanged", "kept"]
    body: str


class Ours(Protocol):
    """One text that is there."""

    @property
    def id(self) -> int:
        """Lower = older."""

    @property
    def url(self) -> str:
        """For people."""

    @property
    def body(self) -> str:
        """What it said when it was read."""

    def edit(self, body: str) -> None:
        """Have it say this. Raises as PyGithub does."""

    def remove(self, kept: Ours) -> None:
        """Take it away, for `kept` stays in its place. Raises as PyGithub does."""


class Place(Protocol):
    """Where such a text is kept."""

    def ours(self, login: str) -> list[Ours]:
        """All that are there, the oldest first; there should be one."""

    def create(self, body: str) -> Ours:
        """Put the first one there."""


def keep(
    repository: Repository, place: Place, bodies: Bodies, *, author: str | None, pace: Pace
) -> Published:
    """Edit our text, or create it.

    Ours is the oldest that `place` finds written by `author`, the login the token acts as. With
    None the login is asked for, and is `github-actions[bot]` where GitHub does not tell. Where
    GitHub calls a body too long, the next is tried.

    Other runs may do the same at the same time: the text is read again right before it is
    written and once more after it; where another run wrote meanwhile, `bodies` is asked anew. Of
    two texts that were created at once the older stays. Raises as PyGithub does.
    """
    login = author or _viewer(repository)
    return patiently(lambda: _rounds(repository, place, login, bodies, pace), pace)


def _rounds(
    repository: Repository, place: Place, login: str, bodies: Bodies, pace: Pace
) -> Published:
    from github.GithubException import UnknownObjectException

    repository.complete()  # its address, where it was renamed since the workflow began
    ours = None
    for _ in range(_ROUNDS):
        ours = _first(place, login)
        texts = bodies(ours.body if ours else "")
        if not texts:
            return _untouched(ours, "kept")
        now = _first(place, login)
        if _body(now) != _body(ours):
            continue
        try:
            done = _write(place, now, texts)
        except UnknownObjectException:
            if now is None:
                raise
            continue  # it was deleted meanwhile
        if done.action == "unchanged" or _settled(place, login, done, pace):
            return done
    # Others write all the time, and each of them puts it right as well.
    return _untouched(ours, "kept")


def _settled(place: Place, login: str, done: Published, pace: Pace) -> bool:
    """Look again: False where another run wrote meanwhile. What is there twice is removed."""
    time.sleep(pace.settle)
    ours = place.ours(login)
    mine = next((item for item in ours if item.id == done.id), None)
    if mine is None or not _same(mine.body, done.body):
        return False
    if mine is not ours[0]:
        mine.remove(ours[0])
        return False
    written = stamp_in(done.body)
    for other in ours[1:]:
        theirs = stamp_in(other.body)
        if written and theirs and theirs.older_than(written):
            other.remove(mine)
    return True


def _first(place: Place, login: str) -> Ours | None:
    return next(iter(place.ours(login)), None)


def _untouched(ours: Ours | None, action: Literal["unchanged", "kept"]) -> Published:
    return Published(ours.url if ours else "", ours.id if ours else 0, action, _body(ours))


def _body(ours: Ours | None) -> str:
    return ours.body if ours else ""


def _viewer(repository: Repository) -> str:
    from github.GithubException import GithubException

    try:
        _, data = repository.requester.graphql_query(_VIEWER, {})
    except GithubException:
        return ACTIONS_BOT
    viewer = (data.get("data") or {}).get("viewer") or {}
    return str(viewer.get("login") or ACTIONS_BOT)


def _write(place: Place, ours: Ours | None, bodies: Sequence[str]) -> Published:
    from github.GithubException import GithubException

    for body in bodies[:-1]:
        try:
            return _write_one(place, ours, body)
        except GithubException as error:
            if error.status != 422:
                raise
    return _write_one(place, ours, bodies[-1])


def _write_one(place: Place, ours: Ours | None, body: str) -> Published:
    if ours is None:
        made = place.create(body)
        return Published(made.url, made.id, "created", body)
    if _same(ours.body, body):
        return _untouched(ours, "unchanged")
    ours.edit(body)
    return Published(ours.url, ours.id, "updated", body)


def _same(first: str, second: str) -> bool:
    """Equal but for line ends and outer white space, which GitHub does not keep."""
    return first.replace("\r\n", "\n").strip() == second.replace("\r\n", "\n").strip()


@contextmanager
def explained(what: str, hints: Mapping[int, str]) -> Iterator[None]:
    """Turn what PyGithub raises about this into an error with a message for a person.

    `hints` say what a status means here, and are what the user can do something about.
    """
    from github.GithubException import GithubException

    try:
        yield
    except GithubException as error:
        raise _error(error, what, hints) from error
    except OSError as error:  # what requests raises when nobody answers
        raise InfrastructureError(f"GitHub does not answer: {error}") from error


def _error(error: GithubException, what: str, hints: Mapping[int, str]) -> PatchmarkError:
    data = error.data if isinstance(error.data, dict) else {}
    said = f"{what}: GitHub said {error.status} {data.get('message') or ''}".strip()
    if limited(error):
        return InfrastructureError(f"{said}; its rate limit is used up")
    hint = {401: "the token is not valid", **hints}.get(error.status)
    return UsageError(f"{said}; {hint}") if hint else InfrastructureError(said)
