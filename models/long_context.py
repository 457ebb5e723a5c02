"""As much of the repository as a model's window takes, in an order that caches keep.

The order does not depend on the task: whoever asks about the same commit again, in another
attempt or for another task, sends the same beginning, and providers charge that at a fraction.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.paths import Kind, kind_of
from models.base import Files
from models.context import LARGEST_FILE, is_shown
from models.prompt import fenced, fenced_name

_ORDER = (Kind.SOURCE, Kind.OTHER, Kind.DOCUMENTATION, Kind.RUNNER, Kind.TEST)
"""What matters least comes last, and is what is left out."""


@dataclass(frozen=True)
class Whole:
    """The repository as text."""

    text: str
    left_out: int
    """Files that there was no room for, or that are too large."""


def whole_repository(files: Files, room: int) -> Whole:
    """Each text file under its path, as many as fit into a number of characters."""
    parts = ["# The repository\n"]
    left_out = 0
    for path in sorted((p for p in files.files() if is_shown(p)), key=_place):
        text = files.read(path)
        if text is None:
            continue
        part = f"\n## {fenced_name(path)}\n\n{fenced(text)}\n"
        if len(text) > LARGEST_FILE or len(part) > room:
            left_out += 1
            continue
        room -= len(part)
        parts.append(part)
    return Whole("".join(parts), left_out)


def _place(path: str) -> tuple[int, str]:
    return _ORDER.index(kind_of(path)), path
