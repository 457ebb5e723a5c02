"""What started the workflow: whose pull request it is about, if any, and whether to run at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UsageError

_WITH_SECRETS = ("pull_request_target", "issue_comment", "workflow_run")
"""Events that belong to a pull request and run as the base repository, whoever opened it."""
_OWN = (
    "push",
    "schedule",
    "workflow_dispatch",
    "repository_dispatch",
    "merge_group",
    "release",
)
"""Events that only those cause who may write, or whose work they let in."""
_ASIDE = {
    "issue_comment": "the comment is on an issue, not on a pull request",
    "merge_group": "a merge queue tests several pull requests at once",
    "workflow_run": "after another workflow, only `patchmark/patchmark/post` can tell whose it was",
}


@dataclass(frozen=True)
class PullRequest:
    """The pull request an event belongs to."""

    number: int
    fork: bool
    """True where its head is another repository, or one that is gone."""


@dataclass(frozen=True)
class Event:
    """One event, as far as we care."""

    name: str
    pull_request: PullRequest | None = None
    aside: str = ""
    """Why there is no pull request, where somebody may have expected one."""
    idle: str = ""
    """Why there is nothing to measure."""

    @property
    def number(self) -> int | None:
        """Of the pull request."""
        return self.pull_request.number if self.pull_request else None


def event_of(environment: Mapping[str, str]) -> Event:
    """The event that started the workflow. Raises UsageError where its file cannot be read."""
    name = environment.get("GITHUB_EVENT_NAME", "")
    payload = payload_of(environment)
    if name == "delete" or (name == "push" and payload.get("deleted") is True):
        return Event(name, idle="a branch or a tag was deleted, and nothing is there to measure")
    found = _pull_request_in(payload, environment.get("GITHUB_REPOSITORY", ""))
    return Event(name, found, "" if found else _ASIDE.get(name, ""))


def payload_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """What GitHub says about the event; {} where there is none. Raises UsageError as above."""
    path = environment.get("GITHUB_EVENT_PATH", "")
    if not path:
        return {}
    try:
        payload = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH: {path}: no readable event: {error}") from error
    return payload if isinstance(payload, dict) else {}


def secrets_withheld(event: Event, environment: Mapping[str, str]) -> bool:
    """True where GitHub gives the workflow no secrets: forks and Dependabot."""
    forked = event.pull_request is not None and event.pull_request.fork
    given = event.name in _WITH_SECRETS
    return (forked and not given) or environment.get("GITHUB_ACTOR") == "dependabot[bot]"


def distrusted(event: Event, environment: Mapping[str, str]) -> str:
    """Why others' code may be measured here, in words; empty where it is the repository's own.

    What is made of such code is left to no other run. In doubt it is others': whose pull request
    a comment is on, say, only GitHub knows.
    """
    if environment.get("GITHUB_ACTOR") == "dependabot[bot]":
        return "it is Dependabot's"
    if event.name in _OWN:
        return ""
    if event.name != "pull_request" or event.pull_request is None:
        return f"`{event.name}` may be about anybody's code"
    return "the pull request comes from a fork" if event.pull_request.fork else ""


def _pull_request_in(payload: Mapping[str, Any], repository: str) -> PullRequest | None:
    found, issue = _part(payload, "pull_request"), _part(payload, "issue")
    if number := _number(found):
        return PullRequest(number, _is_fork(found, repository))
    if "pull_request" in issue and (number := _number(issue)):
        return PullRequest(number, fork=False)
    return None


def _is_fork(pull_request: Mapping[str, Any], repository: str) -> bool:
    """By ids where they are told: names change, also between the event and now."""
    head = _part(_part(pull_request, "head"), "repo")
    base = _part(_part(pull_request, "base"), "repo")
    if head.get("id") is not None and base.get("id") is not None:
        return bool(head["id"] != base["id"])
    return str(head.get("full_name", "")).casefold() != repository.casefold()


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: Mapping[str, Any]) -> int | None:
    number = value.get("number")
    return number if type(number) is int and number > 0 else None
