"""Opening the repository under test: from then on nothing in it is a program of ours."""

from __future__ import annotations

import os
from pathlib import Path

from core.git import Repository
from core.programs import trusted_path, work_tree


def trust_absolute_folders_only() -> None:
    """Programs come from absolute folders of PATH, whatever the working directory is."""
    os.environ["PATH"] = trusted_path(os.environ.get("PATH", os.defpath))


def open_repository(path: Path) -> Repository:
    """The repository at or above `path`. Its folders are taken off this process's PATH.

    Not of git alone: the engine's client looks for `docker-credential-*`, a base image is made
    by debootstrap and tar. Raises RepositoryError.
    """
    inside = work_tree(path)
    os.environ["PATH"] = trusted_path(os.environ.get("PATH", os.defpath), inside)
    return Repository(path)
