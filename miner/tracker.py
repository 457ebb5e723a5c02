"""What issues and pull requests say: the nouns, and where they come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict


def _with_zone(at: datetime) -> datetime:
    """Times without a zone are in UTC, so that any two times can be compared."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Time = Annotated[datetime, AfterValidator(_with_zone)]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Edit(_Said):
    """A text as it read from some time on, until the next edit."""

    at: Time
    text: str


class Comment(_Said):
    """One comment on an issue."""

    at: Time
    author: str = ""
    text: str = ""


class Issue(_Said):
    """An issue as people wrote it; only number and title are always known."""

    number: int
    title: str
    body: str | None = ""
    created_at: Time | None = None
    labels: tuple[str, ...] = ()
    titles: tuple[Edit, ...] = ()
    """What the title was, oldest first; empty where it never changed or that is unknown."""
    bodies: tuple[Edit, ...] = ()
    """What the body was, oldest first; empty where it never changed or that is unknown."""
    comments: tuple[Comment, ...] = ()
    """Oldest first."""
    closed_by: tuple[str, ...] = ()
    """What closed it, by the timeline: full commit ids, and pull requests as `#12`."""


class PullRequest(_Said):
    """A merged pull request as people wrote it."""

    number: int
    title: str
    body: str | None = ""
    created_at: Time | None = None
    started_at: Time | None = None
    """When its first commit was written."""
    labels: tuple[str, ...] = ()
    titles: tuple[Edit, ...] = ()
    bodies: tuple[Edit, ...] = ()
    closes: tuple[int, ...] = ()
    """Issues of the same repository that the tracker itself links as closed by it."""


class Tracker(Protocol):
    """Where issues and pull requests come from. What cannot be had is left out."""

    @property
    def slug(self) -> str:
        """`owner/name` of the repository whose issues these are; empty where unknown."""
        ...

    @property
    def missed(self) -> int:
        """How many of the numbers and commits asked for could not be had, there or not."""
        ...

    def pull_requests(
        self, numbers: Collection[int], commits: Collection[str]
    ) -> Mapping[int | str, PullRequest]:
        """Pull requests by their number, and by the commits that they brought.

        A number that is an issue's, or a commit that no pull request brought, is left out.
        """
        ...

    def issues(self, numbers: Collection[int]) -> Mapping[int, Issue]:
        """Issues by number. A number that is a pull request's or a discussion's is left out."""
        ...
