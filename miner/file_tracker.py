"""Issues and pull requests from a JSON file, and the tracker of those who have none."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ValidationError

from core.errors import UsageError
from miner.tracker import Issue, PullRequest


class NoTracker:
    """For repositories whose issues are out of reach: counts what was asked for."""

    def __init__(self, slug: str = ""):
        self.slug = slug
        self._asked: set[int | str] = set()

    @property
    def missed(self) -> int:
        """See Tracker. A number counts once, whatever it was asked for as."""
        return len(self._asked)

    def pull_requests(
        self, numbers: Collection[int], commits: Collection[str]
    ) -> Mapping[int | str, PullRequest]:
        """Nothing, always."""
        self._asked.update(numbers, commits)
        return {}

    def issues(self, numbers: Collection[int]) -> Mapping[int, Issue]:
        """Nothing, always."""
        self._asked.update(numbers)
        return {}


@dataclass(frozen=True)
class FileTracker:
    """What stands in an issues file; what does not, there is none of."""

    found_issues: Mapping[int, Issue]
    found_pulls: Mapping[int | str, PullRequest] = field(default_factory=dict)
    """By number, and by commit."""
    slug: str = ""
    missed: int = 0

    def pull_requests(
        self, numbers: Collection[int], commits: Collection[str]
    ) -> Mapping[int | str, PullRequest]:
        """See Tracker."""
        keys: list[int | str] = [*numbers, *commits]
        return {key: self.found_pulls[key] for key in keys if key in self.found_pulls}

    def issues(self, numbers: Collection[int]) -> Mapping[int, Issue]:
        """See Tracker."""
        return {n: self.found_issues[n] for n in numbers if n in self.found_issues}


class _Brought(BaseModel):
    commits: tuple[str, ...] = ()
    merge_commit_sha: str | None = None


def read_tracker(path: Path, slug: str = "") -> FileTracker:
    """Read a JSON list of issues and, with a true `pull_request`, merged pull requests.

    Fields are those of Issue and PullRequest, plus `commits` and `merge_commit_sha` of pull
    requests; what GitHub's REST API lists can be used as it is. Raises UsageError naming the
    file and the entry.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"--issues {path}: {error}") from error
    if not isinstance(entries, list):
        raise UsageError(f"--issues {path}: expected a JSON list of issues")
    issues: dict[int, Issue] = {}
    pulls: dict[int | str, PullRequest] = {}
    for position, entry in enumerate(entries):
        try:
            _add(entry, issues, pulls)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = "".join(f"{part}: " for part in first["loc"])
            raise UsageError(f"--issues {path}: entry {position}: {where}{first['msg']}") from error
    return FileTracker(issues, pulls, slug)


def _add(entry: object, issues: dict[int, Issue], pulls: dict[int | str, PullRequest]) -> None:
    if not isinstance(entry, dict) or not entry.get("pull_request"):
        issue = Issue.model_validate(_plain(entry))
        issues[issue.number] = issue
        return
    said = entry["pull_request"]
    pull = PullRequest.model_validate(_plain(entry))
    brought = _Brought.model_validate(entry)
    if isinstance(said, dict) and said.get("merged_at", "unknown") is None:
        return  # closed, or still open
    ids = [*brought.commits, *filter(None, [brought.merge_commit_sha])]
    pulls |= dict.fromkeys([pull.number, *ids], pull)


def _plain(entry: object) -> object:
    """An entry of GitHub's REST API in our words; any other one as it is."""
    if not isinstance(entry, dict):
        return entry
    plain = dict(entry)
    if isinstance(labels := entry.get("labels"), list):
        plain["labels"] = [_name(label, "name") for label in labels]
    comments = entry.get("comments")
    if isinstance(comments, list):
        plain["comments"] = [_comment(comment) for comment in comments]
    elif isinstance(comments, int):
        del plain["comments"]  # how many there are
    if entry.get("closed_by") is None or isinstance(entry["closed_by"], dict):
        plain.pop("closed_by", None)  # who closed it
    return plain


def _comment(comment: object) -> object:
    if not isinstance(comment, dict):
        return comment
    author = comment.get("author") or comment.get("user") or ""
    usual = {
        "at": comment.get("updated_at") or comment.get("created_at"),
        "text": comment.get("body") or "",
    }
    return {**usual, **comment, "author": _name(author, "login")}


def _name(value: object, key: str) -> object:
    return value.get(key, "") if isinstance(value, dict) else value
