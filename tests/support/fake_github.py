"""A GitHub on 127.0.0.1 with the comments of one pull request: pages, limits and refusals."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

NAME = "owner/shop"
NUMBER = 7
BOT = "github-actions[bot]"


@dataclass
class Stored:
    """One comment as the server keeps it."""

    id: int
    author: str | None
    body: str


class FakeGitHub:
    """Serves what one sticky comment needs; `requests` says what was asked."""

    def __init__(self, viewer: str | None = BOT, *, limit_bytes: int = 262_144):
        self.viewer = viewer
        """Who the token acts as; None = GraphQL refuses to say."""
        self.limit_bytes = limit_bytes
        self.refuse_writes: int | None = None
        """Status for every write."""
        self.comments: list[Stored] = []
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                size = int(self.headers.get("content-length", 0))
                sent = json.loads(self.rfile.read(size) or b"{}")
                outer.requests.append(f"{self.command} {self.path}")
                status, data, headers = outer.answer(self.command, self.path, sent)
                body = json.dumps(data).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = _any  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The address to give to PyGithub."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def writes(self) -> list[str]:
        """The requests that change something."""
        return [line for line in self.requests if line[:3] != "GET" and "graphql" not in line]

    def add(self, author: str | None, body: str) -> Stored:
        """Put a comment there, as if somebody had written it."""
        stored = Stored(len(self.comments) + 1001, author, body)
        self.comments.append(stored)
        return stored

    def answer(self, method: str, target: str, sent: dict[str, Any]) -> _Answer:
        """Status, JSON and extra headers of one request."""
        url = urlsplit(target)
        issue = f"/repos/{NAME}/issues/{NUMBER}"
        if url.path == "/graphql":
            return self._graphql()
        if method != "GET":
            return self._write(method, url.path, sent)
        if url.path == f"/repos/{NAME}":
            return 200, {"full_name": NAME, "url": f"{self.url}/repos/{NAME}"}, {}
        if url.path == issue:
            return 200, {"number": NUMBER, "url": self.url + issue}, {}
        if url.path == f"{issue}/comments":
            return self._page(parse_qs(url.query), url.path)
        return 404, {"message": "Not Found"}, {}

    def _graphql(self) -> _Answer:
        if self.viewer is None:
            return 403, {"message": "Resource not accessible by integration"}, {}
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
            return self.refuse_writes, {"message": "Resource not accessible by integration"}, {}
        if len(sent["body"].encode()) > self.limit_bytes:
            return 422, {"message": "Validation Failed: body is too long"}, {}
        if method == "POST":
            return 201, self._json(self.add(self.viewer or BOT, sent["body"])), {}
        stored = next(item for item in self.comments if path.endswith(f"/comments/{item.id}"))
        stored.body = sent["body"]
        return 200, self._json(stored), {}

    def _json(self, item: Stored) -> dict[str, Any]:
        return {
            "id": item.id,
            "body": item.body,
            "user": {"login": item.author} if item.author else None,
            "url": f"{self.url}/repos/{NAME}/issues/comments/{item.id}",
            "html_url": f"https://github.example/{NAME}/pull/{NUMBER}#issuecomment-{item.id}",
        }


_Answer = tuple[int, Any, dict[str, str]]
