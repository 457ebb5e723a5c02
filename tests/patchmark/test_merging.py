"""`patchmark merge`: shards and weeks become one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.report_data import facts, task
from support.repos import Repo
from support.run_folders import written

from core.errors import PatchmarkError
from core.types import Patch
from patchmark.cli import main
from patchmark.merging import join
from reports.tally import Facts

MODEL, OTHER = "openai:gpt-4o", "google:gemini-3.5-flash"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Any repository: the records name commits that it need not have."""
    made = Repo(tmp_path / "shop")
    made.commit("Start", {"a.py": "x = 1\n"})
    return made


def run(
    results: dict[str, str], first: int = 0, adjust: Callable[[Patch], Patch] | None = None
) -> Facts:
    """A run over the tasks from `first` on."""
    count = len(next(iter(results.values())))
    tasks = [task(number) for number in range(first, first + count)]
    return replace(facts(results, tasks=tasks, adjust=adjust), dropped=())


def merged(tmp_path: Path, *runs: Path) -> dict[str, Any]:
    """The report of the merged folder."""
    code = main(["merge", *map(str, runs), f"--out={tmp_path / 'all'}"])
    assert code == 0
    report: dict[str, Any] = json.loads((tmp_path / "all" / "report.json").read_text("utf-8"))
    return report


def rows(report: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Passed, scored and asked by entrant."""
    return {row["name"]: (row["passed"], row["scored"], row["tasks"]) for row in report["entrants"]}


def test_shards_by_task_are_one_comparison(tmp_path: Path, repo: Repo) -> None:
    one = written(tmp_path / "one", repo, run({MODEL: "PPF", OTHER: "PFF"}))
    two = written(tmp_path / "two", repo, run({MODEL: "PF", OTHER: "PP"}, first=3))
    assert rows(merged(tmp_path, one, two)) == {MODEL: (3, 5, 5), OTHER: (3, 5, 5)}


def test_shards_by_model_are_one_comparison(tmp_path: Path, repo: Repo) -> None:
    one = written(tmp_path / "one", repo, run({MODEL: "PPF"}))
    two = written(tmp_path / "two", repo, run({OTHER: "FPF"}))
    report = merged(tmp_path, one, two)
    assert rows(report) == {MODEL: (2, 3, 3), OTHER: (1, 3, 3)}
    assert len(report["tasks"]) == 3


def test_a_shard_that_was_lost_is_shown_as_not_judged(tmp_path: Path, repo: Repo) -> None:
    one = written(tmp_path / "one", repo, run({MODEL: "PPF"}))
    two = written(tmp_path / "two", repo, run({OTHER: "P.."}))
    assert rows(merged(tmp_path, one, two)) == {MODEL: (2, 3, 3), OTHER: (1, 1, 3)}


def _named(answer: Patch) -> Patch:
    name = f"exchanges/{answer.entrant.replace(':', '-')}/{answer.task_id}.1.1.note"
    return answer.model_copy(update={"exchanges": (name,)})


def test_of_one_attempt_the_scored_one_counts_then_the_later(tmp_path: Path, repo: Repo) -> None:
    """An outage in the later week must not hide what the earlier one measured."""
    one = written(tmp_path / "one", repo, run({MODEL: "PPV"}, adjust=_named))
    two = written(tmp_path / "two", repo, run({MODEL: "VFP"}, adjust=_named))
    report = merged(tmp_path, one, two)
    outcomes = {row["title"]: row["cells"][0]["outcome"] for row in report["tasks"]}
    assert list(outcomes.values()) == ["passed", "failed", "passed"]
    kept = sorted((tmp_path / "all/exchanges/openai-gpt-4o").iterdir())
    by_task = {path.name[:12]: path.read_text("utf-8") for path in kept}
    assert [by_task[task(n).id] for n in range(3)] == ['"one"', '"two"', '"two"']


def test_the_folders_stay_as_they_are(tmp_path: Path, repo: Repo) -> None:
    one = written(tmp_path / "one", repo, run({MODEL: "PPF"}))
    before = {path: path.read_bytes() for path in one.iterdir() if path.is_file()}
    merged(tmp_path, one)
    assert {path: path.read_bytes() for path in one.iterdir() if path.is_file()} == before


def _other_key(run: Facts) -> Facts:
    return replace(run, tasks=[one.model_copy(update={"key": "other"}) for one in run.tasks])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(
            lambda two: (two / "run.toml").unlink(), "not a run folder", id="no run folder"
        ),
        pytest.param(lambda two: (two / "exchanges").symlink_to("/etc"), "is a link", id="a link"),
        pytest.param(
            lambda two: (two / "verdicts.jsonl").write_text("{}\n"), "verdicts.jsonl:1", id="a line"
        ),
    ],
)
def test_what_cannot_be_merged_is_named(
    tmp_path: Path, repo: Repo, spoil: Callable[[Path], None], words: str
) -> None:
    one = written(tmp_path / "one", repo, run({MODEL: "PP"}))
    two = written(tmp_path / "two", repo, run({OTHER: "PP"}))
    spoil(two)
    with pytest.raises(PatchmarkError, match=words):
        join([one, two], tmp_path / "all", None)


def test_a_task_that_means_two_things_is_refused(tmp_path: Path, repo: Repo) -> None:
    one = written(tmp_path / "one", repo, run({MODEL: "PP"}))
    two = written(tmp_path / "two", repo, _other_key(run({OTHER: "PP"})))
    with pytest.raises(PatchmarkError, match="was proven in another way than in"):
        join([one, two], tmp_path / "all", None)
    assert not (tmp_path / "all").exists()


def test_runs_of_two_repositories_are_refused(tmp_path: Path, repo: Repo) -> None:
    other = Repo(tmp_path / "other")
    other.commit("Another start", {"b.py": "y = 1\n"})
    one = written(tmp_path / "one", repo, run({MODEL: "PP"}))
    two = written(tmp_path / "two", other, run({MODEL: "PP"}))
    with pytest.raises(PatchmarkError, match="a run of another repository"):
        join([one, two], tmp_path / "all", None)


def test_a_file_is_no_folder_to_merge_into(tmp_path: Path, repo: Repo) -> None:
    """`--out report.json` ended in a traceback."""
    one = written(tmp_path / "one", repo, run({MODEL: "PP"}))
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(PatchmarkError, match="is not empty"):
        join([one], tmp_path / "file", None)


def test_a_folder_in_use_is_not_written_over(tmp_path: Path, repo: Repo) -> None:
    one = written(tmp_path / "one", repo, run({MODEL: "PP"}))
    with pytest.raises(PatchmarkError, match="is not empty"):
        join([one], one, None)
