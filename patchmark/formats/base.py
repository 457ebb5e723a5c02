"""What a format is: something that writes the tasks of a run, or reads tasks, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.git import Repository
from core.types import Patch, Task
from sandbox.engine import Engine


@dataclass(frozen=True)
class Problem:
    """What was left out, or is not as it should be."""

    where: str
    """`file:line`, a file or a folder."""
    what: str
    """What is wrong and what was expected."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A run folder, as writers see it."""

    repository: str
    """`owner/name`."""
    clone: Repository
    tasks: Sequence[Task]
    patches: Sequence[Patch]
    names: Mapping[str, str]
    """A task's id → what others call it."""
    kept: Mapping[str, Mapping[str, str]]
    """A task's id → fields of the format that it once was imported from, which no task has."""
    engine: Callable[[], Engine]
    """Raises EngineError where none answers."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A task as a file tells it: nothing of it is proven."""

    where: str
    """`file:line`, a file or a folder."""
    name: str
    """What others call it."""
    repository: str
    """`owner/name`, empty where nothing says it."""
    base_commit: str
    gold_patch: str
    test_patch: str
    statement: str
    created_at: datetime | None = None
    fail_to_pass: tuple[str, ...] = ()
    pass_to_pass: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    """Fields of the format that no task has: they come back when it is exported again."""
    task: Task | None = None
    """The very task that was exported, where the file is one of patchmark's and unchanged."""


@dataclass(frozen=True)
class Read:
    """What a file or folder holds."""

    tasks: tuple[Told, ...]
    problems: tuple[Problem, ...] = ()


Writer = Callable[[Source, Path], Sequence[Problem]]
"""Writes to a path that does not exist yet. Raises UsageError where nothing can be written."""
Reader = Callable[[Path], Read]
"""Raises UsageError where nothing can be read at all; what is wrong with one task is a Problem."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format, in either direction."""

    name: str
    about: str
    """What a reader of `--help` has to know, in one line."""
    write: Writer | None = None
    read: Reader | None = None
