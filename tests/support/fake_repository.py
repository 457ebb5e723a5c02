"""A GitHub on 127.0.0.1 with issues, the pull requests of commits, and a branch of files."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from support.fake_github import BOT, NAME, REPOSITORY_ID, FakeGitHub, Refusal, Stored

_REPOSITORY = f"/repos/{NAME}"
_COMMENTS = re.compile(rf"{_REPOSITORY}/issues/(\d+)/comments")
_ISSUE = re.compile(rf"{_REPOSITORY}/issues/(\d+)")
_PULL = re.compile(rf"{_REPOSITORY}/pulls/(\d+)")
_BROUGHT_BY = re.compile(rf"{_REPOSITORY}/commits/([0-9a-f]{{40}})/pulls")
_REF = re.compile(rf"{_REPOSITORY}/git/(?:refs|ref)/heads/(.+)")
_CONTENTS = re.compile(rf"{_REPOSITORY}/contents/(.+)")
_Answer = tuple[int, Any, dict[str, str]]
_NOT_FOUND: _Answer = (404, {"message": "Not Found"}, {})


@dataclass
class StoredIssue:
    """One issue as the server keeps it."""

    number: int
    author: str | None
    title: str
    body: str
    state: str = "open"
    is_pull: bool = False


class FakeRepository(FakeGitHub):
    """Issues and comments by number, and branches of which each is a folder of files."""

    methods = (*FakeGitHub.methods, "PUT")

    def __init__(self, **more: Any):
        super().__init__(**more)
        self.issues: list[StoredIssue] = []
        self.brought_by: dict[str, list[int]] = {}
        """Commit → pull requests."""
        self.on: dict[int, int] = {}
        """Comment → number of the issue or pull request."""
        self.branches: dict[str, dict[str, str]] = {}
        """Name → path → text."""
        self.issues_answer: int | None = None
        """Status for all that is about issues."""
        self.reads_refused: list[Refusal] = []
        """For the next reads, one each."""
        self.before_write: list[Callable[[], object]] = []
        """What happens right before the next files are put onto a branch."""

    def open_issue(self, author: str | None, title: str, body: str) -> StoredIssue:
        """Put an issue there, as if somebody had written it."""
        made = StoredIssue(100 + len(self.issues), author, title, body)
        self.issues.append(made)
        return made

    def said_on(self, number: int) -> list[str]:
        """The comments on an issue or a pull request, oldest first."""
        return [one.body for one in self.comments if self.on.get(one.id) == number]

    def _read(self, path: str, query: dict[str, list[str]]) -> _Answer:
        if self.reads_refused:
            refused = self.reads_refused.pop(0)
            return refused.status, {"message": refused.message}, refused.headers
        if path == f"{_REPOSITORY}/issues":
            if self.issues_answer:
                return self.issues_answer, {"message": "Issues has been disabled"}, {}
            who = query.get("creator", [""])[0]
            found = [self._issue(one) for one in self.issues if who in ("", one.author)]
            return self._page(found[::-1], query, path)
        if match := _COMMENTS.fullmatch(path):
            mine = [one for one in self.comments if self.on.get(one.id) == int(match[1])]
            return self._page([self._json(one) for one in mine], query, path)
        if match := _ISSUE.fullmatch(path):
            return 200, {"number": int(match[1]), "url": self.api + path}, {}
        if match := _PULL.fullmatch(path):
            found = [one for one in self.pulls if one["number"] == int(match[1])]
            return (200, found[0], {}) if found else _NOT_FOUND
        if match := _BROUGHT_BY.fullmatch(path):
            numbers = self.brought_by.get(match[1])
            if numbers is None:
                return 422, {"message": f"No commit found for SHA: {match[1]}"}, {}
            return 200, [one for one in self.pulls if one["number"] in numbers], {}
        if match := _REF.fullmatch(path):
            name = unquote(match[1])
            return (200, self._ref(name), {}) if name in self.branches else _NOT_FOUND
        return super()._read(path, query)

    def _written(self, method: str, path: str, sent: dict[str, Any]) -> _Answer:
        if path.startswith(f"{_REPOSITORY}/issues") and len(sent.get("body", "")) > 65_536:
            return 422, {"message": "Validation Failed: body is too long"}, {}
        if method == "POST" and path == f"{_REPOSITORY}/issues":
            if self.issues_answer:
                return self.issues_answer, {"message": "Issues has been disabled"}, {}
            return 201, self._issue(self.open_issue(self._me, sent["title"], sent["body"])), {}
        if (match := _ISSUE.fullmatch(path)) and method == "PATCH":
            return self._edited(int(match[1]), sent)
        if (match := _COMMENTS.fullmatch(path)) and method == "POST":
            made = self.add(self._me, sent["body"])
            self.on[made.id] = int(match[1])
            return 201, self._json(made), {}
        if match := _CONTENTS.fullmatch(path):
            return self._put(unquote(match[1]), sent)
        if path.startswith(f"{_REPOSITORY}/git/"):
            return self._git(path.removeprefix(f"{_REPOSITORY}/git/"), sent)
        return super()._written(method, path, sent)

    def _edited(self, number: int, sent: dict[str, Any]) -> _Answer:
        for one in self.issues:
            if one.number == number:
                one.body, one.state = sent.get("body", one.body), sent.get("state", one.state)
                return 200, self._issue(one), {}
        return 410, {"message": "This issue was deleted"}, {}

    def _put(self, path: str, sent: dict[str, Any]) -> _Answer:
        """A file onto a branch, as GitHub takes it one at a time."""
        branch = sent.get("branch", "main")
        if branch not in self.branches:
            return 404, {"message": f"Branch {branch} not found"}, {}
        if self.before_write:
            self.before_write.pop(0)()
            return 409, {"message": "is at another commit but expected this one"}, {}
        if path in self.branches[branch]:
            return 422, {"message": 'Invalid request. "sha" wasn\'t supplied.'}, {}
        self.branches[branch][path] = base64.b64decode(sent["content"]).decode()
        return 201, {"content": {"path": path}, "commit": {"sha": "c" * 40}}, {}

    def _git(self, what: str, sent: dict[str, Any]) -> _Answer:
        """What it takes to begin a branch that shares no commit with others."""
        if what == "trees":
            self._tree = {entry["path"]: entry["content"] for entry in sent["tree"]}
            return 201, {"sha": "a" * 40, "url": self.url, "tree": []}, {}
        if what == "commits":
            return 201, {"sha": "b" * 40, "parents": [], "url": self.url}, {}
        if what == "refs":
            name = sent["ref"].removeprefix("refs/heads/")
            if self.before_write:
                self.before_write.pop(0)()
            if name in self.branches:
                return 422, {"message": "Reference already exists"}, {}
            self.branches[name] = dict(self._tree)
            return 201, self._ref(name), {}
        return _NOT_FOUND

    def _graphql(self, sent: dict[str, Any]) -> _Answer:
        wanted = sent.get("variables") or {}
        if "expression" not in wanted:
            return super()._graphql(sent)
        branch, _, folder = wanted["expression"].removeprefix("refs/heads/").partition(":")
        there = self.branches.get(branch, {})
        inside = {path: text for path, text in there.items() if path.startswith(f"{folder}/")}
        entries = [
            {
                "name": path.removeprefix(f"{folder}/"),
                "object": {"text": text, "isTruncated": False},
            }
            for path, text in inside.items()
        ]
        found = {"entries": entries} if entries else None
        return 200, {"data": {"repository": {"object": found}}}, {}

    @property
    def _me(self) -> str:
        return self.viewer if isinstance(self.viewer, str) else BOT

    def _ref(self, name: str) -> dict[str, Any]:
        tip = hashlib.sha1(repr(self.branches[name]).encode()).hexdigest()  # noqa: S324
        return {"ref": f"refs/heads/{name}", "object": {"type": "commit", "sha": tip, "url": ""}}

    def _issue(self, one: StoredIssue) -> dict[str, Any]:
        kind = "pull" if one.is_pull else "issues"
        return {
            "number": one.number,
            "title": one.title,
            "body": one.body,
            "state": one.state,
            "user": {"login": one.author} if one.author else None,
            "url": f"{self.api}{_REPOSITORY}/issues/{one.number}",
            "html_url": f"https://github.example/{NAME}/{kind}/{one.number}",
        }

    def merged(self, number: int, commits: list[str], **more: Any) -> dict[str, Any]:
        """Put a merged pull request there that brought these commits, the last one last."""
        for commit in commits:
            self.brought_by.setdefault(commit, []).append(number)
        told = {
            "state": "closed",
            "merged": True,
            "merged_at": "2026-11-25T10:00:00Z",
            "merge_commit_sha": commits[-1],
            "title": f"Change {number}",
            "html_url": f"https://github.example/{NAME}/pull/{number}",
            "commits": len(commits),
            "user": {"login": "ann"},
            "base": {
                "ref": "main",
                "sha": "0" * 40,
                "repo": {"id": REPOSITORY_ID, "full_name": NAME},
            },
            **more,
        }
        return self.pull(number, "d" * 40, **told)

    def _json(self, item: Stored) -> dict[str, Any]:
        return {
            **super()._json(item),
            "html_url": f"https://github.example/{NAME}/pull/{self.on.get(item.id, 7)}"
            f"#issuecomment-{item.id}",
        }
