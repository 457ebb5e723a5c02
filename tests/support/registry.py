"""A read-only image registry on 127.0.0.1 with one tiny image, as far as `docker pull` goes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_KIND = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """Serves `tiny:1`, an image with the one file /hello."""

    def __init__(self) -> None:
        layer = _layer()
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Entrypoint": ["/no/such/entrypoint"]},
                "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            }
        ).encode()
        packed = gzip.compress(layer, mtime=0)
        self.blobs = {_digest(blob): blob for blob in (config, packed)}
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _KIND,
                "config": _described("application/vnd.docker.container.image.v1+json", config),
                "layers": [_described("application/vnd.docker.image.rootfs.diff.tar.gzip", packed)],
            }
        ).encode()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            do_HEAD = do_GET  # noqa: N815 - the name the base class looks for

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        wanted = ("/v2/tiny/manifests/1", f"/v2/tiny/manifests/{_digest(self.manifest)}")
        if path == "/v2/":
            _send(request, b"{}", "application/json")
        elif path in wanted:
            _send(request, self.manifest, _KIND)
        elif path.startswith("/v2/tiny/blobs/") and path.split("/")[-1] in self.blobs:
            _send(request, self.blobs[path.split("/")[-1]], "application/octet-stream")
        else:
            request.send_response(404)
            request.send_header("Content-Length", "0")
            request.end_headers()


def _send(request: BaseHTTPRequestHandler, content: bytes, kind: str) -> None:
    request.send_response(200)
    request.send_header("Docker-Distribution-Api-Version", "registry/2.0")
    request.send_header("Docker-Content-Digest", _digest(content))
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    if request.command == "GET":
        request.wfile.write(content)


def _layer() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("hello")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"hello"))
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _described(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}
