"""Why a commit is no task, each reason with a real history."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.mining import FIX, candidates, endings, mined
from support.repos import Entry, File, Repo

from core.types import Candidate, Dropped, DropReason
from miner.screen import MAX_CHANGED_LINES

CALC, TEST = "src/calc.py", "tests/test_calc.py"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A first commit that any other can be a change to."""
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {CALC: "a = 1\n", TEST: "assert a\n", "tests/old.bin": b"\0old"})
    return repo


def ending(repo: Repo, message: str, files: dict[str, File], **options: str) -> str:
    """What becomes of one more commit."""
    commit = repo.commit(message, files, **options)  # type: ignore[arg-type]
    return endings(repo)[commit]


def test_a_fix_with_its_test_is_a_candidate(repo: Repo) -> None:
    base = repo.git("rev-parse", "main").decode().strip()
    files: dict[str, File] = {**FIX, "README.md": "read\n", "tox.ini": "[tox]\n"}
    commit = repo.commit("Fix add", files)
    (found,) = candidates(repo)
    assert (found.id, found.fix_commit, found.base_commit) == (commit[:12], commit, base)
    assert (found.title, found.source_files, found.test_files) == ("Fix add", (CALC,), (TEST,))
    assert "README.md" in found.gold_patch
    assert "tox.ini" in found.test_patch
    assert "tests/" not in found.gold_patch


@pytest.mark.parametrize(
    ("reason", "files"),
    [
        (DropReason.EMPTY, {}),
        (DropReason.DOCUMENTATION, {"README.md": "new\n", "docs/conf.py": "x = 1\n"}),
        (DropReason.NO_SOURCE, {TEST: "assert 2\n", "README.md": "new\n"}),
        (DropReason.NO_SOURCE, {"pyproject.toml": "[project]\n"}),
        (DropReason.NO_SOURCE, {"tox.ini": "[tox]\n", TEST: "assert 2\n"}),
        (DropReason.NO_TESTS, {CALC: "a = 2\n"}),
        (DropReason.NO_TESTS, {CALC: "a = 2\n", "tox.ini": "[tox]\n"}),
        (DropReason.TESTS_ONLY_DELETED, {CALC: "a = 2\n", TEST: None}),
        (DropReason.TESTS_ONLY_DELETED, {CALC: "a = 2\n", TEST: ""}),
        (DropReason.TESTS_ONLY_DELETED, {CALC: "a = 2\n", "tests/test_new.py": ""}),
        (DropReason.FORMATTING, {CALC: "a  =  1\n\n\n", TEST: "assert 2\n"}),
        (DropReason.FORMATTING, {CALC: Entry("100755", b"a = 1\n"), TEST: "assert 2\n"}),
        (DropReason.FORMATTING, {CALC: "a = 1\r\n", TEST: "assert 2\n"}),
        (DropReason.NOT_TEXT, {CALC: b"a = '\xe9'\n", TEST: "assert 2\n"}),
        (DropReason.TOO_LARGE, {CALC: "a = 2\n" * MAX_CHANGED_LINES, TEST: "assert 2\n"}),
    ],
)
def test_reasons_that_files_give(repo: Repo, reason: DropReason, files: dict[str, File]) -> None:
    assert ending(repo, "A change", files) == reason.value


def test_a_large_test_is_no_reason(repo: Repo) -> None:
    files: dict[str, File] = {CALC: "a = 2\n", TEST: "assert 2\n" * 2 * MAX_CHANGED_LINES}
    assert ending(repo, "A change", files) == "candidate"


def test_binary_test_data_counts_as_a_test_unless_it_is_taken_away(repo: Repo) -> None:
    """Bug: a deleted binary file was taken for a new one, so that nothing was left to test."""
    assert ending(repo, "One", {CALC: "a = 2\n", "tests/new.bin": b"\0"}) == "candidate"
    gone: dict[str, File] = {CALC: "a = 3\n", "tests/old.bin": None}
    assert ending(repo, "Two", gone) == "tests_only_deleted"


OLD = "def f(a):\n    if a:\n        b = g(a)\n    return b\n"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("def f( a ):\n    if a:\n        b = g(a )\n\n    return b\n", "formatting"),
        (
            "def f(a):\n    if a:\n        b = g(\n            a\n        )\n    return b\n",
            "formatting",
        ),
        ("def f(a):\n    if a:\n        b = g(a)\n        return b\n", "candidate"),
        ("def f(a):\n    b = g(a)\n    if a:\n    return b\n", "candidate"),
        ("def f(a):\n    return b\n    if a:\n        b = g(a)\n", "candidate"),
    ],
    ids=["spaces", "wrapped", "indented", "dedented", "moved"],
)
def test_what_is_formatting(repo: Repo, new: str, expected: str) -> None:
    """Bug: fixes that move lines or change their indentation were dropped as formatting."""
    repo.commit("Before", {CALC: OLD})
    assert ending(repo, "After", {CALC: new, TEST: "assert 2\n"}) == expected


@pytest.mark.parametrize(
    "author",
    [
        "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.example>",
        "Dependabot <support@dependabot.example>",
        "Someone <1+renovate[bot]@users.example>",
        "pre-commit-ci[bot] <x@example.org>",
        "github-actions <a@example.org>",
    ],
)
def test_bots(repo: Repo, author: str) -> None:
    assert ending(repo, "Bump", {**FIX}, author=author) == "bot"


@pytest.mark.parametrize("author", ["Abbot <abbot@example.org>", "R. Renovate <r@example.org>"])
def test_people_whose_names_are_like_bots(repo: Repo, author: str) -> None:
    assert ending(repo, "Fix", {**FIX}, author=author) == "candidate"


def test_the_root_commit_has_nothing_before_it(repo: Repo) -> None:
    (dropped,) = mined(repo)
    assert isinstance(dropped, Dropped)
    assert (dropped.reason, dropped.stage, dropped.title) == ("root_commit", "mine", "Start")


def test_every_reason_of_this_stage_is_covered() -> None:
    """A new reason of this stage fails here until it has a case above."""
    here = {"bot", "revert", "reverted_later", "root_commit"}
    marks = test_reasons_that_files_give.pytestmark  # type: ignore[attr-defined]
    covered = here | {case[0].value for mark in marks for case in mark.args[1]}
    validation = {"no_fail_to_pass", "flaky", "fails_after_fix", "environment_broken", "timed_out"}
    assert covered == {reason.value for reason in DropReason} - validation


# --- reverts ------------------------------------------------------------------------------


def back(commit: str, title: str = "Fix") -> str:
    return f'Revert "{title}"\n\nThis reverts commit {commit}.\n'


@pytest.mark.parametrize("length", [40, 12, 7])
def test_a_revert_and_what_it_takes_back(repo: Repo, length: int) -> None:
    fix = repo.commit("Fix", {**FIX})
    revert = repo.commit(back(fix[:length]), {CALC: "a = 1\n", TEST: "assert a\n"})
    again = repo.commit("Fix it better", {**FIX})
    found = endings(repo)
    assert (found[fix], found[revert], found[again]) == ("reverted_later", "revert", "candidate")


def test_a_revert_of_something_unknown(repo: Repo) -> None:
    fix = repo.commit("Fix", {**FIX})
    for name in ("0" * 40, "0123456", "f" * 64):
        repo.commit(back(name), {"x.py": name})
    assert endings(repo)[fix] == "candidate"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Revert to the old rounding", "revert"),
        ("revert: rounding", "revert"),
        ("Reverts are now shown", "candidate"),
        ("Revertible actions", "candidate"),
        ('Merge pull request #5 from me/back\n\nRevert "Fix"\n', "revert"),
        ("Merge pull request #5 from me/revert\n\nKeep the order\n", "candidate"),
    ],
)
def test_reverts_by_their_title(repo: Repo, message: str, expected: str) -> None:
    """Bug: a merged pull request that reverts was a candidate, for its subject is the merge."""
    assert ending(repo, message, {**FIX}) == expected


def test_a_reverted_revert_puts_the_fix_back(repo: Repo) -> None:
    """Bug: the fix was dropped as reverted though it is in the code."""
    fix = repo.commit("Fix", {**FIX})
    revert = repo.commit(back(fix), {CALC: "a = 1\n", TEST: "assert a\n"})
    again = repo.commit(f'Reapply "Fix"\n\nThis reverts commit {revert}.', {**FIX})
    found = endings(repo)
    assert (found[fix], found[revert], found[again]) == ("candidate", "revert", "revert")


def test_a_revert_in_a_merged_branch_counts(repo: Repo) -> None:
    """Bug: only the first parents' messages were read, and a pull request's revert is not there."""
    fix = repo.commit("Fix", {**FIX})
    old: dict[str, File] = {CALC: "a = 1\n", TEST: "assert a\n"}
    side = repo.commit(back(fix), old, parents=(fix,), branch="side")
    merge = repo.commit("Merge pull request #2 from me/x\n\nUndo", old, parents=(fix, side))
    found = endings(repo)
    assert (found[fix], found[merge]) == ("reverted_later", "candidate")


def test_candidates_name_only_what_they_are_of(repo: Repo) -> None:
    """The records of one history: dropped ones first, both kinds newest first."""
    first = repo.commit("One", {**FIX})
    repo.commit("Words", {"README.md": "x\n"})
    second = repo.commit("Two", {CALC: "a = 3\n", TEST: "assert 3\n"})
    records = mined(repo)
    kinds = [type(record) for record in records]
    assert kinds == [Dropped, Dropped, Candidate, Candidate]
    titles = [record.title for record in records]
    assert titles == ["Words", "Start", "Two", "One"]
    assert [c.fix_commit for c in candidates(repo)] == [second, first]
