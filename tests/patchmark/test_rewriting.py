"""Rewriting the statements of a run: what is used, what is kept, what is never lost or mixed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.fake_anthropic import FakeAnthropic
from support.loopback import Asked, Behaviour, in_order
from support.tasks import CALC, FIX, make_task

from core.errors import StoreError, UsageError
from core.redact import NOTHING
from core.store import RunFolder
from core.types import Link, Patch, StatementSource, Stop, Task
from models.budget import Budget
from models.desk import Desk
from models.registry import build, rewriter
from models.spent import spent
from patchmark.rewriting import LEAKS, Gauge, Rewriting, is_about, originals, plain, rewrite_all

ROOT = Path(__file__).parents[2]
OPUS, HAIKU = "anthropic:claude-opus-4-8", "anthropic:claude-haiku-4-5"
TEXT = "add() subtracts\n\n`add(1, 2)` returns -1. It should return 3.\n"
GOOD = Behaviour(text=TEXT, input_tokens=10_000, output_tokens=1_000)
COST = Decimal("0.075")  # 10,000 in at $5 and 1,000 out at $25 a million
GOLD = "diff --git a/src/calc.py b/src/calc.py\n+    return a + b\n+    # the sign\n"


def leak(text: str, gold_patch: str) -> float:
    """Share of the added lines that a text holds; the miner's own is not looked at here."""
    added = [line[1:].strip() for line in gold_patch.split("\n") if line.startswith("+")]
    return sum(line in text for line in added) / len(added)


GAUGE = Gauge(leak=leak, vagueness=lambda text: 1 / len(text), leak_limit=0.4)


@dataclass
class Steps:
    """What was shown while it went on."""

    notes: list[str] = field(default_factory=list)

    def advance(self, note: str = "") -> None:
        self.notes.append(note)

    def note(self, note: str) -> None:
        raise AssertionError(note)


def task_of(number: int = 1, **changes: Any) -> Task:
    return make_task(number, **{"gold_patch": GOLD, **changes})


class Team:
    """A run folder with proven tasks, and a model's API."""

    def __init__(self, path: Path, server: FakeAnthropic, *tasks: Task):
        self.path, self.server, self.budget = path, server, Budget(None)
        with RunFolder(path, NOTHING) as folder:
            for task in tasks:
                folder.append(task)

    def desk(self, **changes: Any) -> Desk:
        fields: dict[str, Any] = {
            "exchanges": self.path / "exchanges",
            "budget": self.budget,
            "redactor": NOTHING,
            "keys": {"anthropic": "k"},
            "base_urls": {"anthropic": self.server.url},
            "timeout_seconds": 20,
        }
        return Desk(**{**fields, **changes})

    def rewrite(self, name: str = OPUS, **changes: Any) -> Rewriting:
        model = rewriter(name, self.desk(**changes))
        with RunFolder(self.path, NOTHING) as folder:
            tasks = list(folder.latest(Task, lambda task: task.id).values())
            before = originals(folder.read(Task))
            return rewrite_all(tasks, before, model, GAUGE, folder.append, Steps())

    def records(self) -> list[Task]:
        return list(RunFolder(self.path, NOTHING).read(Task))

    def now(self) -> Sequence[Task]:
        return list({task.id: task for task in self.records()}.values())


def test_a_statement_is_replaced_measured_and_kept(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        team = Team(tmp_path, server, task_of(leak=0.9, vagueness=0.9))
        found = team.rewrite()
    assert found == Rewriting(rewritten=1, kept={}, cost_usd=COST)
    original, new = team.records()
    text = TEXT.partition("\n")[2].strip()
    assert (new.title, new.statement) == ("add() subtracts", text)
    assert new.statement_source is StatementSource.REWRITTEN
    assert new.original_statement == original.statement
    assert (new.leak, new.vagueness) == (0, 1 / len(f"add() subtracts\n\n{text}"))
    same = Task.model_fields.keys() - {
        "title", "statement", "statement_source", "original_statement", "leak", "vagueness",
    }  # fmt: skip
    assert all(getattr(new, name) == getattr(original, name) for name in same)


def test_a_second_run_asks_nothing_and_writes_nothing(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        team = Team(tmp_path, server, *(task_of(n) for n in range(1, 6)))
        first = team.rewrite()
        records = team.records()
        assert team.rewrite() == first
        assert len(server.asked) == 5
    assert team.records() == records
    assert first.cost_usd == 5 * COST == spent(tmp_path / "exchanges")


def test_what_refused_truncated_and_empty_answers_leave(tmp_path: Path) -> None:
    behaviours = {
        "task-001": Behaviour(text="I cannot", finish="refusal"),
        "task-002": Behaviour(text=TEXT, finish="max_tokens"),
        "task-003": Behaviour(text=""),
        "task-004": Behaviour(text="UNCLEAR"),
        "task-005": Behaviour(kind="error", status=529),
        "task-006": GOOD,
    }

    def plan(asked: Asked, _: int) -> Behaviour:
        return next(found for name, found in behaviours.items() if name in asked.text)

    with FakeAnthropic(plan) as server:
        team = Team(tmp_path, server, *(task_of(n) for n in range(1, 7)))
        found = team.rewrite()
        before = len(server.asked)
        team.rewrite()
        assert len(server.asked) == before + 4, "only the failed request is made again"
    stops = (Stop.REFUSED, Stop.TRUNCATED, Stop.EMPTY, Stop.UNREADABLE, Stop.PROVIDER_FAILED)
    assert found.kept == {f"{n:012x}": stop.value for n, stop in enumerate(stops, 1)}
    assert found.summary == (
        "1 of 6 statements rewritten, 5 left as they were "
        "(empty 1, provider failed 1, refused 1, truncated 1, unreadable 1)"
    )
    assert len(team.records()) == 7
    assert found.cost_usd is not None
    assert found.cost_usd > COST


@pytest.mark.parametrize(
    ("original", "answer", "used"),
    [
        ("It is wrong.", "T\n\nIt must say return a + b", False),
        ("Use return a + b", "T\n\nIt must say return a + b", True),
        ("Use return a + b", "T\n\nIt must say return a + b # the sign", False),
        ("return a + b # the sign", "T\n\nIt must say return a + b", True),
        ("It is wrong.", "T\n\nIt subtracts.", True),
    ],
)
def test_a_text_that_gives_more_away_is_paid_for_and_not_used(
    tmp_path: Path, original: str, answer: str, used: bool
) -> None:
    with FakeAnthropic(in_order(Behaviour(text=answer))) as server:
        team = Team(tmp_path, server, task_of(statement=original))
        found = team.rewrite()
    assert found.rewritten == used
    assert found.kept == ({} if used else {task_of().id: LEAKS})
    assert found.cost_usd is not None
    assert found.cost_usd > 0
    assert len(team.records()) == 1 + used


def test_a_run_killed_between_answer_and_record_pays_once(tmp_path: Path) -> None:
    """The worst moment: the model has answered and been paid, the task is not yet written."""
    script = (
        "import os, sys\n"
        f"sys.path[:0] = {[str(ROOT), str(ROOT / 'tests')]!r}\n"
        "from pathlib import Path\n"
        "from patchmark import rewriting\n"
        "from support.fake_anthropic import FakeAnthropic\n"
        "import test_rewriting as here\n"
        "class Server: url = sys.argv[2]\n"
        "here.RunFolder.append = lambda *_: os._exit(9)\n"
        "here.Team(Path(sys.argv[1]), Server()).rewrite()\n"
    )
    with FakeAnthropic(in_order(GOOD)) as server:
        team = Team(tmp_path, server, task_of())
        killed = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), server.url],
            env={"PYTHONPATH": str(Path(__file__).parent)},
        )
        assert killed.returncode == 9
        assert (len(server.asked), len(team.records())) == (1, 1)
        assert team.rewrite() == Rewriting(rewritten=1, kept={}, cost_usd=COST)
        assert len(server.asked) == 1
    assert len(team.records()) == 2
    assert spent(tmp_path / "exchanges") == COST


def test_a_full_disk_loses_no_answer(tmp_path: Path) -> None:
    def full(_: Task) -> None:
        raise StoreError("disk full")

    with FakeAnthropic(in_order(GOOD)) as server:
        team = Team(tmp_path, server, task_of())
        model, records = rewriter(OPUS, team.desk()), team.records()
        with pytest.raises(StoreError, match="disk full"):
            rewrite_all(records, originals(records), model, GAUGE, full, Steps())
        team.rewrite()
        assert len(server.asked) == 1
    assert len(team.records()) == 2


def test_the_cap_keeps_the_originals_and_more_money_goes_on(tmp_path: Path) -> None:
    """One question may cost 0.40 $ and a bit: 0.50 $ pays for two, at 0.075 $ each."""
    with FakeAnthropic(in_order(GOOD)) as server:
        team = Team(tmp_path, server, *(task_of(n) for n in range(1, 6)))
        team.budget = Budget(Decimal("0.50"))
        found = team.rewrite()
        assert (found.rewritten, set(found.kept.values())) == (2, {Stop.OVER_BUDGET.value})
        assert found.cost_usd == team.budget.spent == 2 * COST
        team.budget = Budget(Decimal(20), spent(tmp_path / "exchanges"))
        assert team.rewrite().rewritten == 5
        assert len(server.asked) == 5


def test_a_rejected_key_stops_the_stage(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(Behaviour(kind="error", status=401))) as server:
        team = Team(tmp_path, server, task_of())
        with pytest.raises(UsageError, match="ANTHROPIC_API_KEY"):
            team.rewrite()


def test_models_do_not_build_on_each_other_and_all_can_be_gone_back_to(tmp_path: Path) -> None:
    def plan(asked: Asked, _: int) -> Behaviour:
        return Behaviour(text=f"By {asked.body['model']}\n\nIt subtracts.")

    with FakeAnthropic(plan) as server:
        task = task_of(links=(Link(issue=3, rule="r"),), leak=0.5)
        team = Team(tmp_path, server, task)
        titles = []
        for name in (OPUS, HAIKU, OPUS):
            team.rewrite(name)
            titles.append(team.now()[0].title)
        assert len(server.asked) == 2
        assert all("By claude" not in asked.text for asked in server.asked)
    assert titles == ["By claude-opus-4-8", "By claude-haiku-4-5", "By claude-opus-4-8"]
    assert originals(team.records()) == {task.id: task}


def test_a_rewriting_that_no_longer_holds_gives_way_to_the_original(tmp_path: Path) -> None:
    """The second model refuses: the first one's words must not stand in its place."""
    with FakeAnthropic(in_order(GOOD, Behaviour(finish="refusal"))) as server:
        team = Team(tmp_path, server, task_of())
        team.rewrite(OPUS)
        assert team.rewrite(HAIKU).kept == {task_of().id: Stop.REFUSED.value}
    assert team.now() == [task_of()]


def test_a_task_proven_anew_keeps_its_rewriting_and_takes_the_new_image(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        team = Team(tmp_path, server, task_of())
        team.rewrite()
        with RunFolder(tmp_path, NOTHING) as folder:
            folder.append(task_of(image="sha256:" + "1" * 64))
        team.rewrite()
        assert len(server.asked) == 1
    assert team.now()[0].title == "add() subtracts"
    assert team.now()[0].image == "sha256:" + "1" * 64


def test_a_lone_rewritten_record_still_gives_its_text_back() -> None:
    words = "add() is wrong\n\nIt returns -1."
    source = StatementSource.REWRITTEN
    task = task_of(title="T", statement="new", statement_source=source, original_statement=words)
    assert originals([task]) == {task.id: plain(task)}
    assert (plain(task).title, plain(task).statement) == ("add() is wrong", words)
    assert plain(task).statement_source is StatementSource.COMMIT_MESSAGE
    assert plain(plain(task)) == plain(task)


def test_a_replay_rewrites_alike_and_says_what_was_written_by_hand(tmp_path: Path) -> None:
    with FakeAnthropic(in_order(GOOD)) as server:
        team = Team(tmp_path / "old", server, task_of())
        paid = team.rewrite()
        again = Team(tmp_path / "new", server, task_of())
        offline: dict[str, Any] = {"keys": {}, "replay": tmp_path / "old"}
        assert again.rewrite(**offline) == paid
        assert len(server.asked) == 1
    assert again.records() == team.records()
    recording = next((tmp_path / "old").rglob("*.1.1.json"))
    recording.write_text(recording.read_text().replace('"fiction": null', '"fiction": "hand"'))
    third = Team(tmp_path / "third", server, task_of())
    assert third.rewrite(**offline).fiction == "hand"


def test_an_attempt_at_another_statement_is_told_from_one_at_this(tmp_path: Path) -> None:
    """The model's answers to both statements are kept, and each comes back without a bill."""

    def plan(asked: Asked, _: int) -> Behaviour:
        return GOOD if "Rewrite the material" in asked.text else Behaviour(text=FIX)

    exchanges = tmp_path / "exchanges"
    with FakeAnthropic(plan) as server:
        team = Team(tmp_path, server, task_of())
        entrant = build(OPUS, team.desk())

        def solved(task: Task) -> Patch:
            return entrant.solve(task, CALC, 1)

        old = task_of()
        patch = solved(old)
        team.rewrite()
        new = team.now()[0]
        assert is_about(patch, old, exchanges)
        assert not is_about(patch, new, exchanges)
        again = solved(new)
        assert is_about(again, new, exchanges)
        assert not is_about(again, old, exchanges)
        assert len(server.asked) == 3
        assert solved(old) == patch
        assert len(server.asked) == 3
    assert is_about(build("reference", team.desk()).solve(old, CALC, 1), new, exchanges)
    assert is_about(patch.model_copy(update={"replayed": True}), new, exchanges)
