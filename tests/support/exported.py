"""What writers of formats are given, without a run folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.repos import Repo

from core.errors import EngineError
from core.git import Repository
from core.types import Task
from patchmark.formats.base import Source
from patchmark.formats.names import name_of
from sandbox.engine import Engine

REPOSITORY = "acme/shop"


def clone(folder: Path) -> Repository:
    """A repository with one commit."""
    repo = Repo(folder)
    repo.commit("Start", {"a.py": "x\n"})
    return Repository(folder)


def no_engine() -> Engine:
    """Where no engine answers."""
    raise EngineError("no container engine answers")


def source(clone: Repository, tasks: Sequence[Task], **changes: Any) -> Source:
    """These tasks, as a run folder would give them."""
    fields: dict[str, Any] = {
        "repository": REPOSITORY,
        "clone": clone,
        "tasks": tasks,
        "patches": (),
        "names": {task.id: name_of(REPOSITORY, task) for task in tasks},
        "kept": {},
        "engine": no_engine,
    }
    return Source(**{**fields, **changes})
