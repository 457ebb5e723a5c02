"""A GitHub on 127.0.0.1 that knows the comments of one repository's issues, and can refuse."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

BOT = "github-actions[bot]"


class IssueComments:
    """The part of the REST API that one sticky comment needs; GraphQL answers 404."""

    def __init__(self, refuse_with: int | None = None):
        self.bodies: list[str] = []
        self.tokens: set[str] = set()
        self.refuse_with = refuse_with
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                size = int(self.headers.get("content-length", 0))
                sent = json.loads(self.rfile.read(size) or b"{}")
                outer.tokens.add(self.headers.get("authorization", ""))
                status, data = outer.answer(self.command, self.path, sent)
                body = json.dumps(data).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = _answer  # noqa: N815

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
        """The address to give as GITHUB_API_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, method: str, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        """Status and JSON of one request."""
        path = path.partition("?")[0]
        if path == "/graphql":
            return 404, {"message": "Not Found"}
        if self.refuse_with:
            return self.refuse_with, {"message": "Resource not accessible by integration"}
        if method == "GET":
            return 200, [self._comment(number) for number in range(len(self.bodies))]
        if method == "POST":
            self.bodies.append(sent["body"])
            return 201, self._comment(len(self.bodies) - 1)
        number = int(path.rsplit("/", 1)[1]) - 1
        self.bodies[number] = sent["body"]
        return 200, self._comment(number)

    def _comment(self, number: int) -> dict[str, Any]:
        return {
            "id": number + 1,
            "body": self.bodies[number],
            "user": {"login": BOT},
            "url": f"{self.url}/repos/owner/sample/issues/comments/{number + 1}",
            "html_url": f"https://github.example/comment/{number + 1}",
        }
