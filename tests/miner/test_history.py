"""Histories of every shape: merges, odd names, odd dates, odd bytes, odd configurations."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.mining import FIX, candidates, endings, mined
from support.repos import Entry, File, Repo

from core.git import Repository
from core.types import Candidate, Dropped
from miner.history import changes, patches

CALC, TEST = "src/calc.py", "tests/test_calc.py"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {CALC: "".join(f"a{n} = 1\n" for n in range(30)), TEST: "assert a\n"})
    return repo


def tip(repo: Repo) -> str:
    return repo.git("rev-parse", "main").decode().strip()


def test_a_merged_branch_is_one_change_to_the_first_parent(repo: Repo) -> None:
    """Its own commits are not looked at; a direct push and a squash are one change each."""
    base = tip(repo)
    pushed = repo.commit("Pushed", {CALC: "a = 2\n", TEST: "assert 2\n"})
    one = repo.commit("wip", {"src/new.py": "x\n"}, parents=(base,), branch="side")
    two = repo.commit("wip 2", {"tests/test_new.py": "y\n"}, parents=(one,), branch="side")
    both: dict[str, File] = {"src/new.py": "x\n", "tests/test_new.py": "y\n"}
    merge = repo.commit("Merge pull request #3 from a/b\n\nAdd new", both, parents=(pushed, two))
    squash = repo.commit("Squashed (#4)", {CALC: "a = 4\n", TEST: "assert 4\n"})
    found = {c.fix_commit: c for c in candidates(repo)}
    assert list(found) == [pushed, merge, squash]
    assert (found[merge].base_commit, found[merge].title) == (pushed, "Add new")
    assert (found[merge].source_files, found[merge].test_files) == (
        ("src/new.py",),
        ("tests/test_new.py",),
    )
    assert found[squash].title == "Squashed"


def test_a_merge_that_brings_nothing_is_empty(repo: Repo) -> None:
    base = tip(repo)
    side = repo.commit("side", {**FIX}, parents=(base,), branch="side")
    merge = repo.commit("Merge branch 'side'", {}, parents=(base, side))
    assert endings(repo)[merge] == "empty"


def test_an_octopus_is_its_whole_change(repo: Repo) -> None:
    base = tip(repo)
    arms = [
        repo.commit(name, {name: "x\n"}, parents=(base,), branch=f"b{n}")
        for n, name in enumerate(("src/one.py", "tests/test_two.py", "src/three.py"))
    ]
    files: dict[str, File] = dict.fromkeys(("src/one.py", "tests/test_two.py"), "x\n")
    merge = repo.commit("Merge branches", {**files, "src/three.py": "x\n"}, parents=(base, *arms))
    (found,) = candidates(repo)
    assert found.fix_commit == merge
    assert found.source_files == ("src/one.py", "src/three.py")


def test_oldest_first_is_by_descent_and_not_by_clock(repo: Repo) -> None:
    for title, seconds in (("one", 9), ("two", 1_900_000_000), ("three", 5)):
        date = f"{seconds} +0000"
        repo.commit(title, {CALC: f"{title}\n", TEST: f"{title}\n"}, date=date)
    assert [c.title for c in candidates(repo)] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("1700000000 +0530", "2023-11-15T03:43:20+05:30"),
        ("1700000000 -1200", "2023-11-14T10:13:20-12:00"),
        ("1700000000 +9999", "2023-11-14T22:13:20+00:00"),
        ("1700000000 -7530", "2023-11-14T22:13:20+00:00"),
        ("1700000000 +051800", "2023-11-14T22:13:20+00:00"),
        ("253402300800 +0000", "1970-01-01T00:00:00+00:00"),
        ("99999999999999999 +0000", "1970-01-01T00:00:00+00:00"),
        ("0 +0000", "1970-01-01T00:00:00+00:00"),
        ("-5 +0000", "1970-01-01T00:00:00+00:00"),
    ],
)
def test_any_date_a_commit_can_have(repo: Repo, raw: str, expected: str) -> None:
    """Bug: an impossible zone or year ended the mining with a ValueError."""
    repo.commit("Fix", {**FIX}, date=raw)
    (found,) = candidates(repo)
    assert abs(found.committed_at - datetime.fromisoformat(expected)) < timedelta(minutes=1)
    assert found.committed_at.tzinfo is not None
    assert Candidate.model_validate_json(found.model_dump_json()) == found


def test_separators_in_names_do_not_shift_the_fields(repo: Repo) -> None:
    """Bug: an author called `A<0x1f>B` put the e-mail address into the message."""
    repo.commit("Sub\x1fject\x1e.\n\nbody\x1f.", {**FIX}, author="A\x1fB\x1e <a\x1fb@example.org>")
    change = next(changes(Repository(repo.path)))
    assert (change.author, change.email) == ("A\x1fB\x1e", "a\x1fb@example.org")
    assert change.subject == "Sub\x1fject\x1e."
    assert change.message.strip() == "Sub\x1fject\x1e.\n\nbody\x1f."
    assert change.paths == (CALC, TEST)


def test_bytes_that_are_no_utf_8_are_replaced(repo: Repo) -> None:
    repo.commit(b"Fix \xe9\xe8 rounding", {**FIX}, author=b"Andr\xe9 <a@example.org>")
    (found,) = candidates(repo)
    assert found.title == "Fix \ufffd\ufffd rounding"
    assert next(changes(Repository(repo.path))).author == "Andr\ufffd"


@pytest.mark.parametrize(
    "name",
    [
        'quo"te.py',
        "sp ace.py",
        "new\nline.py",
        "tab\t.py",
        "größe.py",
        "back\\n.py",
        "-x.py",
    ],
)
def test_bad_file_names(repo: Repo, name: str) -> None:
    files: dict[str, File] = {f"src/{name}": "x\n", f"tests/test_{name}": "y\n", name: "z\n"}
    repo.commit("Fix", files)
    (found,) = candidates(repo)
    assert found.source_files == tuple(sorted((name, f"src/{name}")))
    assert found.test_files == (f"tests/test_{name}",)


def test_a_name_that_is_no_utf_8_is_not_text(repo: Repo) -> None:
    commit = repo.commit("Fix", {**FIX, os.fsdecode(b"src/\xff.py"): "x\n"})
    assert endings(repo)[commit] == "not_text"


def test_moves_to_submodules_are_no_part_of_a_change(repo: Repo) -> None:
    """Bug: they were in the test patch, and no image has submodules to apply it to."""
    one, two = Entry("160000", b"a" * 40), Entry("160000", b"b" * 40)
    repo.commit("Add", {"tests/suite": one})
    commit = repo.commit("Move", {"tests/suite": two, **FIX})
    only = repo.commit("Move alone", {"tests/suite": one, "src/calc.py": "a\n"})
    found = {c.fix_commit: c for c in candidates(repo)}
    assert found[commit].test_files == (TEST,)
    assert "suite" not in found[commit].test_patch
    assert endings(repo)[only] == "no_tests"


def test_a_shallow_clone_ends_where_it_was_cut(tmp_path: Path, repo: Repo) -> None:
    repo.commit("Older", {**FIX})
    repo.commit("Newer", {CALC: "a = 3\n", TEST: "assert 3\n"})
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"))
    cut = Repo(tmp_path / "shallow")
    first, second = mined(cut)
    assert isinstance(first, Dropped)
    assert (first.title, first.reason) == ("Older", "root_commit")
    assert isinstance(second, Candidate)
    assert second.title == "Newer"


def test_a_missing_blob_costs_one_commit_and_not_the_mining(repo: Repo) -> None:
    """Bug: one damaged object ended the mining of the whole history."""
    broken = repo.commit("Fix", {**FIX})
    blob = repo.git("rev-parse", f"HEAD:{CALC}").decode().strip()
    good = repo.commit("Other", {"src/x.py": "x\n", "tests/test_x.py": "assert x\n"})
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    found = endings(repo)
    assert (found[broken], found[good]) == ("unreadable", "candidate")


SETTINGS = (
    ("diff.context", "0"),
    ("diff.interHunkContext", "9"),
    ("diff.relative", "true"),
    ("diff.orderFile", "/nonexistent"),
    ("diff.noprefix", "true"),
    ("diff.mnemonicPrefix", "true"),
    ("diff.renames", "copies"),
    ("diff.algorithm", "minimal"),
    ("diff.indentHeuristic", "false"),
    ("diff.suppressBlankEmpty", "true"),
    ("diff.submodule", "log"),
    ("diff.wsErrorHighlight", "all"),
    ("core.quotePath", "true"),
    ("core.abbrev", "4"),
    ("core.excludesFile", "~/ignored"),
    ("core.attributesFile", "~/attributes"),
    ("color.ui", "always"),
    ("log.diffMerges", "combined"),
    ("log.showRoot", "false"),
    ("log.follow", "true"),
    ("log.date", "relative"),
    ("log.decorate", "full"),
    ("format.pretty", "oneline"),
    ("i18n.logOutputEncoding", "UTF-16"),
    ("i18n.commitEncoding", "latin1"),
    ("apply.whitespace", "fix"),
    ("include.path", "~/more"),
)


@pytest.mark.parametrize(("name", "value"), SETTINGS, ids=[name for name, _ in SETTINGS])
def test_a_repositorys_settings_change_nothing(repo: Repo, name: str, value: str) -> None:
    """Bugs: each of context, relative, orderFile, diffMerges, logOutputEncoding and `~/` either
    ended the mining or gave other candidates than on the next machine.
    """
    text = "".join(f"a{n} = {1 + (n in (5, 15))}\n" for n in range(30))
    fix = repo.commit("größe", {CALC: text, TEST: "assert a\n\nassert b\n"})
    side = repo.commit("side", {"src/b ü.py": text}, parents=(fix,), branch="side")
    files: dict[str, File] = {"src/b ü.py": text, TEST: "assert c\n\nassert d\n"}
    repo.commit("Merge branch 'side'", files, parents=(fix, side))
    repo.checkout()
    expected = mined(repo)
    assert [type(record) for record in expected] == [Dropped, Candidate, Candidate]
    repo.git("config", name, value)
    below = Repo.__new__(Repo)
    below.path = repo.path / "src"
    assert mined(below) == expected


def test_no_commits_no_patches(repo: Repo) -> None:
    assert list(patches(Repository(repo.path), [])) == []


def test_patches_come_in_the_order_asked_for(repo: Repo) -> None:
    commits = [repo.commit(str(n), {CALC: f"{n}\n"}) for n in range(4)]
    wanted = [commits[2], commits[0], commits[3], commits[1]]
    found = list(patches(Repository(repo.path), wanted))
    assert [commit for commit, _ in found] == wanted
    for commit, patch in found:
        expected = repo.git("diff", "--binary", "--full-index", f"{commit}^", commit)
        assert patch == expected


def test_dates_are_those_of_the_commit(repo: Repo) -> None:
    repo.commit("Fix", {**FIX}, date="1750000000 +0200")
    (found,) = candidates(repo)
    assert found.committed_at == datetime.fromtimestamp(1_750_000_000, UTC)
    assert found.committed_at.utcoffset() == timedelta(hours=2)


def test_a_merge_without_words_is_told_by_what_it_brought(repo: Repo) -> None:
    """Bug: the statement of `Merge branch 'x'` was that line, and its `Fixes #7` was not seen."""
    base = tip(repo)
    one = repo.commit("Round halves up", {"src/new.py": "x\n"}, parents=(base,), branch="side")
    two = repo.commit(
        "Test it\n\nFixes #7", {"tests/test_new.py": "y\n"}, parents=(one,), branch="side"
    )
    both: dict[str, File] = {"src/new.py": "x\n", "tests/test_new.py": "y\n"}
    repo.commit("Merge branch 'side'", both, parents=(base, two))
    (found,) = candidates(repo)
    assert found.title == "Round halves up"
    assert found.statement == "Round halves up\n\nTest it"
    assert found.issue == 7
    assert found.links[0].rule == "closing keyword in a merged commit's message"
