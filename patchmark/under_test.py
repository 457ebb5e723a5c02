"""Opening the repository under test: from then on nothing in it is a program of ours."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import UsageError
from core.git import Repository
from core.programs import trusted_path, work_tree

SHALLOW = (
    "the clone is shallow: only the history that is here can be mined "
    "(git fetch --unshallow, or fetch-depth: 0 in actions/checkout)"
)


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


def refuse_tracked(repository: Repository, out: Path | None, named_by: str = "--out") -> None:
    """Raise UsageError for a folder of ours, or a link on the way to it, that a commit brings.

    Its records would be believed, and its links followed. `named_by`: what says where it is.
    """
    if out is None:
        return
    root, out = work_tree(repository.path), _absolute(out)
    if not out.is_relative_to(root):
        return
    inside = out.relative_to(root)
    ways = [path.as_posix() for path in (inside, *inside.parents)][:-1]
    listed = repository.git("ls-tree", "-z", "--full-tree", repository.head, "--", *ways)
    for line in listed.split(b"\0"):
        kind, _, name = line.partition(b"\t")
        if name and (os.fsdecode(name) == inside.as_posix() or not kind.startswith(b"040000")):
            raise UsageError(
                f"{out}: is part of the repository at {repository.head[:12]}, which may not say "
                f"what it was found to be: give another folder with {named_by}"
            )


def _absolute(path: Path) -> Path:
    """Absolute, links above the repository followed, those within it not."""
    path = Path(os.path.normpath(path.absolute()))
    above = [parent for parent in path.parents if (parent / ".git").exists()]
    if not above:
        return path
    return above[0].resolve() / path.relative_to(above[0])
