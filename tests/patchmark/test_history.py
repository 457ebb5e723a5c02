"""`patchmark history`: a folder or an orphan branch that only ever grows."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from support.report_data import START, demo, facts
from support.repos import Repo
from support.run_folders import written

from core.digest import Digest
from core.errors import PatchmarkError
from patchmark.cli import main
from patchmark.shelf import Shelf, shelf
from reports.digest import digest_of
from reports.files import write
from reports.tally import tally

MODEL = "openai:gpt-4o"


def digest(week: int = 0, letters: str = "PPF") -> Digest:
    """A run's numbers."""
    made = digest_of(tally(facts({MODEL: letters})))
    return made.model_copy(update={"made_at": START + timedelta(weeks=week)})


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit."""
    made = Repo(tmp_path / "shop")
    made.commit("Start", {"a.py": "x = 1\n"})
    return made


@pytest.fixture(params=["folder", "branch"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, repo: Repo) -> Shelf:
    """Both kinds of places."""
    where = str(tmp_path / "results") if request.param == "folder" else "branch:results"
    return shelf(where, repo.path)


def test_what_is_added_is_read_oldest_first(kept: Shelf) -> None:
    assert kept.read() == []
    runs = [digest(week, letters) for week, letters in ((2, "PPP"), (0, "PFF"), (1, "PPF"))]
    for one in runs:
        assert kept.add(one)
    assert kept.read() == sorted(runs, key=lambda one: one.made_at)


def test_one_run_is_added_once_however_often_its_report_is_written(kept: Shelf) -> None:
    assert kept.add(digest(0))
    assert not kept.add(digest(1))  # the same numbers at the same commit
    assert len(kept.read()) == 1


def test_the_branch_shares_no_commit_and_touches_no_file(repo: Repo) -> None:
    before = repo.git("status", "--porcelain"), repo.git("rev-parse", "HEAD")
    place = shelf("branch:results", repo.path)
    place.add(digest(0))
    place.add(digest(1, "PPP"))
    assert (repo.git("status", "--porcelain"), repo.git("rev-parse", "HEAD")) == before
    assert repo.git("rev-list", "--count", "results") == b"2\n"
    assert repo.git("rev-list", "--max-parents=0", "results") != repo.git("rev-parse", "HEAD")
    assert len(repo.git("ls-tree", "--name-only", "results").splitlines()) == 2
    assert repo.git("fsck", "--strict") is not None


def test_a_branch_that_was_only_fetched_is_gone_on_with(repo: Repo, tmp_path: Path) -> None:
    """A workflow's checkout has origin's branch and none of its own: it began a second history."""
    shelf("branch:results", repo.path).add(digest(0))
    clone = tmp_path / "clone"
    repo.git("clone", "-q", str(repo.path), str(clone))
    there = shelf("branch:results", clone)
    assert len(there.read()) == 1
    assert there.add(digest(1, "PPP"))
    assert len(there.read()) == 2


def test_two_that_add_at_once_both_stay(repo: Repo) -> None:
    runs = [digest(week, letters) for week, letters in enumerate(("PPP", "PPF", "PFF"))]
    with ThreadPoolExecutor(3) as pool:
        added = list(pool.map(lambda one: shelf("branch:results", repo.path).add(one), runs))
    assert added == [True] * 3
    assert len(shelf("branch:results", repo.path).read()) == 3


def test_what_is_no_digest_is_named(tmp_path: Path, repo: Repo) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "odd.json").write_text('{"head": "x"}', encoding="utf-8")
    with pytest.raises(PatchmarkError, match=r"odd\.json: not the numbers of a run"):
        shelf(str(tmp_path / "results"), repo.path).read()


@pytest.mark.parametrize("name", ["a..b", "a b", ""])
def test_a_name_that_can_be_no_branch_is_refused(repo: Repo, name: str) -> None:
    with pytest.raises(PatchmarkError, match="cannot be a branch"):
        shelf(f"branch:{name}", repo.path)


def test_the_command_adds_and_shows(
    tmp_path: Path, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tally(facts({MODEL: "PPF"})), tmp_path / "run")
    words = [f"--repo={repo.path}", "--in=branch:results"]
    assert main(["history", "add", f"--out={tmp_path / 'run'}", *words]) == 0
    assert main(["history", "add", f"--out={tmp_path / 'run'}", *words]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "branch:results: run added",
        "branch:results: this run is there already",
    ]
    assert main(["history", *words]) == 0
    assert f"\n{MODEL}\n  2026-03-02  4f1c9a2  67 % (2/3)" in capsys.readouterr().out
    assert main(["history", *words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["rows"][0]["name"] == MODEL


def test_a_report_shows_the_history_and_becomes_part_of_it(
    tmp_path: Path, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """Adding was a step of its own that nobody remembered, and no report showed what was before."""
    kept = shelf("branch:results", repo.path)
    one = written(tmp_path / "one", repo, facts({MODEL: "FFF"}))
    two = written(tmp_path / "two", repo, facts({MODEL: "PPF"}))
    for number, folder in enumerate((one, two, two), 1):
        words = ["report", f"--out={folder}", f"--repo={repo.path}", "--history=branch:results"]
        assert main(words) == 0
        assert len(kept.read()) == min(number, 2)
        if number == 1:  # the reports of one moment have no order
            moved = kept.read()[0].model_copy(update={"made_at": START})
            repo.git("branch", "-D", "results")
            kept.add(moved)
    assert "this run is there already" in capsys.readouterr().err
    assert "+2 −0 of 3 (noise)" in (two / "report.md").read_text("utf-8")
    assert "2026-03-02" in (two / "report.html").read_text("utf-8")


def test_a_run_without_models_is_no_history(
    tmp_path: Path, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trying whether tasks are sound left empty entries between the measured ones."""
    one = written(tmp_path / "one", repo, facts({"reference": "PPP", "empty": "FFF"}))
    main(["report", f"--out={one}", f"--repo={repo.path}", "--history=branch:results"])
    assert "not added; a history holds what was measured of models" in capsys.readouterr().err
    assert shelf("branch:results", repo.path).read() == []


def test_invented_answers_are_no_history(
    tmp_path: Path, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tally(demo()), tmp_path / "run")
    assert main(["history", "add", f"--out={tmp_path / 'run'}", f"--repo={repo.path}"]) == 2
    assert "answers of this run are invented" in capsys.readouterr().err
