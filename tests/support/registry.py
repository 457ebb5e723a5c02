"""A read-only image registry on 127.0.0.1 with one tiny image, as far as `docker pull` goes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from http.server import BaseHTTPRequestHandler

from support.served import Served, send

_KIND = "application/vnd.docker.distribution.manifest.v2+json"


class Registry(Served):
    """Serves `tiny:1`, an image with the one file /hello."""

    methods = ("GET", "HEAD")

    def __init__(self) -> None:
        super().__init__()
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

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        wanted = ("/v2/tiny/manifests/1", f"/v2/tiny/manifests/{_digest(self.manifest)}")
        if path == "/v2/":
            _send(request, b"{}", "application/json")
        elif path in wanted:
            _send(request, self.manifest, _KIND)
        elif path.startswith("/v2/tiny/blobs/") and path.split("/")[-1] in self.blobs:
            _send(request, self.blobs[path.split("/")[-1]], "application/octet-stream")
        else:
            send(request, 404)


def _send(request: BaseHTTPRequestHandler, content: bytes, kind: str) -> None:
    headers = {
        "Docker-Distribution-Api-Version": "registry/2.0",
        "Docker-Content-Digest": _digest(content),
        "Content-Type": kind,
    }
    send(request, 200, content, headers.items())


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
