"""A workbench in a container: where an agent looks around, edits, and runs what it likes.

The same walls as around tests: no network, no capabilities, the tests' user, the same limits.
What it leaves is a diff; tests and verdicts happen elsewhere, in a container of their own.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from core.bench import Did, Workbench
from core.types import Task
from sandbox.docker import DockerEngine
from sandbox.engine import Limits
from sandbox.session import Session
from sandbox.suite import fixed

_SHOWN = 200_000
"""Bytes of a command's output that are kept, half of them from its beginning."""
_LARGEST = 8 * 1024 * 1024
"""Bytes of a file, or of a diff."""
_SECONDS = 60.0
"""What our own commands may take."""
_MINE = (
    "set -e\nrm -rf /tmp/.patchmark-git\ncp -r /patchmark/git /tmp/.patchmark-git\n"
    "git() { command git --git-dir=/tmp/.patchmark-git --work-tree=/repo "
    "-c core.fsmonitor=false -c core.hooksPath=/dev/null -c core.quotePath=false "
    '-c safe.directory=* "$@"; }\ncd /repo\n'
)
_DIFF = "git diff --no-ext-diff --no-textconv --no-color --no-renames"
_START = re.compile(r"\S*python\S* /patchmark/in/start\.py")
_TO_RESULTS = re.compile(r" *>? *\"?\$PATCHMARK_RESULTS\"?( 2>&1)?")


@dataclass(frozen=True)
class DockerBenches:
    """Makes workbenches on one engine."""

    engine: DockerEngine
    limits: Limits

    @contextmanager
    def __call__(self, task: Task) -> Iterator[Workbench]:
        """A fresh one from a task's image, gone at the end. Raises EngineError."""
        with Session.opened(self.engine, task.image, self.limits) as session:
            prepared(session)
            yield Bench(session, task.test_command, self.limits)


def prepared(session: Session) -> None:
    """Make a container a workbench. Raises EngineError."""
    # The repository's own git folder is the agent's to break; the diff is made by this.
    session.as_root("cp -r /repo/.git /patchmark/git && chmod -R go+rX /patchmark/git", _SECONDS)


class Bench:
    """One workbench."""

    def __init__(self, session: Session, test_command: str, limits: Limits):
        self._session = session
        lines = test_command.splitlines()
        entering = [line for line in lines if line.startswith(("export ", "cd "))]
        self._enter = "\n".join(["cd /repo", *entering])
        self._environment = {
            **fixed(limits),
            "HOME": "/home/patchmark",
            "USER": "patchmark",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PAGER": "cat",
            "PATCHMARK_RESULTS": "/dev/stdout",
        }
        self.tests = _as_a_person("\n".join(line for line in lines if line not in entering))

    def run(self, command: str, *, given: str = "", seconds: float = 120) -> Did:
        """See Workbench.run."""
        script = f"{self._enter}\n{command}"
        ran = self._session.run(script, self._environment, given.encode(), seconds, _SHOWN)
        return Did(ran.output.decode(errors="replace"), ran.exit_code, ran.seconds)

    def read(self, path: str) -> str | None:
        """See Workbench.read."""
        # As letters: an engine's stream may hold anything else as well.
        ran = self._ours(
            f"{self._enter}\ntest -f {shlex.quote(path)} && base64 {shlex.quote(path)}"
        )
        if ran is None:
            return None
        try:
            return base64.b64decode(ran).decode()
        except ValueError:
            return None

    def diff(self) -> str:
        """See Workbench.diff. Binary files are left out, for no patch of text can hold them."""
        changed = f"{_MINE}git add -AN . >/dev/null 2>&1 || true\n"
        counted = self._ours(f"{changed}{_DIFF} --numstat HEAD")
        if counted is None:
            return ""
        lines = counted.decode("utf-8", "replace").splitlines()
        binary = [line.split("\t", 2)[2] for line in lines if line.startswith("-\t-\t")]
        without = " ".join(shlex.quote(f":(exclude,literal){path}") for path in binary)
        told = self._ours(f"{changed}{_DIFF} HEAD -- . {without}")
        # What tools leave behind may be huge; what was there before is what was worked on.
        told = told if told is not None else self._ours(f"{_MINE}{_DIFF} HEAD -- . {without}")
        return _text_alone(told or b"")

    def _ours(self, script: str) -> bytes | None:
        """What a command of ours prints; None where it fails or prints too much."""
        ran = self._session.run(script, self._environment, b"", _SECONDS, _LARGEST)
        return ran.output if ran.exit_code == 0 and not ran.cut else None


def _text_alone(diff: bytes) -> str:
    """A diff without the files that are neither binary for git nor text for us."""
    sections = re.split(rb"(?m)^(?=diff --git )", diff)
    kept = []
    for section in sections:
        with suppress(UnicodeDecodeError):
            kept.append(section.decode())
    return "".join(kept)


def _as_a_person(command: str) -> str:
    """A test command without what only patchmark needs."""
    plain = _START.sub("python -m pytest", command)
    return _TO_RESULTS.sub("", plain).replace(" --continue-on-collection-errors --maxfail=0", "")
