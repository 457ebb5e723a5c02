"""What mine() says about a repository, in a form that is quick to compare."""

from __future__ import annotations

from support.repos import Repo

from core.git import Repository
from core.paths import NO_RULES, PathRules
from core.types import Candidate, Dropped
from miner.file_tracker import NoTracker
from miner.mine import NOTHING, Known, mine
from miner.tracker import Tracker

FIX = {"src/calc.py": "def add(a, b):\n    return a + b\n", "tests/test_calc.py": "assert 1\n"}
"""The files of a commit that is a candidate when the commit before it has other content."""


def mined(
    repo: Repo,
    tracker: Tracker | None = None,
    *,
    rules: PathRules = NO_RULES,
    known: Known = NOTHING,
) -> list[Candidate | Dropped]:
    """Everything mine() gives."""
    repository = Repository(repo.path)
    return list(mine(repository, tracker or NoTracker(), rules=rules, known=known))


def candidates(repo: Repo, tracker: Tracker | None = None) -> list[Candidate]:
    """The candidates alone."""
    return [record for record in mined(repo, tracker) if isinstance(record, Candidate)]


def endings(repo: Repo) -> dict[str, str]:
    """Commit → `candidate` or the drop reason."""
    return {
        record.fix_commit if isinstance(record, Candidate) else record.commit: (
            "candidate" if isinstance(record, Candidate) else record.reason.value
        )
        for record in mined(repo)
    }
