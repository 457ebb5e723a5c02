"""A GitHub on 127.0.0.1 with one pull request on which somebody gives a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.served import Served, read_json, send, send_json

NAME = "owner/sample"
NUMBER = 7
COMMENT = 501
SHA = "c0ffee" + "0" * 34
OWN_RUN = 900
WORKFLOW = 31
_REPOSITORY = f"/repos/{NAME}"
_COMMENT = f"{_REPOSITORY}/issues/comments/{COMMENT}"
_RUNS = f"{_REPOSITORY}/actions/runs"


@dataclass
class Run:
    """A run of a workflow as the server keeps it."""

    id: int
    title: str = f"patchmark on command: #{NUMBER}"
    status: str = "in_progress"
    workflow: int = WORKFLOW
    refuses: int = 0
    """Status with which it refuses to be cancelled; 0 = it is cancelled."""


@dataclass
class Trouble:
    """How a request whose line holds `where` is answered instead."""

    where: str
    status: int = 500
    text: str = '{"message": "no"}'


@dataclass
class State:
    """What there is; a test changes it."""

    body: str = "/patchmark run"
    author: str | None = "ann"
    permission: str = "write"
    edited: bool = False
    app: dict[str, object] | None = None
    head: Mapping[str, object] | None = field(default_factory=lambda: {"id": 1})
    sha: str = SHA
    state: str = "open"
    runs: list[Run] = field(default_factory=list)
    trouble: list[Trouble] = field(default_factory=list)


class FakeCommands(Served):
    """Answers as GitHub does; `reactions`, `replies` and `cancelled` say what came of it."""

    methods = ("GET", "POST")

    def __init__(self, state: State | None = None):
        super().__init__()
        self.state = state or State()
        self.requests: list[str] = []
        self.reactions: list[str] = []
        self.replies: list[str] = []
        self.cancelled: list[int] = []

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        sent = read_json(request)
        line = f"{request.command} {request.path}"
        self.requests.append(line)
        for trouble in self.state.trouble:
            if trouble.where in line:
                kind = ("content-type", "application/json")
                send(request, trouble.status, trouble.text.encode(), [kind])
                return
        url = urlsplit(request.path)
        answer = self._write if request.command == "POST" else self._read
        send_json(request, *answer(url.path, parse_qs(url.query), sent))

    def _read(
        self, path: str, query: dict[str, list[str]], _: dict[str, Any]
    ) -> tuple[int, object]:
        found: dict[str, Callable[[], object]] = {
            _COMMENT: self._comment,
            f"{_REPOSITORY}/collaborators/{self.state.author}/permission": self._permission,
            f"{_REPOSITORY}/pulls/{NUMBER}": self._pull,
            f"{_REPOSITORY}/actions/workflows/{WORKFLOW}": lambda: {
                "url": f"{self.url}{_REPOSITORY}/actions/workflows/{WORKFLOW}"
            },
        }
        if path in found:
            return 200, found[path]()
        if path == f"{_REPOSITORY}/actions/workflows/{WORKFLOW}/runs":
            runs = [run for run in self.state.runs if run.workflow == WORKFLOW]
            asked = [self._run(run) for run in runs if run.status == query["status"][0]]
            return 200, {"total_count": len(asked), "workflow_runs": asked}
        for run in self.state.runs:
            if path == f"{_RUNS}/{run.id}":
                return 200, self._run(run)
        return 404, {"message": "Not Found"}

    def _write(
        self, path: str, _: dict[str, list[str]], sent: dict[str, Any]
    ) -> tuple[int, object]:
        if path == f"{_COMMENT}/reactions":
            self.reactions.append(sent["content"])
            return 201, {"id": len(self.reactions), "content": sent["content"]}
        if path == f"{_REPOSITORY}/issues/{NUMBER}/comments":
            self.replies.append(sent["body"])
            return 201, {"id": 600 + len(self.replies), "body": sent["body"]}
        for run in self.state.runs:
            if path == f"{_RUNS}/{run.id}/cancel":
                if run.refuses:
                    return run.refuses, {"message": "Cannot cancel"}
                self.cancelled.append(run.id)
                return 202, {}
        return 404, {"message": "Not Found"}

    def _comment(self) -> dict[str, object]:
        written = "2026-11-25T10:00:00Z"
        return {
            "id": COMMENT,
            "url": self.url + _COMMENT,
            "body": self.state.body,
            "user": {"login": self.state.author} if self.state.author else None,
            "created_at": written,
            "updated_at": "2026-11-25T10:05:00Z" if self.state.edited else written,
            "performed_via_github_app": self.state.app,
        }

    def _permission(self) -> dict[str, object]:
        return {"permission": self.state.permission}

    def _pull(self) -> dict[str, object]:
        return {
            "number": NUMBER,
            "state": self.state.state,
            "url": f"{self.url}{_REPOSITORY}/pulls/{NUMBER}",
            "head": {"sha": self.state.sha, "repo": self.state.head},
            "base": {"sha": "b" * 40, "repo": {"id": 1}},
        }

    def _run(self, run: Run) -> dict[str, object]:
        return {
            "id": run.id,
            "display_title": run.title,
            "status": run.status,
            "workflow_id": run.workflow,
            "url": f"{self.url}{_RUNS}/{run.id}",
            "cancel_url": f"{self.url}{_RUNS}/{run.id}/cancel",
            "html_url": f"https://github.example/{NAME}/actions/runs/{run.id}",
        }
