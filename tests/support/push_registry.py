"""An image registry on 127.0.0.1 that can be pushed to and pulled from.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import hashlib
import re
import uuid
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from support.served import Served, send


class PushRegistry(Served):
    """Keeps in memory what it is given."""

    methods = ("GET", "HEAD", "POST", "PATCH", "PUT")

    def __init__(self) -> None:
        super().__init__()
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.uploads: dict[str, bytes] = {}

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        url, body = urlsplit(request.path), _body(request)
        name = url.path.rpartition("/")[2]
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if request.command == "POST":
            name = uuid.uuid4().hex
            self.uploads[name] = b""
            send(request, 202, headers=[("Location", f"{url.path}{name}")])
        elif request.command == "PATCH":
            self.uploads[name] += body
            headers = [("Location", url.path), ("Range", f"0-{len(self.uploads[name]) - 1}")]
            send(request, 202, headers=headers)
        elif request.command == "PUT" and "/manifests/" in url.path:
            kept = (request.headers["Content-Type"], body)
            self.manifests[url.path] = self.manifests[digest] = kept
            send(request, 201, headers=[("Docker-Content-Digest", digest)])
        elif request.command == "PUT":
            digest = parse_qs(url.query)["digest"][0]
            self.blobs[digest] = self.uploads.pop(name) + body
            send(request, 201, headers=[("Docker-Content-Digest", digest)])
        else:
            self._read(request, url.path)

    def _read(self, request: BaseHTTPRequestHandler, path: str) -> None:
        name = path.rpartition("/")[2]
        if path == "/v2/":
            send(request, 200)
        elif "/blobs/" in path and name in self.blobs:
            send(request, 200, self.blobs[name])
        elif found := self.manifests.get(name) or self.manifests.get(path):
            kind, content = found
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            headers = [("Content-Type", kind), ("Docker-Content-Digest", digest)]
            send(request, 200, content, headers)
        else:
            send(request, 404)


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("Transfer-Encoding") != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length") or 0))
    chunks = []
    while size := int(re.split(rb"[;\r]", request.rfile.readline())[0], 16):
        chunks.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(chunks)
