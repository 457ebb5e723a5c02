"""Where programs of this machine are looked for: never in the repository under test."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path


def trusted_path(path: str, untrusted: Path | None = None) -> str:
    """PATH without what lies in `untrusted`, and without what depends on the working directory.

    An empty entry means the working directory, as "." does: often the repository under test.
    """
    folders = [entry for entry in path.split(os.pathsep) if Path(entry).is_absolute()]
    if untrusted is not None:
        root = untrusted.resolve()
        folders = [f for f in folders if not Path(f).resolve().is_relative_to(root)]
    return os.pathsep.join(folders)


@cache
def program(name: str, path: str) -> str:
    """The absolute path of a program. Raises FileNotFoundError where none is trusted."""
    trusted = trusted_path(path)
    # An empty PATH would be no PATH, and the working directory with it.
    found = shutil.which(name, path=trusted) if trusted else None
    if found is None:
        raise FileNotFoundError(name)
    return found


def work_tree(path: Path) -> Path:
    """The root of the repository that a path belongs to; the path itself where there is none."""
    path = path.resolve()
    return next((p for p in (path, *path.parents) if (p / ".git").exists()), path)
