"""A run split over machines: who takes what, and that the parts are one run again."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.sample import EXCHANGES, ISSUES, MODELS, sample
from support.tasks import make_task

from core.errors import UsageError
from core.redact import NOTHING
from core.store import RunFolder
from core.types import Candidate, Cause, Difficulty, Outcome, Patch, Task, Verdict
from patchmark.cli import main
from patchmark.sampling import in_order
from patchmark.settings import Flags, make
from patchmark.sharding import Shard, parse, share

START = datetime(2020, 1, 1, tzinfo=UTC)
SIZES = (2, 15, 60, 300)


def history(days: int) -> list[Task]:
    """A candidate a day, of all sizes in turn."""
    return [
        make_task(
            day + 1,
            committed_at=START + timedelta(days=day),
            difficulty=Difficulty(files=1, hunks=1, lines=SIZES[day % 4]),
        )
        for day in range(days)
    ]


def ids(candidates: Iterable[Candidate]) -> list[str]:
    return [one.id for one in candidates]


@pytest.mark.parametrize("of", [1, 2, 4, 5, 8])
def test_the_shares_are_the_whole_and_have_nothing_in_common(of: int) -> None:
    every, most = history(200), 40
    shares = [share(every, most, Shard(number, of)) for number in range(1, of + 1)]
    assert sorted(name for one in shares for name in ids(one.candidates)) == sorted(ids(every))
    assert sum(one.most for one in shares) == most
    first = [name for one in shares for name in ids(one.candidates)[: one.most]]
    assert sorted(first) == sorted(ids(in_order(every)[:most]))


def test_shares_are_alike_in_number_size_and_date() -> None:
    every = history(400)
    for number in range(1, 5):
        one = share(every, 100, Shard(number, 4))
        assert 20 <= one.most <= 30
        taken = one.candidates[: one.most]
        assert min(Counter(c.difficulty.lines for c in taken).values()) >= 3
        quarters = Counter((c.committed_at - START).days // 100 for c in taken)
        assert min(quarters[quarter] for quarter in range(4)) >= 3


def test_a_grown_history_leaves_candidates_in_their_shards() -> None:
    """Else the shard that has paid for a task's answers would not be asked for them."""
    before, after = history(60), history(75)
    for number in (1, 2, 3):
        old = ids(share(before, 20, Shard(number, 3)).candidates)
        assert set(old) <= set(ids(share(after, 20, Shard(number, 3)).candidates))


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/3", "1/999"])
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(UsageError, match="is no shard"):
        parse(text)


def test_a_shard_has_its_part_of_the_money_and_a_folder_of_its_own() -> None:
    flags = Flags(shard="2/3", budget_usd="1")
    settings = make(flags, {})
    assert settings.budget_usd == Decimal("0.333333")
    assert settings.out == Path("patchmark-run-2-of-3")
    with pytest.raises(UsageError, match="no run of a history"):
        make(Flags(shard="2/3", history="kept"), {})


class Split:
    """The sample repository, mined once; proofs and verdicts are written as they would be."""

    def __init__(self, folder: Path):
        self.folder, self.repo = folder, sample(folder)
        self.mined = folder / "mined"
        words = ["--repo", str(self.repo), "--out", str(self.mined), "--issues", str(ISSUES)]
        assert main(["plan", "--shards", "3", "--max-tasks", "6", "--json", *words]) == 0
        with RunFolder(self.mined, NOTHING) as mined:
            self.candidates = [*mined.read(Candidate)]

    def run(self, name: str, shard: Shard | None, unproven: str = "") -> Path:
        """A finished run, of one shard or of all, that proved a task more than it needed."""
        out, part = self.folder / name, share(self.candidates, 6, shard)
        shutil.copytree(self.mined, out)
        proven = [one for one in part.candidates if one.id != unproven]
        with RunFolder(out, NOTHING) as folder:
            for one in proven[: part.most + 1]:
                folder.append(Task.model_validate(make_task().model_dump() | one.model_dump()))
        words = ["--out", str(out), "--models", MODELS, "--replay", str(EXCHANGES)]
        more = ["--shard", str(shard)] if shard else []
        assert main(["solve", *words, "--max-tasks", "6", *more]) == 0
        with RunFolder(out, NOTHING) as folder:
            for patch in [*folder.read(Patch)]:
                folder.append(verdict(patch))
        assert main(["report", "--out", str(out), "--fail-under", "0.9"]) == (0 if shard else 1)
        return out

    def shards(self, unproven: str = "") -> list[Path]:
        return [self.run(f"shard-{n}", Shard(n, 3), unproven) for n in (1, 2, 3)]

    def merge(self, *words: str | Path, code: int = 0) -> dict[str, Any]:
        out = self.folder / "all"
        assert main(["merge", *map(str, words), "--out", str(out)]) == code
        return report(out)


def verdict(patch: Patch) -> Verdict:
    """Any, but the same wherever it is given."""
    passed = patch.entrant == "reference" or (
        patch.entrant == "replay:careful" and int(patch.task_id, 16) % 3 > 0
    )
    outcome, cause = (Outcome.PASSED, None) if passed else (Outcome.FAILED, Cause.MODEL)
    return Verdict(
        task_id=patch.task_id, entrant=patch.entrant, attempt=1, key="k", outcome=outcome,
        cause=cause,
    )  # fmt: skip


def report(out: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return read


@pytest.fixture
def split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Split:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Split(tmp_path)


def test_merged_shards_are_the_report_of_one_run(
    split: Split, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = report(split.run("whole", None))
    assert len(whole["tasks"]) == 6
    shards = split.shards()
    said = report(shards[1])
    assert said["partial"][0].startswith("This is shard 2 of 3, at most 4 tasks of 6: no gate")
    assert said["gates"] == []
    capsys.readouterr()
    merged = split.merge(*shards, "--fail-under", "0.9", code=1)
    assert whole.pop("made_at") <= merged.pop("made_at")
    assert merged == whole


def test_what_a_shard_proved_beyond_its_share_takes_nobodys_place(split: Split) -> None:
    """A candidate that does not prove is made up for by its own shard, and by no other."""
    ordered = ids(in_order(split.candidates))
    shards = split.shards(unproven=ordered[0])
    used = {task["id"] for shard in shards for task in report(shard)["tasks"]}
    merged = split.merge(*shards)
    assert {task["id"] for task in merged["tasks"]} == used
    assert len(used) == 6
    assert not used <= set(ordered[:7])
    assert not any(c["outcome"] == "cancelled" for task in merged["tasks"] for c in task["cells"])


def test_a_lost_shard_is_named_and_in_no_number(split: Split) -> None:
    shards = split.shards()
    shutil.rmtree(shards[2])
    merged = split.merge(*shards, "--expect", "3", code=3)
    assert merged["partial"] == ["Shard 3 of 3 is missing: its tasks are in no number."]
    assert "Shard 3 of 3 is missing" in (split.folder / "all" / "report.md").read_text()
    assert len(merged["tasks"]) == sum(len(report(shard)["tasks"]) for shard in shards[:2])
    shutil.rmtree(split.folder / "all")
    shards[2].mkdir()
    split.merge(*shards, "--expect", "3", "--allow-missing")
    shutil.rmtree(split.folder / "all")
    assert main(["merge", *map(str, shards), "--out", str(split.folder / "all")]) == 2
    split.merge(*shards[:2], code=3)


def test_shards_of_two_splits_are_refused(split: Split, capsys: pytest.CaptureFixture[str]) -> None:
    one, whole = split.run("one", Shard(1, 3)), split.run("whole", None)
    out = ["--out", str(split.folder / "all")]
    for words in (
        [str(one), str(whole)],
        [str(one), "--expect", "4"],
        [str(whole), "--expect", "1"],
    ):
        assert main(["merge", *words, *out]) == 2
        assert "merged without anything else" in capsys.readouterr().err


def test_the_plan_is_a_matrix(split: Split, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    words = ["plan", "--shards", "2", "--out", str(split.mined), "--repo", str(split.repo)]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "include": [{"shard": 1, "of": 2}, {"shard": 2, "of": 2}]
    }
    assert main([*words, "--max-tasks", "6"]) == 0
    assert capsys.readouterr().out == (
        "1/2: at most 4 tasks of 11 candidates\n2/2: at most 2 tasks of 9 candidates\n"
    )
