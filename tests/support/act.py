"""Workflows run by act on this machine, with this checkout as the Action that they use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from support.npm import programs

from core.git import clean_environment

ROOT = Path(__file__).parents[2]
ACT = Path(sys.executable).with_name("act")


def what_users_get(folder: Path) -> Path:
    """A copy of the files of this checkout that are in git, or about to be."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, target)
    return folder


def commit_all(folder: Path) -> str:
    """Commit whatever is there; the commit's id."""
    by = ("-c", "user.name=owner", "-c", "user.email=o@example.com")
    for arguments in (("add", "."), (*by, "commit", "-qm", "Measure")):
        subprocess.run(["git", "-C", folder, *arguments], check=True, env=clean_environment())
    head = subprocess.run(
        ["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    return head.stdout.strip()


def act(
    folder: Path,
    event: str,
    payload: Path,
    actions: Mapping[str, Path],
    *options: str,
    platform: str = "ubuntu-latest",
    fails: bool = False,
) -> str:
    """Run the workflows of `folder` for an event; the log. Fails the test if they end otherwise."""
    more = [f"--local-repository={name}={path}" for name, path in actions.items()]
    if host := os.environ.get("DOCKER_HOST"):
        more += ["--env", f"DOCKER_HOST={host}"]
    place = ["--platform", f"{platform}=-self-hosted", "--eventpath", str(payload)]
    done = subprocess.run(
        [ACT, event, *place, "--no-cache-server", *more, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=540,
        env={**os.environ, "PATH": programs()},
    )
    log = done.stdout + done.stderr
    assert (done.returncode != 0) is fails, log
    return log
