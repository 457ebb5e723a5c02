"""A repository's words to coding agents: given, withheld, or left as any other file."""

from __future__ import annotations

import re
from dataclasses import dataclass

import core.diff
from models.base import Files

_NAMES = re.compile(
    r"(^|/)(AGENTS|CLAUDE|GEMINI|CONVENTIONS)(\.local|\.override)?\.md$"
    r"|(^|/)\.(cursorrules|windsurfrules|clinerules)$"
    r"|(^|/)\.cursor/rules/"
    r"|(^|/)\.github/(copilot-instructions\.md|instructions/)"
    r"|(^|/)\.(claude|gemini|codex)/",
    re.IGNORECASE,
)
_MOST = 20_000
"""Characters of all of them together."""


def is_instruction(path: str) -> bool:
    """Whether agents would take a file as said to them."""
    return _NAMES.search(path) is not None


def instructions(files: Files, most: int = _MOST) -> dict[str, str]:
    """Path → text of those there are, the outermost first, as many whole ones as fit."""
    found: dict[str, str] = {}
    paths = [path for path in files.files() if path.isprintable() and is_instruction(path)]
    for path in sorted(paths, key=lambda path: (path.count("/"), path)):
        text = files.read(path) or ""
        if text and len(text) <= most:
            found[path] = text
            most -= len(text)
    return found


@dataclass(frozen=True)
class WithoutInstructions:
    """A repository as if there were none."""

    inner: Files

    def files(self) -> list[str]:
        """See Files.files."""
        return [path for path in self.inner.files() if not is_instruction(path)]

    def read(self, path: str) -> str | None:
        """See Files.read."""
        return None if is_instruction(path) else self.inner.read(path)


def without_them(diff: str) -> str:
    """A diff without the files that were only hidden, and not deleted."""
    sections = core.diff.split(diff)
    kept = [s.text for s in sections if not any(is_instruction(path) for path in s.paths)]
    return "".join(kept)
