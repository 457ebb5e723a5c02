"""What mine() says about a repository, in a form that is quick to compare."""

from __future__ import annotations

from support.repos import Repo

from core.git import Repository
from core.types import Candidate, Dropped
from miner.issues import Issues, NoIssues
from miner.mine import mine

FIX = {"src/calc.py": "def add(a, b):\n    return a + b\n", "tests/test_calc.py": "assert 1\n"}
"""The files of a commit that is a candidate when the commit before it has other content."""


def mined(repo: Repo, issues: Issues | None = None) -> list[Candidate | Dropped]:
    """Everything mine() gives."""
    return list(mine(Repository(repo.path), issues or NoIssues()))


def candidates(repo: Repo, issues: Issues | None = None) -> list[Candidate]:
    """The candidates alone."""
    return [record for record in mined(repo, issues) if isinstance(record, Candidate)]


def endings(repo: Repo) -> dict[str, str]:
    """Commit → `candidate` or the drop reason."""
    return {
        record.fix_commit if isinstance(record, Candidate) else record.commit: (
            "candidate" if isinstance(record, Candidate) else record.reason.value
        )
        for record in mined(repo)
    }
