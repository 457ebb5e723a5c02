"""What others call a task: `owner__name-id`, as SWE-bench does."""

from __future__ import annotations

import re

from core.types import Task

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9_])?")
"""Names that are a file's name on every machine, and a word of a command line."""
_RUNS = re.compile(r"[^A-Za-z0-9]*[^A-Za-z0-9._-][^A-Za-z0-9]*|[._-]{2,}")


def is_name(text: str) -> bool:
    """Whether a task may be called so."""
    return NAME.fullmatch(text) is not None and ".." not in text


def full_slug(repository: str) -> str:
    """`owner/name`; a repository that has no owner belongs to `local`."""
    return repository if "/" in repository else f"local/{repository}"


def name_of(repository: str, task: Task) -> str:
    """The name of a task of this repository; its id makes it like no other."""
    owner, _, name = full_slug(repository).partition("/")
    return f"{_plain(owner)}__{_plain(name)}-{task.id}"


def _plain(text: str) -> str:
    """Letters, digits and single marks between them, as names of images need it."""
    return _RUNS.sub("-", text).strip("._-") or "x"
