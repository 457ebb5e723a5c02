"""Packages of npm that only tests need: what a folder's package-lock.json pins, installed once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.alone import alone


class NotInstalledError(Exception):
    """They cannot be had on this machine; says why."""


def programs() -> str:
    """PATH with our environment's node before any other."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def installed(folder: Path) -> Path:
    """The folder's node_modules. Raises NotInstalledError without npm or its registry."""
    with alone("npm"):
        return _installed(folder)


def _installed(folder: Path) -> Path:
    modules = folder / "node_modules"
    done = modules / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return modules
    npm = shutil.which("npm", path=programs())
    if npm is None:
        raise NotInstalledError("npm is missing: `make setup` installs one")
    ran = subprocess.run(
        [npm, "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": programs()},
    )
    if ran.returncode != 0:
        raise NotInstalledError(f"npm ci: {ran.stderr.strip()}")
    return modules
