"""`patchmark history`: a folder or an orphan branch that only ever grows."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone
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
def kept(request: pytest.FixtureRequest, tmp_path: Path, repo: Repo) -> Shelf[Digest]:
    """Both kinds of places."""
    where = str(tmp_path / "results") if request.param == "folder" else "branch:results"
    return shelf(where, repo.path)


def test_what_is_added_is_read_oldest_first(kept: Shelf[Digest]) -> None:
    assert kept.read() == []
    runs = [digest(week, letters) for week, letters in ((2, "PPP"), (0, "PFF"), (1, "PPF"))]
    for one in runs:
        assert kept.add(one)
    assert kept.read() == sorted(runs, key=lambda one: one.made_at)


def test_one_run_is_added_once_however_often_its_report_is_written(kept: Shelf[Digest]) -> None:
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


def test_a_branch_that_fell_behind_what_was_fetched_is_caught_up(
    repo: Repo, tmp_path: Path
) -> None:
    """A run was added to last month's branch: newer ones were not shown, no push was taken."""
    shelf("branch:results", repo.path).add(digest(0))
    clone = tmp_path / "clone"
    repo.git("clone", "-q", str(repo.path), str(clone))
    there = shelf("branch:results", clone)
    assert there.add(digest(1, "PPP"))
    shelf("branch:results", repo.path).add(digest(2, "PFF"))
    repo.git("-C", str(clone), "fetch", "-q")
    assert [one.rows[0].passed for one in there.read()] == [2, 3]  # both went on: nothing is lost
    repo.git("-C", str(clone), "update-ref", "refs/heads/results", "refs/remotes/origin/results~1")
    assert [one.rows[0].passed for one in there.read()] == [2, 1]
    assert there.add(digest(3, "FFF"))
    assert [one.rows[0].passed for one in there.read()] == [2, 1, 0]


def test_the_folder_goes_on_after_a_run_that_was_killed(tmp_path: Path) -> None:
    """A half-written file of the same run stopped every later try to add it."""
    place = shelf(str(tmp_path), tmp_path)
    assert place.add(digest(0))
    (written,) = tmp_path.glob("*.json")
    written.rename(written.with_suffix(".new"))
    assert place.add(digest(0))
    assert len(place.read()) == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.json").mkdir()
    with pytest.raises(PatchmarkError, match=r"odd\.json: cannot be read"):
        shelf(str(tmp_path), tmp_path).read()


def test_files_are_in_the_order_of_time_whatever_the_zone(kept: Shelf[Digest]) -> None:
    """A moment an hour later in another zone was named, and so read, as the earlier one."""
    early = digest(0).model_copy(update={"made_at": START})
    zone = timezone(-timedelta(hours=5))
    late = digest(0, "PPP").model_copy(
        update={"made_at": (START + timedelta(hours=1)).astimezone(zone)}
    )
    assert kept.add(late)
    assert kept.add(early)
    assert [one.rows[0].passed for one in kept.read()] == [2, 3]


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
    """Trying whether tasks are sound left empty entries between the measured ones.

    So did adding such a run by hand, or one whose tasks are broken.
    """
    one = written(tmp_path / "one", repo, facts({"reference": "PPP", "empty": "FFF"}))
    main(["report", f"--out={one}", f"--repo={repo.path}", "--history=branch:results"])
    assert "branch:results: not added; no model was scored" in capsys.readouterr().err
    write(tally(facts({"reference": "PPP"})), tmp_path / "two")
    write(tally(facts({"reference": "PPF", MODEL: "PPP"})), tmp_path / "three")
    for name, why in (("two", "no model was scored"), ("three", "tasks of this run are broken")):
        words = ["history", "add", f"--out={tmp_path / name}", "--in=branch:results"]
        assert main([*words, f"--repo={repo.path}"]) == 2
        assert why in capsys.readouterr().err
    assert shelf("branch:results", repo.path).read() == []


def test_a_run_whose_time_was_up_is_no_history_yet(
    tmp_path: Path, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it lacks comes with the next run, which would stand beside it as a run of its own."""
    one = written(tmp_path / "one", repo, facts({"openai:gpt-4o": "PF."}))
    (one / "partial.json").write_text('{"minutes": 5}')
    words = ["report", f"--out={one}", f"--repo={repo.path}", "--history=branch:results"]
    main(words)
    printed = capsys.readouterr()
    assert "The time limit of 5 minutes was reached before all was done: 1 attempt" in printed.out
    assert "not added" in printed.err
    (one / "partial.json").unlink()
    main(words)
    assert "not added" not in capsys.readouterr().err


def test_invented_answers_are_no_history(
    tmp_path: Path, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tally(demo()), tmp_path / "run")
    assert main(["history", "add", f"--out={tmp_path / 'run'}", f"--repo={repo.path}"]) == 2
    assert "answers of this run are invented" in capsys.readouterr().err
