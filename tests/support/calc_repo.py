"""A tiny repository without dependencies, and the candidates that can be cut from it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.repos import Repo

from core.git import Repository
from core.types import Candidate, StatementSource
from sandbox.attacks.sample import PYTHON
from sandbox.attacks.sample import diff as sample_diff

COMMITTED_AT = datetime(2025, 6, 15, tzinfo=UTC)
CALC = PYTHON.files["calc.py"]
FIXED = PYTHON.fix["calc.py"]
TESTS = PYTHON.files["tests/test_calc.py"]
TEST_ADD = PYTHON.tests["tests/test_calc.py"].removeprefix(TESTS)
FILES = {"calc.py": CALC, "tests/test_calc.py": TESTS, "tests/test_other.py": TESTS}
ADD = "tests/test_calc.py::test_add"
SUB = ("tests/test_calc.py::test_sub", "tests/test_other.py::test_sub")
FIX_CALC = {"calc.py": FIXED}
MORE_TESTS = {"tests/test_calc.py": TESTS + TEST_ADD}


def diff(changes: Mapping[str, str | None], before: Mapping[str, str] = FILES) -> str:
    """A git diff that gives files new contents; None deletes one."""
    return sample_diff(changes, before)


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
