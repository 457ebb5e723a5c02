"""The issues a change closes: which they are, and what they say."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import UsageError

_KEYWORD = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+(?:GH-|#)(\d{1,9})\b", re.IGNORECASE
)
_NOT_TEXT = re.compile(r"<!--.*?-->|```.*?```|`[^`\n]*`", re.DOTALL)


class Issue(BaseModel):
    """An issue as people wrote it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    title: str
    body: str | None = ""


class Issues(Protocol):
    """Where issues come from."""

    def get(self, number: int) -> Issue | None:
        """An issue by number; None where there is none or it cannot be had."""
        ...


@dataclass(frozen=True)
class NoIssues:
    """For repositories whose issues are out of reach."""

    def get(self, number: int) -> Issue | None:  # noqa: ARG002 - the contract's signature
        """Nothing, always."""
        return None


@dataclass(frozen=True)
class FileIssues:
    """Issues from a JSON file: a list of objects with number, title and body."""

    issues: dict[int, Issue]

    def get(self, number: int) -> Issue | None:
        """See Issues.get."""
        return self.issues.get(number)


def read_issues(path: Path) -> FileIssues:
    """Read an issues file. Raises UsageError naming the file and the entry."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--issues {path}: {error}") from error
    if not isinstance(entries, list):
        raise UsageError(f"--issues {path}: expected a JSON list of issues")
    found: dict[int, Issue] = {}
    for position, entry in enumerate(entries):
        try:
            issue = Issue.model_validate(entry)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = "".join(f"{part}: " for part in first["loc"])
            raise UsageError(f"--issues {path}: entry {position}: {where}{first['msg']}") from error
        found[issue.number] = issue
    return FileIssues(found)


def closed_by(message: str) -> list[int]:
    """Numbers of this repository's issues that a commit message says it closes."""
    return list(dict.fromkeys(int(n) for n in _KEYWORD.findall(_NOT_TEXT.sub(" ", message))))
