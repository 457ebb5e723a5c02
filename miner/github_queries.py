"""What GitHub is asked in GraphQL.

One query asks for many objects, each under an alias of its own. A server that is older than
a field names it; that field is then left out of all further queries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from miner.github_answers import Asked, Found, read_commit, read_issue, read_pull
from miner.github_api import Problem
from miner.tracker import Issue, PullRequest

_EDITS = "userContentEdits(first: 25) { nodes { editedAt diff } }"
_RENAMES = (
    "renames: timelineItems(first: 20, itemTypes: [RENAMED_TITLE_EVENT]) "
    "{ nodes { ... on RenamedTitleEvent { createdAt previousTitle currentTitle } } }"
)
_SAID = (
    *("number", "title", "body", "createdAt", "updatedAt", "repository { nameWithOwner }"),
    *("labels(first: 20) { nodes { name } }", _EDITS, _RENAMES),
)
_PULL = (
    *_SAID,
    "mergedAt",
    "commits(first: 1) { nodes { commit { authoredDate } } }",
    "closingIssuesReferences(first: 25) { nodes { number repository { nameWithOwner } } }",
)
_CLOSINGS = (
    "closings: timelineItems(last: 10, itemTypes: [CLOSED_EVENT]) { nodes { ... on ClosedEvent "
    "{ closer { ... on Commit { oid repository { nameWithOwner } } "
    "... on PullRequest { number repository { nameWithOwner } } } } } }"
)
_COMMENTS = (
    "comments(first: 50) { nodes { createdAt lastEditedAt body author { login __typename } } }"
)
_ISSUE = (*_SAID, _COMMENTS, _CLOSINGS)
_BROUGHT_BY = (
    "associatedPullRequests(first: 5) "
    "{ nodes { number mergedAt mergeCommit { oid } repository { nameWithOwner } } }"
)
_COMMIT = ("committedDate", _BROUGHT_BY)
_NEEDED = frozenset({"number", "title", "mergedAt", "associatedPullRequests"})
_UNKNOWN_FIELD = re.compile(
    r"Field '(\w{1,80})' doesn't (?:exist on type '(\w{1,80})'|accept argument)"
)


@dataclass(frozen=True)
class Kind:
    """Something to ask for many at a time."""

    name: str
    on_type: str
    ask: str
    """The GraphQL field, with `{key}` where the number or the commit goes."""
    selections: tuple[str, ...]
    at_once: int
    read: Callable[[object, Asked], Found]
    """From a node that is not null. Raises ValidationError."""
    load: Callable[[str], object]
    """From what is kept of it. Raises ValueError."""


class Queries:
    """Writes queries, without the fields that the server was found not to know."""

    def __init__(self) -> None:
        self._dropped: set[tuple[str, str]] = set()

    def text(self, kind: Kind, keys: Sequence[str]) -> str:
        """A query with the variables $owner and $name; key K is under the alias `kK`."""
        chosen = [s for s in kind.selections if (kind.on_type, s) not in self._dropped]
        asked = "\n".join(
            f"k{key}: {kind.ask.replace('{key}', key)} {{ __typename ...wanted }}" for key in keys
        )
        return (
            "query ($owner: String!, $name: String!) {\n"
            f"repository(owner: $owner, name: $name) {{ nameWithOwner\n{asked}\n}} }}\n"
            f"fragment wanted on {kind.on_type} {{\n" + "\n".join(chosen) + "\n}"
        )

    def drop(self, kind: Kind, problems: Iterable[Problem]) -> str | None:
        """Leave out what the server does not know; returns a field that cannot be left out.

        "" = fields were left out, ask again. None = the problems are not about fields.
        """
        fields = [field for problem in problems if (field := _unknown(problem))]
        if not fields:
            return None
        new: set[tuple[str, str]] = set()
        for name, on_type in fields:
            gone = {
                (kind.on_type, selection)
                for selection in kind.selections
                if _is_in(selection, name, on_type == kind.on_type)
            }
            if gone <= self._dropped or any(_head(selection) in _NEEDED for _, selection in gone):
                return name
            new |= gone
        self._dropped |= new
        return ""


def _unknown(problem: Problem) -> tuple[str, str | None] | None:
    more = problem.extensions
    if more is not None and more.code == "undefinedField" and more.fieldName:
        return more.fieldName, more.typeName
    found = _UNKNOWN_FIELD.search(problem.message or "")
    return (found.group(1), found.group(2)) if found else None


def _head(selection: str) -> str:
    """The field of a selection, behind its alias."""
    return selection.partition("(")[0].partition("{")[0].split()[-1]


def _is_in(selection: str, field: str, at_top: bool) -> bool:
    if at_top or _head(selection) == field:
        return _head(selection) == field
    return field in re.findall(r"\w+", selection.partition("{")[2])


PULL = Kind(
    name="pull",
    on_type="PullRequest",
    ask="pullRequest(number: {key})",
    selections=_PULL,
    at_once=40,
    read=read_pull,
    load=PullRequest.model_validate_json,
)
ISSUE = Kind(
    name="issue",
    on_type="Issue",
    ask="issueOrPullRequest(number: {key})",
    selections=_ISSUE,
    at_once=30,
    read=read_issue,
    load=Issue.model_validate_json,
)
COMMIT = Kind(
    name="commit",
    on_type="Commit",
    ask='object(oid: "{key}")',
    selections=_COMMIT,
    at_once=50,
    read=read_commit,
    load=int,
)
