"""A repository's words to coding agents: given, withheld, or left as any other file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import core.diff
from models.base import Files

_NAMES = re.compile(
    r"(^|/)(AGENTS?|CLAUDE|GEMINI|CONVENTIONS|QWEN|WARP)(\.local|\.override)?\.md$"
    r"|(^|/)\.(cursorrules|windsurfrules|clinerules|roorules|goosehints|rules)$"
    r"|(^|/)\.(clinerules|roo|cursor|windsurf|continue|trae|augment|amazonq|kiro|junie)/"
    r"([^/]+/)*[^/]+\.(md|mdc|txt)$"
    r"|(^|/)\.github/(copilot-instructions\.md|(instructions|prompts|chatmodes|agents)/)"
    r"|(^|/)[^/]+\.(instructions|prompt|chatmode)\.md$"
    r"|(^|/)\.(claude|gemini|codex)/",
    re.IGNORECASE,
)
MOST = 20_000
"""Characters of all of them together."""


def is_instruction(path: str) -> bool:
    """Whether agents would take a file as said to them."""
    return _NAMES.search(path) is not None


Covers = Callable[[str], bool]


def instructions(files: Files, covers: Covers = is_instruction, most: int = MOST) -> dict[str, str]:
    """Path → text of those there are, the outermost first, as many whole ones as fit."""
    found: dict[str, str] = {}
    paths = [path for path in files.files() if path.isprintable() and covers(path)]
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
    covers: Covers = is_instruction

    def files(self) -> list[str]:
        """See Files.files."""
        return [path for path in self.inner.files() if not self.covers(path)]

    def read(self, path: str) -> str | None:
        """See Files.read."""
        return None if self.covers(path) else self.inner.read(path)


def without_them(diff: str) -> str:
    """A diff without the files that were only hidden, and not deleted."""
    sections = core.diff.split(diff)
    kept = [s.text for s in sections if not any(is_instruction(path) for path in s.paths)]
    return "".join(kept)
