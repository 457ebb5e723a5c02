"""Which kept answers are out of date: one conditional listing says it for all of them."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from miner.api_cache import OVERLAP, ApiCache, Position
from miner.github_api import GitHubApi, Reply, UnansweredError

_PAGES = 3
_PER_PAGE = 100
_LISTED = 50
"""Changes that one list may grow to; then a new one is begun."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    updated_at: datetime
    repository_url: str


_ROWS = TypeAdapter(list[_Row])


def begin(cache: ApiCache, name: str, at: datetime) -> None:
    """Note what GitHub calls the repository, and, in a new cache, that it was read from `at` on."""
    position = cache.position
    if position is None:
        cache.position = Position(at - OVERLAP, name=name)
    elif position.name != name:
        cache.position = Position(position.since, position.etag, name)


def outdate(api: GitHubApi, cache: ApiCache, slug: str) -> bool:
    """Mark what changed since the cache was last looked through. Returns whether that is known.

    Raises RefusedError and UnansweredError.
    """
    position = cache.position
    if position is None:
        cache.outdate_all()
        return False
    name = position.name or slug
    path = f"/repos/{quote(name)}/issues"
    parameters = {
        "state": "all",
        "sort": "updated",
        "direction": "desc",
        "since": position.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "per_page": str(_PER_PAGE),
    }
    first = reply = api.get(path, parameters, position.etag)
    if first.status == 304:
        return True
    changes: dict[int, datetime] = {}
    for page in range(1, _PAGES + 1):
        for row in _rows(reply, name):
            changes.setdefault(row.number, row.updated_at)
        if 'rel="next"' not in reply.headers.get("link", ""):
            cache.outdate(changes)
            break
        if page == _PAGES:
            cache.outdate_all()
            break
        reply = api.get(path, {**parameters, "page": str(page + 1)})
    if len(changes) < _LISTED:
        cache.position = Position(position.since, first.headers.get("etag", ""), position.name)
    else:
        cache.position = Position(first.date - OVERLAP, name=position.name)
    return True


def _rows(reply: Reply, name: str) -> list[_Row]:
    """A page of changes. Raises UnansweredError where it is something else.

    Of a repository that has a new name, PyGithub fetches all that is open instead.
    """
    try:
        rows = _ROWS.validate_python(reply.data)
    except ValidationError as error:
        raise UnansweredError("GitHub's list of changes cannot be read") from error
    if any(not row.repository_url.lower().endswith(f"/repos/{name.lower()}") for row in rows):
        raise UnansweredError("GitHub lists the changes of another repository")
    return rows
