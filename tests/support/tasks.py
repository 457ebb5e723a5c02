"""Small tasks and repositories for tests that need one of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.types import StatementSource, Task


@dataclass(frozen=True)
class Folder:
    """The files of a commit, held in memory; None stands for a file that is no text."""

    contents: Mapping[str, str | None]

    def files(self) -> list[str]:
        return sorted(self.contents)

    def read(self, path: str) -> str | None:
        return self.contents.get(path)


def make_task(number: int = 1, **changes: Any) -> Task:
    """A valid task; its number is in its id and its title."""
    fields: dict[str, Any] = {
        "id": f"{number:012x}",
        "base_commit": "a" * 40,
        "fix_commit": f"{number:012x}" + "b" * 28,
        "committed_at": datetime(2026, 3, 1, tzinfo=UTC),
        "title": f"add() is wrong (task-{number:03})",
        "statement": "`add(1, 2)` returns -1 in src/calc.py.",
        "statement_source": StatementSource.ISSUE,
        "gold_patch": "diff --git a/src/calc.py b/src/calc.py\n",
        "test_patch": "diff --git a/tests/test_calc.py b/tests/test_calc.py\n",
        "source_files": ("src/calc.py",),
        "test_files": ("tests/test_calc.py",),
        "fail_to_pass": ("tests/test_calc.py::test_add",),
        "pass_to_pass": (),
        "image": "sha256:" + "0" * 64,
        "test_command": "python -m pytest",
        "results": "lines",
        "environment": {"recipe": "files", "toolchain": "Python 3.11.2", "cpus": 1.0},
        "key": "k",
    }
    return Task(**{**fields, **changes})


CALC = Folder(
    {
        "README.md": "# calc\n",
        "src/calc.py": "def add(a, b):\n    return a - b\n\n\ndef sub(a, b):\n    return a - b\n",
        "src/util.py": "def clean(text):\n    return text.strip()\n",
        "tests/test_calc.py": "def test_nothing():\n    pass\n",
    }
)

FIX = """The sign is wrong.

src/calc.py
<<<<<<< SEARCH
def add(a, b):
    return a - b
=======
def add(a, b):
    return a + b
>>>>>>> REPLACE
"""
