"""A workbench without a container: commands run in a folder of the test's own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.repos import Repo

from core.bench import Did, Workbench
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
