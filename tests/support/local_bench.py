"""Workbenches without a container: commands run in a folder of the test's own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from support.repos import Repo
from support.served import Served

from core.bench import Did, Workbench
from core.outlet import BreakOffError, OpenBench, Outlet, Sent
from core.types import Task


class LocalBench:
    """A git repository in a folder; only for commands that a test wrote itself."""

    tests = "python -m pytest"

    def __init__(self, folder: Path, files: Mapping[str, str]):
        self.folder = folder
        self.ran: list[str] = []
        Repo(folder).commit("Start", dict(files))
        self.run("git reset -q --hard")

    def run(self, command: str, *, given: str = "", seconds: float = 120) -> Did:
        self.ran.append(command)
        started = time.monotonic()
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, input=given, text=True, timeout=seconds,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return Did(done.stdout, done.returncode, time.monotonic() - started)

    def read(self, path: str) -> str | None:
        file = self.folder / path
        return file.read_text() if file.is_file() else None

    def diff(self) -> str:
        self.run("git add -AN")
        return self.run("git diff").output


class LocalBenches:
    """A fresh one for each attempt."""

    def __init__(self, folder: Path, files: Mapping[str, str]):
        self._folder, self._files = folder, files
        self.made: list[LocalBench] = []

    @contextmanager
    def __call__(self, task: Task) -> Iterator[Workbench]:  # noqa: ARG002
        bench = LocalBench(self._folder / f"bench-{len(self.made)}", self._files)
        self.made.append(bench)
        yield bench


class LocalOpenBench(LocalBench):
    """The same with a way out: a server on the loopback in place of a container's own."""

    def through(self, outlet: Outlet) -> AbstractContextManager[str]:
        return _served(outlet)

    def end(self) -> None:
        self.ended = True


class LocalOpenBenches:
    """A fresh one for each attempt; what would be installed is noted."""

    def __init__(self, folder: Path, files: Mapping[str, str]):
        self._folder, self._files = folder, files
        self.installed: list[tuple[str, ...]] = []

    @contextmanager
    def __call__(self, task: Task, install: tuple[str, ...]) -> Iterator[OpenBench]:  # noqa: ARG002
        self.installed.append(install)
        yield LocalOpenBench(self._folder / f"bench-{len(self.installed)}", self._files)


@contextmanager
def _served(outlet: Outlet) -> Iterator[str]:
    with _WayOut(outlet) as server:
        yield server.url


class _WayOut(Served):
    methods = ("GET", "POST")

    def __init__(self, outlet: Outlet):
        super().__init__()
        self._outlet = outlet

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = request.rfile.read(int(headers.get("content-length", 0)))
        sent = Sent(method=request.command, path=request.path, headers=headers, body=body)
        request.close_connection = True
        with suppress(BreakOffError):
            answering = _Answering(request)
            self._outlet(sent, answering)
            request.wfile.write(b"0\r\n\r\n")


class _Answering:
    def __init__(self, request: BaseHTTPRequestHandler):
        self._request = request

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        self._request.protocol_version = "HTTP/1.1"
        self._request.send_response(status)
        for name, value in headers.items():
            self._request.send_header(name, value)
        self._request.send_header("transfer-encoding", "chunked")
        self._request.end_headers()

    def part(self, content: bytes) -> None:
        if content:
            self._request.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
