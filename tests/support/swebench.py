"""The SWE-bench tools in an environment of their own, installed once and kept between runs."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from patchmark.machine import cache_folder

_PACKAGE = "swebench>=5,<6"


def environment() -> Path:
    """Its folder of programs; swebench brings `datasets` and pyarrow of its own."""
    folder = cache_folder(os.environ) / "benchmarks" / "swebench-5"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "swebench-5.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # The command is the last thing that is installed.
        if not (folder / "bin" / "swebench").is_file():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            pip = (folder / "bin" / "python", "-m", "pip", "install", "-qq")
            subprocess.run([*pip, "--disable-pip-version-check", _PACKAGE], check=True)
    return folder / "bin"


def run(folder: Path, *command: str | Path, endpoint: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of it in a folder, without any network of its own."""
    program, *arguments = command
    return subprocess.run(
        [environment() / program, *arguments],
        cwd=folder,
        env={
            **os.environ,
            "HF_HOME": str(folder / "hf"),
            "HF_HUB_OFFLINE": "1",
            "DOCKER_HOST": endpoint or "unix:///nowhere.sock",
            "PATH": f"{_without_grace(folder)}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
    )


def _without_grace(folder: Path) -> Path:
    """A `docker` that stops at once: the harness's containers are deaf to what comes before."""
    real, own = shutil.which("docker"), folder / "programs"
    own.mkdir(exist_ok=True)
    script = f'#!/bin/sh\n[ "$1" != stop ] || set -- stop --time=0 "$3"\nexec {real} "$@"\n'
    (own / "docker").write_text(script)
    (own / "docker").chmod(0o755)
    return own
