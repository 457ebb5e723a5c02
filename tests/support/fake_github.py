"""A GitHub on 127.0.0.1 with the comments of one pull request: pages, limits and refusals."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.served import Served, read_json, send_json

NAME = "owner/sample"
NUMBER = 7
BOT = "github-actions[bot]"
_REPOSITORY = f"/repos/{NAME}"
_ISSUE = f"{_REPOSITORY}/issues/{NUMBER}"
_REFUSED = {"message": "Resource not accessible by integration"}
_NOT_FOUND = {"message": "Not Found"}


@dataclass
class Stored:
    """One comment as the server keeps it."""

    id: int
    author: str | None
    body: str


class FakeGitHub(Served):
    """Serves what one sticky comment needs; `requests` says what was asked."""

    methods = ("GET", "POST", "PATCH")

    def __init__(
        self,
        viewer: str | int = BOT,
        *,
        limit_bytes: int = 262_144,
        refuse_with: int | None = None,
    ):
        super().__init__()
        self.viewer = viewer
        """Who the token acts as, or the status with which GraphQL refuses to say."""
        self.limit_bytes = limit_bytes
        self.refuse_with = refuse_with
        """Status for everything but GraphQL."""
        self.refuse_writes: int | None = None
        """Status for every write."""
        self.comments: list[Stored] = []
        self.requests: list[str] = []
        self.received: list[str] = []
        """Every request as it came, but for its authorization."""
        self.tokens: set[str] = set()
        """The authorization headers that came."""

    @property
    def bodies(self) -> list[str]:
        """What the comments say, oldest first."""
        return [item.body for item in self.comments]

    @property
    def writes(self) -> list[str]:
        """The requests that change something."""
        return [line for line in self.requests if line[:3] != "GET" and "graphql" not in line]

    def add(self, author: str | None, body: str) -> Stored:
        """Put a comment there, as if somebody had written it."""
        stored = Stored(len(self.comments) + 1001, author, body)
        self.comments.append(stored)
        return stored

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        sent = read_json(request)
        self.requests.append(f"{request.command} {request.path}")
        others = [pair for pair in request.headers.items() if pair[0].lower() != "authorization"]
        self.received.append(json.dumps([request.path, others, sent], ensure_ascii=False))
        self.tokens.add(request.headers.get("authorization", ""))
        status, data, headers = self._answer(request.command, request.path, sent)
        send_json(request, status, data, headers.items())

    def _answer(self, method: str, target: str, sent: dict[str, Any]) -> _Answer:
        url = urlsplit(target)
        if url.path == "/graphql":
            return self._graphql()
        if self.refuse_with is not None:
            return self.refuse_with, _REFUSED, {}
        if method != "GET":
            return self._write(method, url.path, sent)
        if url.path == _REPOSITORY:
            return 200, {"full_name": NAME, "url": self.url + _REPOSITORY}, {}
        if url.path == _ISSUE:
            return 200, {"number": NUMBER, "url": self.url + _ISSUE}, {}
        if url.path == f"{_ISSUE}/comments":
            return self._page(parse_qs(url.query), url.path)
        return 404, _NOT_FOUND, {}

    def _graphql(self) -> _Answer:
        if isinstance(self.viewer, int):
            return self.viewer, _REFUSED, {}
        return 200, {"data": {"viewer": {"login": self.viewer}}}, {}

    def _page(self, query: dict[str, list[str]], path: str) -> _Answer:
        size = int(query.get("per_page", ["30"])[0])
        page = int(query.get("page", ["1"])[0])
        rows = [self._json(item) for item in self.comments[(page - 1) * size : page * size]]
        headers = {}
        if page * size < len(self.comments):
            following = f"{self.url}{path}?per_page={size}&page={page + 1}"
            headers["link"] = f'<{following}>; rel="next"'
        return 200, rows, headers

    def _write(self, method: str, path: str, sent: dict[str, Any]) -> _Answer:
        if self.refuse_writes is not None:
            return self.refuse_writes, _REFUSED, {}
        if len(sent["body"].encode()) > self.limit_bytes:
            return 422, {"message": "Validation Failed: body is too long"}, {}
        if (method, path) == ("POST", f"{_ISSUE}/comments"):
            author = self.viewer if isinstance(self.viewer, str) else BOT
            return 201, self._json(self.add(author, sent["body"])), {}
        for item in self.comments:
            if (method, path) == ("PATCH", _path(item)):
                item.body = sent["body"]
                return 200, self._json(item), {}
        return 404, _NOT_FOUND, {}

    def _json(self, item: Stored) -> dict[str, Any]:
        return {
            "id": item.id,
            "body": item.body,
            "user": {"login": item.author} if item.author else None,
            "url": self.url + _path(item),
            "html_url": f"https://github.example/{NAME}/pull/{NUMBER}#issuecomment-{item.id}",
        }


def _path(item: Stored) -> str:
    return f"{_REPOSITORY}/issues/comments/{item.id}"


_Answer = tuple[int, Any, dict[str, str]]
"""Status, JSON and extra headers."""
