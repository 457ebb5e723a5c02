"""A tiny repository without dependencies, and the candidates that can be cut from it."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.repos import Repo

from core.git import Repository
from core.types import Candidate, StatementSource

COMMITTED_AT = datetime(2025, 6, 15, tzinfo=UTC)
CALC = """def add(a, b):
    return a - b


def sub(a, b):
    return a - b
"""
FIXED = CALC.replace("a - b", "a + b", 1)
TESTS = """import calc


def test_sub():
    assert calc.sub(5, 3) == 2
"""
TEST_ADD = """

def test_add():
    assert calc.add(2, 3) == 5
"""
FILES = {"calc.py": CALC, "tests/test_calc.py": TESTS, "tests/test_other.py": TESTS}
ADD = "tests/test_calc.py::test_add"
SUB = ("tests/test_calc.py::test_sub", "tests/test_other.py::test_sub")
FIX_CALC = {"calc.py": FIXED}
MORE_TESTS = {"tests/test_calc.py": TESTS + TEST_ADD}


def diff(changes: Mapping[str, str | None], before: Mapping[str, str] = FILES) -> str:
    """A git diff that gives files new contents; None deletes one."""
    return "".join(_section(path, before.get(path), new) for path, new in changes.items())


def _section(path: str, old: str | None, new: str | None) -> str:
    was = f"a/{path}" if old is not None else "/dev/null"
    will = f"b/{path}" if new is not None else "/dev/null"
    mode = "" if old is not None else "new file mode 100644\n"
    mode += "" if new is not None else "deleted file mode 100644\n"
    before, after = ((text or "").splitlines(keepends=True) for text in (old, new))
    return f"diff --git a/{path} b/{path}\n{mode}" + "".join(
        difflib.unified_diff(before, after, was, will)
    )


@dataclass(frozen=True)
class CalcRepo:
    """The repository, a commit that can be built and one that cannot."""

    repository: Repository
    base: str
    unbuildable: str

    @classmethod
    def make(cls, folder: Path) -> CalcRepo:
        """Build it. Each is like no other, so that no two test sessions share an image."""
        repo = Repo(folder)
        base = repo.commit(f"Start {uuid.uuid4()}", {**FILES, "only.txt": str(uuid.uuid4())})
        repo.git("tag", f"v0.{uuid.uuid4().int % 10**9}.1")
        bad = repo.commit("Need the impossible", {"requirements.txt": "patchmark==0.0.0.dev999\n"})
        return cls(Repository(folder), base, bad)

    def candidate(
        self,
        fix: Mapping[str, str | None] = FIX_CALC,
        tests: Mapping[str, str | None] = MORE_TESTS,
        **changes: Any,
    ) -> Candidate:
        """A candidate on the base commit; without arguments one that holds."""
        fields: dict[str, Any] = {
            "id": "c" * 12,
            "base_commit": self.base,
            "fix_commit": "c" * 40,
            "committed_at": COMMITTED_AT,
            "title": "add() subtracts",
            "statement": "add(2, 3) is -1",
            "statement_source": StatementSource.COMMIT_MESSAGE,
            "gold_patch": diff(fix),
            "test_patch": diff(tests),
            "source_files": tuple(fix),
            "test_files": tuple(tests),
        }
        return Candidate(**{**fields, **changes})
