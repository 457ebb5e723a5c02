"""A repository with a fix, the task that it is, and a run folder that holds it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.report_data import facts
from support.repos import Repo
from support.run_folders import written
from support.tasks import make_task

from core.types import Task

BEFORE, AFTER = "def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n"
TESTS = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
FIX = (
    "diff --git a/calc.py b/calc.py\n--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n"
    " def add(a, b):\n-    return a - b\n+    return a + b\n"
)
NEW_TEST = (
    "diff --git a/tests/test_calc.py b/tests/test_calc.py\nnew file mode 100644\n"
    "--- /dev/null\n+++ b/tests/test_calc.py\n@@ -0,0 +1,5 @@\n"
    + "".join(f"+{line}\n" for line in TESTS.splitlines())
)


@dataclass(frozen=True)
class Shop:
    """All of it; the repository is called like its folder."""

    repo: Repo
    task: Task
    run: Path

    @property
    def path(self) -> Path:
        """The clone."""
        return self.repo.path

    @property
    def name(self) -> str:
        """What others call the task."""
        return f"local__{self.path.name}-{self.task.id}"


def shop(folder: Path, name: str = "shop") -> Shop:
    """Make it in a folder."""
    repo = Repo(folder / name)
    base = repo.commit(f"Start {name}", {"calc.py": BEFORE})
    fix = repo.commit("Mend add()", {"calc.py": AFTER, "tests/test_calc.py": TESTS})
    task = make_task(
        id=fix[:12], base_commit=base, fix_commit=fix, gold_patch=FIX, test_patch=NEW_TEST,
        source_files=("calc.py",), title="Mend add()", statement="add(1, 2) is -1, not 3.",
    )  # fmt: skip
    data = facts({"reference": "P", "openai:gpt-4o": "F"}, tasks=[task])
    return Shop(repo, task, written(folder / f"{name}-run", repo, replace(data, dropped=())))


def foreign(shop: Shop, **changes: Any) -> dict[str, Any]:
    """The task as a row of somebody else; `...` takes a field away."""
    row: dict[str, Any] = {
        "repo": "acme/shop",
        "instance_id": "acme__shop-7",
        "base_commit": shop.task.base_commit,
        "patch": FIX,
        "test_patch": NEW_TEST,
        "problem_statement": "add() subtracts\n\nIt should add.",
        "hints_text": "Look at the sign.",
        "created_at": "2024-05-06T07:08:09Z",
        "version": "3.1",
        "FAIL_TO_PASS": ["tests/test_calc.py::test_add"],
        "PASS_TO_PASS": "[]",
        "environment_setup_commit": "e" * 40,
        **changes,
    }
    return {name: value for name, value in row.items() if value is not ...}


def lines(path: Path, *rows: object) -> Path:
    """A file with a row a line; what is bytes already stays as it is."""
    raw = (row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
    path.write_bytes(b"".join(b"%s\n" % row for row in raw))
    return path
