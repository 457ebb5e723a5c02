"""A GitHub on 127.0.0.1: one pull request's comments, a list of pull requests, pages, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

from support.served import Served, read_json, send, send_json

NAME = "owner/sample"
NUMBER = 7
BOT = "github-actions[bot]"
REPOSITORY_ID = 501
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


@dataclass(frozen=True)
class Refusal:
    """How one request is refused."""

    status: int
    message: str = _REFUSED["message"]
    headers: dict[str, str] = field(default_factory=dict)


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes."


class FakeGitHub(Served):
    """Serves what one sticky comment needs; `requests` says what was asked."""

    methods: ClassVar[tuple[str, ...]] = ("GET", "POST", "PATCH", "DELETE")

    def __init__(
        self,
        viewer: str | int = BOT,
        *,
        limit_bytes: int = 262_144,
        refuse_with: int | None = None,
        prefix: str = "",
        once_called: str = "",
    ):
        super().__init__()
        self.prefix = prefix
        """What stands before every path, as `/api/v3` on a GitHub Enterprise Server."""
        self.once_called = once_called
        """The repository's name before it was renamed."""
        self.viewer = viewer
        """Who the token acts as, or the status with which GraphQL refuses to say."""
        self.limit_bytes = limit_bytes
        self.refuse_with = refuse_with
        """Status for everything but GraphQL."""
        self.refuse_writes: int | None = None
        """Status for every write."""
        self.refusals: list[Refusal] = []
        """For the next writes, one each."""
        self.meanwhile: list[Callable[[], object]] = []
        """What happens after the next writes were asked for and before they are carried out."""
        self.after: list[Callable[[], object]] = []
        """What happens once the next writes were carried out, and before that is answered."""
        self.pulls: list[dict[str, Any]] = []
        self.artifacts: dict[int, dict[str, bytes]] = {}
        """Run → name of an artifact → the zip file that it is."""
        self.comments: list[Stored] = []
        self._last = 1000
        self.requests: list[str] = []
        self.received: list[str] = []
        """Every request as it came, but for its authorization."""
        self.storage_status = 200
        self.storage_tokens: set[str] = set()
        """The same of those that came to the storage of artifacts, which is another's."""
        self.tokens: set[str] = set()
        """The authorization headers that came."""

    @property
    def api(self) -> str:
        """Where the API is."""
        return self.url + self.prefix

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
        self._last += 1
        stored = Stored(self._last, author, body)
        self.comments.append(stored)
        return stored

    def pull(self, number: int, sha: str, head: str = "x/fork", **more: Any) -> dict[str, Any]:
        """Put a pull request there, whose head is branch `change` of the repository `head`.

        An empty `head` is a fork that is gone.
        """
        owner = head.partition("/")[0] or "unknown"
        fork = {"id": len(head), "full_name": head} if head else None
        there = {
            "number": number,
            "state": "open",
            "merge_commit_sha": None,
            "head": {"sha": sha, "label": f"{owner}:change", "repo": fork},
            "base": {"repo": {"id": REPOSITORY_ID, "full_name": NAME}},
            "url": f"{self.api}{_REPOSITORY}/pulls/{number}",
            **more,
        }
        self.pulls.append(there)
        return there

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        if found := re.fullmatch(r"/storage/(\d+)\?signature=s3cret", request.path):
            self.storage_tokens.add(request.headers.get("authorization", ""))
            run, place = divmod(int(found[1]), 100)
            send(request, self.storage_status, bytes(list(self.artifacts[run].values())[place]))
            return
        sent = read_json(request)
        self.requests.append(f"{request.command} {request.path}")
        others = [pair for pair in request.headers.items() if pair[0].lower() != "authorization"]
        self.received.append(json.dumps([request.path, others, sent], ensure_ascii=False))
        self.tokens.add(request.headers.get("authorization", ""))
        status, data, headers = self._answer(request.command, request.path, sent)
        send_json(request, status, data, headers.items())

    def _answer(self, method: str, target: str, sent: dict[str, Any]) -> _Answer:
        url = urlsplit(target)
        if url.path == self.prefix.removesuffix("/v3") + "/graphql":
            return self._graphql(sent)
        if not url.path.startswith(f"{self.prefix}/"):
            return 404, _NOT_FOUND, {}
        path = url.path.removeprefix(self.prefix)
        if self.once_called and path.startswith(f"/repos/{self.once_called}"):
            to = self.api + path.replace(self.once_called, NAME, 1)
            return (301 if method == "GET" else 307), {"message": "Moved"}, {"location": to}
        if self.refuse_with is not None:
            return self.refuse_with, _REFUSED, {}
        if method != "GET":
            return self._write(method, path, sent)
        return self._read(path, parse_qs(url.query))

    def _read(self, path: str, query: dict[str, list[str]]) -> _Answer:
        if path == _REPOSITORY:
            there = {"id": REPOSITORY_ID, "full_name": NAME, "url": self.api + _REPOSITORY}
            return 200, there, {}
        if path == _ISSUE:
            return 200, {"number": NUMBER, "url": self.api + _ISSUE}, {}
        if path == f"{_ISSUE}/comments":
            return self._page([self._json(item) for item in self.comments], query, path)
        if path == f"{_REPOSITORY}/pulls":
            state, head = query.get("state", ["open"])[0], query.get("head", [""])[0]
            found = [one for one in self.pulls if state in ("all", one["state"])]
            found = [one for one in found if head in ("", one["head"]["label"])]
            return self._page(found, query, path)
        return self._artifacts(path) or (404, _NOT_FOUND, {})

    def _artifacts(self, path: str) -> _Answer | None:
        """A run's list, the address of one, or None for another path."""
        if found := re.fullmatch(rf"{_REPOSITORY}/actions/runs/(\d+)/artifacts", path):
            run = int(found[1])
            listed = [
                {"id": run * 100 + n, "name": name, "size_in_bytes": len(data), "expired": False}
                for n, (name, data) in enumerate(self.artifacts.get(run, {}).items())
            ]
            return 200, {"total_count": len(listed), "artifacts": listed}, {}
        if found := re.fullmatch(rf"{_REPOSITORY}/actions/artifacts/(\d+)/zip", path):
            return 302, {}, {"location": f"{self.url}/storage/{found[1]}?signature=s3cret"}
        return None

    def _graphql(self, sent: dict[str, Any]) -> _Answer:  # noqa: ARG002 - others look at it
        if isinstance(self.viewer, int):
            return self.viewer, _REFUSED, {}
        return 200, {"data": {"viewer": {"login": self.viewer}}}, {}

    def _page(self, found: list[dict[str, Any]], query: dict[str, list[str]], path: str) -> _Answer:
        size = int(query.get("per_page", ["30"])[0])
        page = int(query.get("page", ["1"])[0])
        headers = {}
        if page * size < len(found):
            asked = {name: values[0] for name, values in query.items()}
            following = urlencode({**asked, "per_page": size, "page": page + 1})
            headers["link"] = f'<{self.api}{path}?{following}>; rel="next"'
        return 200, found[(page - 1) * size : page * size], headers

    def _write(self, method: str, path: str, sent: dict[str, Any]) -> _Answer:
        if self.refuse_writes is not None:
            return self.refuse_writes, _REFUSED, {}
        if self.refusals:
            refused = self.refusals.pop(0)
            return refused.status, {"message": refused.message}, refused.headers
        if self.meanwhile:
            self.meanwhile.pop(0)()
        answer = self._written(method, path, sent)
        if self.after:
            self.after.pop(0)()
        return answer

    def _written(self, method: str, path: str, sent: dict[str, Any]) -> _Answer:
        if len(sent.get("body", "").encode()) > self.limit_bytes:
            return 422, {"message": "Validation Failed: body is too long"}, {}
        if (method, path) == ("POST", f"{_ISSUE}/comments"):
            author = self.viewer if isinstance(self.viewer, str) else BOT
            return 201, self._json(self.add(author, sent["body"])), {}
        for item in self.comments:
            if (method, path) == ("PATCH", _path(item)):
                item.body = sent["body"]
                return 200, self._json(item), {}
            if (method, path) == ("DELETE", _path(item)):
                self.comments.remove(item)
                return 204, None, {}
        return 404, _NOT_FOUND, {}

    def _json(self, item: Stored) -> dict[str, Any]:
        return {
            "id": item.id,
            "body": item.body,
            "user": {"login": item.author} if item.author else None,
            "url": self.api + _path(item),
            "html_url": f"https://github.example/{NAME}/pull/{NUMBER}#issuecomment-{item.id}",
        }


def _path(item: Stored) -> str:
    return f"{_REPOSITORY}/issues/comments/{item.id}"


_Answer = tuple[int, Any, dict[str, str]]
"""Status, JSON and extra headers."""
