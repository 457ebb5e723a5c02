"""Whether a patch fits a commit, asked of git itself and without touching anything."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from core.git import Repository, clean_environment, git_command


def why_not(repository: Repository, commit: str, diff: str) -> str:
    """Why git would not apply a diff to a commit; empty where it would."""
    with tempfile.TemporaryDirectory(prefix="patchmark-") as folder:
        # An index of our own: neither work tree nor index of the repository are looked at.
        environment = {**clean_environment(), "GIT_INDEX_FILE": str(Path(folder, "index"))}
        for words in (("read-tree", commit), ("apply", "--cached", "--check", "-")):
            done = subprocess.run(
                git_command(*words, directory=repository.path),
                input=diff.encode("utf-8", "surrogateescape"),
                capture_output=True,
                env=environment,
                check=False,
            )
            if done.returncode:
                said = done.stderr.decode(errors="replace").strip().splitlines()
                return said[0].removeprefix("error: ") if said else "git refuses it"
    return ""
