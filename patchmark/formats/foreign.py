"""A task that was mined elsewhere → a candidate, which has to be proven here."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from core.diff import FileDiff, split
from core.paths import Kind, PathRules, is_protected, kind_of
from core.types import Candidate, StatementSource
from miner.candidate import added_lines, difficulty
from miner.part import Parts
from miner.scores import leak, vagueness
from patchmark.formats.base import Told
from patchmark.formats.reading import UnfitError

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST_TITLE = 120
_NO_DAY = datetime(1970, 1, 1, tzinfo=UTC)


def candidate_of(told: Told, rules: PathRules, committed_at: datetime | None = None) -> Candidate:
    """What is to be proven. Raises UnfitError where it can be no task.

    `committed_at` is the day of its environment, where the file tells none.
    """
    if told.task is not None:
        return Candidate(**{name: getattr(told.task, name) for name in Candidate.model_fields})
    _check(told)
    fix, tests = _sides(told, rules)
    parts = Parts(fix, tests, ())
    gold = _text(fix)
    fix_commit = _stand_in(told)
    return Candidate(
        id=fix_commit[:12],
        base_commit=told.base_commit,
        fix_commit=fix_commit,
        committed_at=told.created_at or committed_at or _NO_DAY,
        title=_title(told.statement) or told.name,
        statement=told.statement,
        statement_source=StatementSource.ISSUE,
        leak=leak(told.statement, added_lines(fix)),
        vagueness=vagueness(told.statement),
        difficulty=difficulty(parts, rules),
        gold_patch=gold,
        test_patch=_text(tests),
        source_files=_paths(fix, rules),
        test_files=tuple(sorted({path for section in tests for path in section.paths})),
        path_rules=rules,
    )


def _check(told: Told) -> None:
    if not _SHA.fullmatch(told.base_commit):
        raise UnfitError(f"base commit {told.base_commit[:60]!r}: a full commit id was expected")
    for name, text in (("fix", told.gold_patch), ("tests", told.test_patch)):
        if not split(text):
            raise UnfitError(f"the patch of the {name} holds no change; a git diff was expected")


def _sides(told: Told, rules: PathRules) -> tuple[tuple[FileDiff, ...], tuple[FileDiff, ...]]:
    """Fix and tests. What the judge would leave out of a patch goes to the tests, as in mining."""
    fix: list[FileDiff] = []
    tests = split(_whole(told.test_patch))
    for section in split(_whole(told.gold_patch)):
        protected = any(is_protected(path, rules) for path in section.paths)
        (tests if protected else fix).append(section)
    if not fix:
        raise UnfitError("its fix changes nothing but tests, so there is nothing to solve")
    return tuple(fix), tuple(tests)


def _whole(diff: str) -> str:
    return diff if diff.endswith("\n") else f"{diff}\n"


def _stand_in(told: Told) -> str:
    """In place of the fix's commit, which such files do not tell: the same for the same task."""
    parts = (told.name, told.base_commit, told.gold_patch, told.test_patch)
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()


def _title(statement: str) -> str:
    first = next((line.strip(" #") for line in statement.splitlines() if line.strip(" #")), "")
    return first if len(first) <= _LONGEST_TITLE else f"{first[: _LONGEST_TITLE - 1]}…"


def _text(sections: tuple[FileDiff, ...]) -> str:
    return "".join(section.text for section in sections)


def _paths(sections: tuple[FileDiff, ...], rules: PathRules) -> tuple[str, ...]:
    paths = {path for section in sections for path in section.paths}
    return tuple(sorted(path for path in paths if kind_of(path, rules) is Kind.SOURCE))
