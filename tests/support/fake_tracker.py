"""A GitHub on 127.0.0.1 that knows issues and pull requests: GraphQL, and the list of changes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.served import Served, read_json, send, send_json

NAME = "owner/sample"
LONG_AGO = "2024-01-01T00:00:00Z"
_ALIAS = re.compile(r'(\w+): (pullRequest|issueOrPullRequest|object)\(\w+: "?(\w+)"?\)')
_TYPES = {"pullRequest": "PullRequest", "issueOrPullRequest": "Issue", "object": "Commit"}
_WORDS = {"pullRequest": "a PullRequest", "issueOrPullRequest": "an issue or pull request"}
_REFUSED = {"message": "Resource not accessible by integration"}

Node = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is answered instead, once."""

    status: int
    data: Any = field(default_factory=lambda: _REFUSED)
    """JSON; bytes are sent as they are."""
    headers: tuple[tuple[str, str], ...] = ()
    cut: bool = False
    """The connection ends before the promised length."""


class FakeTracker(Served):
    """One repository; put objects into it with `issue`, `pull` and `commit`."""

    methods = ("GET", "POST")

    def __init__(self, name: str = NAME):
        super().__init__()
        self.name = name
        self.known_as = [name]
        """Names that lead here; a repository that was renamed keeps the old one."""
        self.prefix = ""
        """`/api/v3` on a GitHub Enterprise Server."""
        self.nodes: dict[int, Node] = {}
        self.commits: dict[str, Node] = {}
        self.faults: list[Fault] = []
        """Answered first, one a request."""
        self.always: Fault | None = None
        self.listing: Fault | None = None
        """For the list of changes."""
        self.poison: dict[str, Fault | str] = {}
        """Number or commit → what a request with it gets, or the type of its own error."""
        self.most_at_once = 10_000
        """More objects than that are too much for this server."""
        self.lacking: set[tuple[str, str]] = set()
        """(type, field) that this server is too old for."""
        self.requests: list[str] = []
        """`GET`, with its page, and `POST`, with what was asked for."""
        self.batches: list[int] = []
        """How many objects each GraphQL request asked for."""
        self.tokens: set[str] = set()

    # --- what there is ------------------------------------------------------------------

    def issue(self, number: int, **more: Any) -> Node:
        """An issue. `more` replaces fields, in GraphQL's own words."""
        return self._put(number, "Issue", **{"comments": nodes(), "closings": nodes(), **more})

    def pull(self, number: int, **more: Any) -> Node:
        """A merged pull request."""
        usual = {
            "mergedAt": "2024-01-03T00:00:00Z",
            "commits": nodes({"commit": {"authoredDate": "2023-12-31T00:00:00Z"}}),
            "closingIssuesReferences": nodes(),
        }
        return self._put(number, "PullRequest", **{**usual, **more})

    def commit(self, oid: str, *numbers: int, date: str = LONG_AGO) -> None:
        """A commit that these pull requests brought."""
        brought = [
            {
                "number": number,
                "mergedAt": self.nodes[number]["mergedAt"],
                "mergeCommit": {"oid": self.nodes[number].get("mergeOid", oid)},
                "repository": {"nameWithOwner": self.name},
            }
            for number in numbers
        ]
        self.commits[oid] = {"committedDate": date, "associatedPullRequests": nodes(*brought)}

    def _put(self, number: int, kind: str, **more: Any) -> Node:
        usual = {
            "__typename": kind,
            "number": number,
            "title": f"Title {number}",
            "body": f"Body {number}",
            "createdAt": LONG_AGO,
            "updatedAt": "2024-01-04T00:00:00Z",
            "repository": {"nameWithOwner": self.name},
            "labels": nodes(),
            "userContentEdits": nodes(),
            "renames": nodes(),
        }
        self.nodes[number] = usual | more
        return self.nodes[number]

    # --- answering ----------------------------------------------------------------------

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        sent = read_json(request)
        url = urlsplit(request.path)
        asked = _ALIAS.findall(sent.get("query", ""))
        page = parse_qs(url.query).get("page", ["1"])[0]
        what = " ".join(key for _, _, key in asked) if asked else page
        self.requests.append(f"{request.command} {what}")
        self.tokens.add(request.headers.get("authorization", ""))
        if request.command == "POST":
            self.batches.append(len(asked))
        fault = self._fault(request.command, [key for _, _, key in asked])
        if fault is not None:
            _answer(request, fault)
        elif url.path == f"{self.prefix.removesuffix('/v3')}/graphql":
            send_json(request, 200, self._graphql(sent, asked))
        elif url.path in [f"{self.prefix}/repos/{name}/issues" for name in self.known_as]:
            self._list(request, parse_qs(url.query), url.path)
        else:
            _answer(request, Fault(404, {"message": "Not Found"}))

    def _fault(self, method: str, keys: list[str]) -> Fault | None:
        if self.faults:
            return self.faults.pop(0)
        if method == "GET" and self.listing is not None:
            return self.listing
        if len(keys) > self.most_at_once:
            return Fault(502, b"<html>Bad Gateway</html>")
        poison = [p for key in keys if isinstance(p := self.poison.get(key), Fault)]
        return poison[0] if poison else self.always

    def _graphql(self, sent: Node, asked: list[tuple[str, str, str]]) -> Node:
        variables, query = sent["variables"], sent["query"]
        if f"{variables['owner']}/{variables['name']}" not in self.known_as:
            words = "Could not resolve to a Repository"
            error = {"type": "NOT_FOUND", "path": ["repository"], "message": words}
            return {"data": {"repository": None}, "errors": [error]}
        kinds = {_TYPES[name] for _, name, _ in asked}
        if unknown := [
            _undefined(*pair) for pair in sorted(self.lacking) if _in(query, pair, kinds)
        ]:
            return {"errors": unknown}
        data: Node = {"nameWithOwner": self.name}
        errors: list[Node] = []
        for alias, name, key in asked:
            kind = self.poison.get(key)
            found = None if isinstance(kind, str) else self._find(name, key)
            data[alias] = found and {k: v for k, v in found.items() if k in query}
            if isinstance(kind, str) or (found is None and name != "object"):
                path = ["repository", alias]
                words = f"Could not resolve to {_WORDS.get(name)} with the number of {key}."
                errors.append({"type": kind or "NOT_FOUND", "path": path, "message": words})
        return {"data": {"repository": data}, **({"errors": errors} if errors else {})}

    def _find(self, name: str, key: str) -> Node | None:
        if name == "object":
            return self.commits.get(key)
        node = self.nodes.get(int(key))
        if node is not None and node["__typename"] != "Issue" and name != "pullRequest":
            return {"__typename": node["__typename"]}
        return None if node is None or (name == "pullRequest") != ("mergedAt" in node) else node

    def _list(
        self, request: BaseHTTPRequestHandler, query: dict[str, list[str]], path: str
    ) -> None:
        since, size = query["since"][0], int(query["per_page"][0])
        page = int(query.get("page", ["1"])[0])
        assert (query["state"], query["sort"], query["direction"]) == (
            ["all"],
            ["updated"],
            ["desc"],
        )
        changed = [n for n in self.nodes.values() if n["updatedAt"] >= since]
        changed.sort(key=lambda node: node["updatedAt"], reverse=True)
        where = f"{self.url}{self.prefix}/repos/{self.name}"
        rows = [
            {"number": n["number"], "updated_at": n["updatedAt"], "repository_url": where}
            for n in changed[(page - 1) * size : page * size]
        ]
        etag = f'W/"{hashlib.sha256(json.dumps([query, rows]).encode()).hexdigest()}"'
        headers = [("etag", etag)]
        if page * size < len(changed):
            headers.append(("link", f'<{self.url}{path}?page={page + 1}>; rel="next"'))
        if request.headers.get("if-none-match") == etag:
            send(request, 304, b"", headers)
        else:
            send_json(request, 200, rows, headers)


def nodes(*items: Node | None) -> Node:
    """A GraphQL connection."""
    return {"nodes": list(items)}


def rate_limited(reset: int | None = None) -> Fault:
    """GraphQL's own way to say that the hour's points are spent."""
    error = {"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}
    headers = (
        () if reset is None else (("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", f"{reset}"))
    )
    return Fault(200, {"errors": [error]}, headers)


def _undefined(on_type: str, name: str) -> Node:
    code = {"code": "undefinedField", "typeName": on_type, "fieldName": name}
    return {"message": f"Field '{name}' doesn't exist on type '{on_type}'", "extensions": code}


def _in(query: str, pair: tuple[str, str], kinds: Iterable[str]) -> bool:
    on_type, name = pair
    mine = on_type in kinds or on_type not in _TYPES.values()
    return mine and re.search(rf"\b{name}\b", query) is not None


def _answer(request: BaseHTTPRequestHandler, fault: Fault) -> None:
    content = fault.data if isinstance(fault.data, bytes) else json.dumps(fault.data).encode()
    if not fault.cut:
        send(request, fault.status, content, fault.headers)
        return
    request.send_response(fault.status)
    request.send_header("content-length", str(len(content) + 10))
    request.end_headers()
    request.wfile.write(content)
