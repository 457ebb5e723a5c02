"""`--batch` from the command line, against a server whose batches end when we say so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from itertools import islice
from pathlib import Path

import pytest
from rich.console import Console
from support.calc_repo import CALC, CalcRepo
from support.fake_anthropic_batch import FakeAnthropicBatch
from support.sample import EXCHANGES, ISSUES, sample
from support.tasks import FIX, make_task

from core.redact import NOTHING
from core.store import RunFolder
from core.types import Stop, Task
from patchmark.batches import pauses
from patchmark.cli import main
from patchmark.progress import Show
from patchmark.run import opened
from patchmark.settings import Flags, make
from patchmark.solving import solve_stage

OPUS = "anthropic:claude-opus-4-8+repair=off"
TASK = "eb6941e4e6e6"


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder with one task, as mining left it, and as if it had been proven."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    where = ["--repo", str(sample(tmp_path)), "--out", str(tmp_path / "out")]
    assert main(["mine", *where, "--issues", str(ISSUES)]) == 0
    lines = (tmp_path / "out" / "candidates.jsonl").read_text().splitlines()
    mined = next(found for line in lines if (found := json.loads(line))["id"] == TASK)
    proven = json.loads(make_task().model_dump_json()) | mined
    (tmp_path / "out" / "tasks.jsonl").write_text(json.dumps(proven) + "\n")
    return tmp_path / "out"


def test_looks_grow_rare_but_never_stop() -> None:
    some = list(islice(pauses(), 30))
    assert some[:3] == [5.0, 7.5, 11.25]
    assert some[-1] == 300.0
    assert some == sorted(some)


def test_a_run_ends_while_a_batch_is_under_way_and_goes_on_later(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeAnthropicBatch() as server:
        recorded = json.loads((EXCHANGES / "careful" / f"{TASK}.1.1.json").read_text())
        server.ways.text = recorded["text"]

        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret-1")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)

        def run(command: str, *more: str, code: int) -> str:
            """What the command prints; in this process, to load the libraries once."""
            capsys.readouterr()
            assert main([command, "--out", str(out), "--models", OPUS, "--json", *more]) == code
            printed = capsys.readouterr()
            return printed.err + printed.out

        assert "1 answer is awaited" in run("solve", "--batch", "--batch-wait", "0", code=4)
        report = run("report", "--fail-under", "0.1", code=4)
        assert "1 answer is awaited from batches" in report
        # What is awaited is not paid for again by a run that says nothing of batches.
        run("solve", code=4)
        server.ways.one_more_look = True
        run("solve", "--batch", "--batch-wait", "0.03", code=0)
        report = run("report", code=0)
    (row,) = json.loads(report[report.index("{") :])["entrants"]
    assert (row["batched"], row["seconds_p50"], Decimal(row["cost_usd"])) == (
        True,
        None,
        Decimal("0.0375"),
    )
    assert (len(server.questions), server.direct) == (1, [])
    assert "by batch, at half price" in (out / "report.md").read_text()


class Team:
    """A run folder with one task, in this process."""

    def __init__(self, folder: Path, server: FakeAnthropicBatch):
        self.folder, self.server = folder, server
        candidate = CalcRepo.make(folder / "repo").candidate({"calc.py": f"{CALC}# new\n"})
        proven = make_task().model_dump() | candidate.model_dump()
        with RunFolder(folder / "out", NOTHING) as out:
            out.append(candidate)
            out.append(Task.model_validate(proven))

    def solve(
        self, *, models: str = OPUS, budget: str | None = None
    ) -> tuple[dict[str, Stop], str]:
        """How each entrant's attempt ended, and what was told."""
        flags = Flags(
            repo=self.folder / "repo", out=self.folder / "out", models=models, batch=True,
            batch_wait=0, budget_usd=budget,
        )  # fmt: skip
        environment = {
            "ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": self.server.url,
            "PATCHMARK_SERVER_URL": "http://127.0.0.1:9",
        }  # fmt: skip
        told = Console(file=StringIO(), width=500)
        with opened(make(flags, environment), lambda b: Show(told, lambda: b.spent)) as run:
            solve_stage(run)
            stops = {patch.entrant: patch.stop for patch in run.patches().values()}
        assert isinstance(told.file, StringIO)
        return stops, told.file.getvalue()


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with FakeAnthropicBatch() as server:
        server.ways.text = FIX.replace("src/", "")
        yield Team(tmp_path, server)


def test_what_a_batch_could_not_answer_is_asked_again_by_the_next_run(team: Team) -> None:
    team.server.ways.how = lambda _: "expired"
    stops, told = team.solve()
    assert stops == {}
    assert "1 answer is awaited" in told
    team.server.finish()
    # Its turn did not come: the run that learns of it hands it in again, once.
    assert team.solve()[0] == {}
    assert len(team.server.batches) == 2
    team.server.ways.how = lambda _: "done"
    team.server.finish()
    assert team.solve()[0] == {OPUS: Stop.ANSWERED}
    assert (len(team.server.batches), team.server.direct) == (2, [])


def test_a_batch_that_is_refused_leaves_an_outcome_of_its_own(team: Team) -> None:
    team.server.ways.refuse = 400
    stops, told = team.solve()
    assert stops == {OPUS: Stop.PROVIDER_FAILED}
    assert "a batch was not taken" in told
    assert team.solve()[0] == {OPUS: Stop.PROVIDER_FAILED}  # it stays until there is another
    team.server.finish()
    assert team.solve()[0] == {OPUS: Stop.ANSWERED}
    assert team.server.direct == []


def test_without_money_nothing_is_handed_in_and_nothing_asked_at_once(team: Team) -> None:
    assert team.solve(budget="0.0001")[0] == {OPUS: Stop.OVER_BUDGET}
    assert (team.server.batches, team.server.direct) == ([], [])


def test_who_cannot_be_asked_in_batches_is_asked_at_once_and_named(team: Team) -> None:
    stops, told = team.solve(models=f"reference,{OPUS},server:qwen")
    assert "asked at once and at full price: server:qwen" in told
    assert stops == {"reference": Stop.ANSWERED, "server:qwen": Stop.PROVIDER_FAILED}
    assert len(team.server.questions) == 1
