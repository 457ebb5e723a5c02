"""A folder of a larger repository: all that its settings say of paths counts from it."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.programs import work_tree
from patchmark.choosing import names
from patchmark.config import Config

if TYPE_CHECKING:
    from patchmark.settings import Flags


def folder_within(repo: Path) -> str:
    """Where a path lies in the repository that it belongs to; "" for its root."""
    inside = repo.resolve().relative_to(work_tree(repo)).as_posix()
    return "" if inside == "." else inside


def in_folder(folder: str, flags: Flags, config: Config) -> tuple[Flags, Config]:
    """The same as seen from the root: tasks are of that folder, and it is what is tested."""
    if not folder:
        return flags, config
    mine = config.mine.model_copy(
        update={
            "tests": _from_root(folder, config.mine.tests),
            "source": _from_root(folder, config.mine.source),
            "paths": _from_root(folder, config.mine.paths) or (folder,),
        }
    )
    there = config.environment
    own = there.dockerfile and f"{folder}/{there.dockerfile}"
    workdir = posixpath.normpath(posixpath.join(folder, there.workdir))
    environment = there.model_copy(update={"workdir": workdir, "dockerfile": own})
    if flags.paths is not None:
        flags = replace(flags, paths=",".join(_from_root(folder, names(flags.paths)) or (folder,)))
    return flags, config.model_copy(update={"mine": mine, "environment": environment})


def _from_root(folder: str, globs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{folder}/{glob.removeprefix('./')}" for glob in globs)
