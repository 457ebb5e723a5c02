"""A read-only package index of npm's kind on 127.0.0.1, as far as `npm install` and `npm ci` go."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from support.served import Served, send, send_json


@dataclass(frozen=True)
class Release:
    """One version of a package: the day it was uploaded, and what it asks for."""

    day: str
    dependencies: Mapping[str, str] = field(default_factory=dict)


class NpmRegistry(Served):
    """Serves packages that hold nothing but their names; name → version → release.

    With `dates=False` it tells, as some mirrors do, not when versions were uploaded.
    """

    def __init__(self, packages: Mapping[str, Mapping[str, Release]], *, dates: bool = True):
        super().__init__()
        self._packages = packages
        self._dates = dates

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        name, _, file = request.path.lstrip("/").partition("/-/")
        releases = self._packages.get(name)
        if releases is None:
            send_json(request, 404, {"error": "not found"})
        elif file:
            send(request, 200, _tarball(name, file.removesuffix(".tgz")))
        else:
            send_json(request, 200, self._about(name, releases))

    def integrity(self, name: str, version: str) -> str:
        """What a lock file says of a package's content."""
        digest = hashlib.sha512(_tarball(name, version)).digest()
        return f"sha512-{base64.b64encode(digest).decode()}"

    def _about(self, name: str, releases: Mapping[str, Release]) -> dict[str, object]:
        about: dict[str, object] = {
            "name": name,
            "dist-tags": {"latest": list(releases)[-1]},
            "versions": {
                version: {
                    "name": name,
                    "version": version,
                    "dependencies": dict(release.dependencies),
                    "dist": {
                        "tarball": f"{self.url}/{name}/-/{version}.tgz",
                        "integrity": self.integrity(name, version),
                    },
                }
                for version, release in releases.items()
            },
        }
        days = {version: f"{one.day}T12:00:00.000Z" for version, one in releases.items()}
        return about | ({"time": days} if self._dates else {})


def _tarball(name: str, version: str) -> bytes:
    text = json.dumps({"name": name, "version": version}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("package/package.json")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return gzip.compress(buffer.getvalue(), mtime=0)
