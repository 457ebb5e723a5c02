"""Submodules of a commit, where this clone has their objects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import RepositoryError
from core.git import Repository


@dataclass(frozen=True)
class Submodule:
    """A folder whose files another repository holds."""

    path: str
    commit: str
    repository: Repository | None
    """None where the commit is not in this clone."""


def submodules(repository: Repository, commit: str, within: str = "") -> Iterator[Submodule]:
    """Those of a commit, and those in them, by path below `within`."""
    if repository.read(commit, ".gitmodules") is None:
        return
    names = _names(repository, commit)
    for line in repository.git("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        head, _, path = line.partition(b"\t")
        if head[7:13] != b"commit":
            continue
        at, wanted = os.fsdecode(path), head[14:].decode()
        found = _repository(repository, names.get(at, ""), wanted)
        yield Submodule(f"{within}{at}", wanted, found)
        if found is not None:
            yield from submodules(found, wanted, f"{within}{at}/")


def _names(repository: Repository, commit: str) -> dict[str, str]:
    """Path → the name under which git keeps a submodule."""
    pattern = r"^submodule\..*\.path$"
    try:
        told = repository.git("config", "--blob", f"{commit}:.gitmodules", "-z", "--get-regexp",
                              pattern)  # fmt: skip
    except RepositoryError:  # nothing matches, or it is no configuration
        return {}
    pairs = (os.fsdecode(item).partition("\n") for item in told.split(b"\0") if item)
    return {path: key[len("submodule.") : -len(".path")] for key, _, path in pairs}


def _repository(outer: Repository, name: str, commit: str) -> Repository | None:
    """The clone of a submodule inside of the outer one, if it holds the commit."""
    if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return None  # The name stands in the commit, which must not lead elsewhere.
    place = outer.path / outer.text("rev-parse", "--git-common-dir").strip() / "modules" / name
    if not Path(place, "HEAD").is_file():
        return None
    try:
        found = Repository(place)
    except RepositoryError:
        return None
    return found if found.has(commit) else None
