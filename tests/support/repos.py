"""Real git repositories made commit by commit: fixed dates, and no configuration but their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

START = 1_700_000_000
"""Seconds since the epoch of the first commit; each later one is an hour younger."""

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": os.devnull,
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Kim",
    "GIT_COMMITTER_EMAIL": "kim@example.org",
}


@dataclass(frozen=True)
class Entry:
    """A file that is not a plain one; the content of a submodule (160000) is a commit id."""

    mode: str
    content: bytes


File = str | bytes | Entry | None
"""What a commit puts at a path; None takes it away."""


class Repo:
    """A repository below `path`. Commits are made without a work tree; see `checkout`."""

    def __init__(self, path: Path, *options: str):
        self.path = path
        self._made = 0
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *options)

    def git(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> bytes:
        """Run the machine's git as it is; raises CalledProcessError with its words."""
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            input=stdin,
            capture_output=True,
            env=ENVIRONMENT,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def commit(
        self,
        message: str | bytes = "A change",
        files: Mapping[str, File] | None = None,
        *,
        parents: tuple[str, ...] | None = None,
        author: str | bytes = "Ann <ann@example.org>",
        date: str | None = None,
        branch: str = "main",
    ) -> str:
        """Add a commit to a branch: `files` on top of the first parent. Returns its full id.

        `parents` None = the branch as it stands; `date` is git's raw `seconds zone`.
        """
        if parents is None:
            tip = self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
            parents = tuple(tip.decode().split())
        when = date or f"{START + 3600 * self._made} +0000"
        self._made += 1
        stream = [f"commit refs/heads/{branch}\nmark :1\n".encode()]
        stream += [b"author %s %s\n" % (_bytes(author), when.encode())]
        stream += [f"committer Kim <kim@example.org> {when}\n".encode(), _data(_bytes(message))]
        stream += [f"from {parent}\n".encode() for parent in parents[:1]]
        stream += [f"merge {parent}\n".encode() for parent in parents[1:]]
        stream += [_change(path, file) for path, file in (files or {}).items()]
        made = self.git(
            *("fast-import", "--quiet", "--force", "--date-format=raw-permissive"),
            stdin=b"".join([*stream, b"get-mark :1\n"]),
        )
        return made.decode().strip()

    def tree(self, revision: str) -> str:
        """The id of a commit's tree."""
        return self.git("rev-parse", f"{revision}^{{tree}}").decode().strip()

    def checkout(self) -> None:
        """Put the files of HEAD into the work tree."""
        self.git("reset", "-q", "--hard")


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _change(path: str, file: File) -> bytes:
    name = b'"%s"' % b"".join(b"\\%03o" % byte for byte in os.fsencode(path))
    if file is None:
        return b"D %s\n" % name
    entry = file if isinstance(file, Entry) else Entry("100644", _bytes(file))
    mode = entry.mode.encode()
    if entry.mode == "160000":
        return b"M %s %s %s\n" % (mode, entry.content, name)
    return b"M %s inline %s\n%s" % (mode, name, _data(entry.content))
