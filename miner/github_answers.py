"""How GitHub's GraphQL answers become issues and pull requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from miner.tracker import Comment, Edit, Issue, PullRequest

_SETTLED_AFTER = timedelta(days=1)
"""A commit's pull request may not be known in the first moments after the merge."""

T = TypeVar("T")


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class _Nodes(_Wire, Generic[T]):
    nodes: tuple[T | None, ...] | None = None

    @property
    def present(self) -> list[T]:
        """What the token may see of them."""
        return [node for node in self.nodes or () if node is not None]


class _Repository(_Wire):
    name_with_owner: str


class _Label(_Wire):
    name: str


class _Revision(_Wire):
    edited_at: datetime
    diff: str | None = None
    """The whole text of that revision, whatever its name says; None once it was deleted."""


class _Renamed(_Wire):
    created_at: datetime
    previous_title: str
    current_title: str


class _Author(_Wire):
    login: str = ""
    kind: str = Field(default="", alias="__typename")


class _Comment(_Wire):
    created_at: datetime
    last_edited_at: datetime | None = None
    body: str | None = None
    author: _Author | None = None


class _Referred(_Wire):
    oid: str | None = None
    number: int | None = None
    repository: _Repository | None = None
    merged_at: datetime | None = None
    merge_commit: _Referred | None = None


class _Closed(_Wire):
    closer: _Referred | None = None


class _Dated(_Wire):
    authored_date: datetime


class _Branch(_Wire):
    commit: _Dated


class _Node(_Wire):
    number: int
    title: str
    body: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    merged_at: datetime | None = None
    repository: _Repository | None = None
    labels: _Nodes[_Label] | None = None
    user_content_edits: _Nodes[_Revision] | None = None
    renames: _Nodes[_Renamed] | None = None
    commits: _Nodes[_Branch] | None = None
    closing_issues_references: _Nodes[_Referred] | None = None
    comments: _Nodes[_Comment] | None = None
    closings: _Nodes[_Closed] | None = None


class _CommitNode(_Wire):
    committed_date: datetime | None = None
    associated_pull_requests: _Nodes[_Referred] | None = None


@dataclass(frozen=True)
class Found:
    """One object of an answer, ready to be kept."""

    data: str | None
    """JSON of the issue, the pull request or a pull request's number; None = there is none."""
    updated_at: datetime | None = None
    lasting: bool = True
    """False where it may be something else soon, without GitHub saying so."""


@dataclass(frozen=True)
class Asked:
    """An answer's circumstances: what was asked for where, and when."""

    key: str
    names: frozenset[str]
    """`owner/name` as it was given and as GitHub calls it now, in lower case."""
    at: datetime

    def ours(self, repository: _Repository | None) -> bool:
        """Whether something is of the repository that was asked."""
        return repository is None or repository.name_with_owner.lower() in self.names


def read_pull(node: object, asked: Asked) -> Found:
    """A merged pull request. Raises ValidationError."""
    raw = _Node.model_validate(node)
    if raw.merged_at is None or not _is_asked(raw, asked):
        return Found(None, raw.updated_at)
    first = raw.commits.present if raw.commits else []
    closes = raw.closing_issues_references.present if raw.closing_issues_references else []
    numbers = (r.number for r in closes if r.number is not None and asked.ours(r.repository))
    pull = PullRequest(
        number=raw.number,
        title=raw.title,
        body=raw.body or "",
        created_at=raw.created_at,
        started_at=first[0].commit.authored_date if first else None,
        labels=_labels(raw),
        titles=_titles(raw),
        bodies=_bodies(raw),
        closes=tuple(dict.fromkeys(numbers)),
    )
    return Found(pull.model_dump_json(exclude_defaults=True), raw.updated_at)


def read_issue(node: object, asked: Asked) -> Found:
    """An issue; what else has numbers is none. Raises ValidationError."""
    if not isinstance(node, dict) or node.get("__typename") != "Issue":
        return Found(None)
    raw = _Node.model_validate(node)
    if not _is_asked(raw, asked):
        return Found(None, raw.updated_at)
    comments = [c for c in (raw.comments.present if raw.comments else ()) if not _by_bot(c.author)]
    issue = Issue(
        number=raw.number,
        title=raw.title,
        body=raw.body or "",
        created_at=raw.created_at,
        labels=_labels(raw),
        titles=_titles(raw),
        bodies=_bodies(raw),
        comments=tuple(sorted(map(_comment, comments), key=lambda comment: comment.at)),
        closed_by=tuple(dict.fromkeys(_closers(raw, asked))),
    )
    return Found(issue.model_dump_json(exclude_defaults=True), raw.updated_at)


def read_commit(node: object, asked: Asked) -> Found:
    """The number of the pull request that brought a commit. Raises ValidationError."""
    raw = _CommitNode.model_validate(node)
    pulls = raw.associated_pull_requests.present if raw.associated_pull_requests else []
    merged = sorted(
        (p.merge_commit is None or p.merge_commit.oid != asked.key, p.merged_at, p.number)
        for p in pulls
        if p.merged_at is not None and p.number is not None and asked.ours(p.repository)
    )
    if merged:
        return Found(str(merged[0][2]))
    written = raw.committed_date
    return Found(None, lasting=written is not None and asked.at - written > _SETTLED_AFTER)


def _is_asked(raw: _Node, asked: Asked) -> bool:
    """False for what was moved to another repository."""
    return str(raw.number) == asked.key and asked.ours(raw.repository)


def _labels(raw: _Node) -> tuple[str, ...]:
    return tuple(label.name for label in raw.labels.present) if raw.labels else ()


def _titles(raw: _Node) -> tuple[Edit, ...]:
    renames = sorted(raw.renames.present if raw.renames else [], key=lambda r: r.created_at)
    if not renames:
        return ()
    first = Edit(at=raw.created_at or renames[0].created_at, text=renames[0].previous_title)
    return (first, *(Edit(at=r.created_at, text=r.current_title) for r in renames))


def _bodies(raw: _Node) -> tuple[Edit, ...]:
    """Revisions that were deleted are empty: what they said, nobody is to know."""
    known = raw.user_content_edits.present if raw.user_content_edits else []
    edits = sorted(known, key=lambda edit: edit.edited_at)
    return tuple(Edit(at=edit.edited_at, text=edit.diff or "") for edit in edits)


def _by_bot(author: _Author | None) -> bool:
    return author is not None and (author.kind == "Bot" or author.login.endswith("[bot]"))


def _comment(raw: _Comment) -> Comment:
    """As old as its last edit: what it says was not known before that."""
    return Comment(
        at=raw.last_edited_at or raw.created_at,
        author=raw.author.login if raw.author else "",
        text=raw.body or "",
    )


def _closers(raw: _Node, asked: Asked) -> Iterable[str]:
    for event in raw.closings.present if raw.closings else ():
        by = event.closer
        if by is not None and asked.ours(by.repository):
            if by.oid is not None:
                yield by.oid
            elif by.number is not None:
                yield f"#{by.number}"
