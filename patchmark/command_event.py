"""The event of a comment, as the runner leaves it: checked before anything looks at it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from core.errors import UsageError
from patchmark.command_grammar import is_for_us


class _User(BaseModel):
    login: str = Field(min_length=1)
    type: str


class _Comment(BaseModel):
    id: int
    body: str | None
    user: _User | None


class _Issue(BaseModel):
    number: int = Field(gt=0)
    pull_request: dict[str, object] | None = None


class Event(BaseModel):
    """What of an `issue_comment` event is looked at."""

    action: str
    issue: _Issue
    comment: _Comment

    @property
    def for_us(self) -> bool:
        """A comment just written that starts with our name."""
        return self.action == "created" and is_for_us(self.comment.body or "")


def read_event(environment: Mapping[str, str]) -> Event:
    """The event of this workflow. Raises UsageError for any that is no comment's."""
    name = environment.get("GITHUB_EVENT_NAME", "")
    if name != "issue_comment":
        raise UsageError(f"commands come from the event issue_comment, not from {name!r}")
    path = environment.get("GITHUB_EVENT_PATH", "")
    try:
        return Event.model_validate(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise UsageError(f"GITHUB_EVENT_PATH: {path}: no readable comment: {error}") from error
