"""What a report shows of the run folder's exchanges: whole where short, cut and counted else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.calc_repo import CALC, CalcRepo

from core.redact import NOTHING
from core.store import RunFolder
from core.types import Environment, Outcome, Patch, Stop, Task, Usage, Verdict
from models.dialog import Call, Result, Turn
from models.exchange import Exchange, Failure, Slot, Waited
from models.exchange_store import ExchangeStore
from models.provider import Request
from patchmark.pipeline import finish
from patchmark.progress import Show
from patchmark.run import opened
from patchmark.settings import Flags, make
from patchmark.trail import cut, trail_of
from reports.trail import AttemptTrail, Trail

OPUS = "anthropic:claude-opus-4-8"
SECRET = "sk-ant-secret-0123456789"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SHELL = Call(id="1", name="shell", arguments={"command": "ls src"})


class Folder:
    """A run folder with one task and one model's patch; its exchanges are a test's own."""

    def __init__(self, path: Path):
        self.path = path
        repo = CalcRepo.make(path / "repo")
        candidate = repo.candidate({"calc.py": CALC.replace("a - b", "a + b", 1)})
        self.task = Task(
            **dict(candidate), fail_to_pass=("t::one", "t::two"), pass_to_pass=("t::three",),
            image="sha256:0", test_command="pytest", results="lines", key="k",
            environment=Environment(recipe="files", toolchain="Python", cpus=1.0),
        )  # fmt: skip
        self.store = ExchangeStore(path / "out/exchanges", NOTHING)
        self.names: list[str] = []
        self._now = START
        self.candidate = candidate

    def ask(self, turn: int, text: str, *, turns: tuple[Turn, ...] = (), **more: Any) -> None:
        """One answer after ten seconds, five of them a command's or somebody's wait."""
        slot = Slot(OPUS, self.task.id, 1, turn)
        request = Request(
            provider="anthropic", model="m", system="s", user="Mend add().", turns=turns,
            max_output_tokens=9,
        )  # fmt: skip
        sent = self.store.begin(slot, request, "key", self._now, Waited(queued=2.0))
        kept = sent.model_dump(exclude={"number", "sent_at", "request"})
        values = {
            "fiction": None, "served_model": "m", "text": text, "finish": "stop",
            "usage": Usage(input_tokens=700, output_tokens=30), "first_token_seconds": 1.0,
            "seconds": 5.0, "cost_usd": Decimal("0.02"), "request": sent.request,
        }  # fmt: skip
        self._now += timedelta(seconds=10)
        self.store.keep_answer(slot, Exchange(**kept, **values | more, recorded_at=self._now))
        self.names.append(f"exchanges/{slot.folder}/{slot.stem}.json")

    def fail(self, error: str) -> None:
        """One request that brought nothing."""
        slot = Slot(OPUS, self.task.id, 1, 1)
        request = Request(
            provider="anthropic", model="m", system="s", user="u", max_output_tokens=9
        )
        sent = self.store.begin(slot, request, "key", self._now, Waited())
        failure = Failure(
            **sent.model_dump(exclude={"request", "sent_at"}), served_model=None, error=error,
            text="half an ans", usage=None, cost_usd=None, seconds=3.0, recorded_at=self._now,
        )  # fmt: skip
        self.store.keep_failure(slot, failure)
        self.names.append(f"exchanges/{slot.folder}/{slot.stem}.failed-1.json")

    def trail(self, *more: str) -> Trail:
        """As the report is given it, and as it is written."""
        patch = Patch(
            task_id=self.task.id, entrant=OPUS, attempt=1, diff=self.task.gold_patch,
            stop=Stop.ANSWERED, cost_usd=Decimal("0.02"), usage=None, seconds=5.0,
            exchanges=(*self.names, *more),
        )  # fmt: skip
        verdict = Verdict(
            task_id=self.task.id, entrant=OPUS, attempt=1, key="k", outcome=Outcome.PASSED,
            cause=None, seconds=4.5, applied="exact",
        )  # fmt: skip
        with RunFolder(self.path / "out", NOTHING) as out:
            for record in (self.candidate, self.task, patch, verdict):
                out.append(record)
        flags = Flags(repo=self.path / "repo", out=self.path / "out", models=OPUS)
        settings = make(flags, {"ANTHROPIC_API_KEY": SECRET})
        console = Console(quiet=True)
        with opened(settings, lambda budget: Show(console, lambda: budget.spent)) as run:
            finish(run)
            return trail_of(run, {task.id for task in run.all_tasks()})

    def attempt(self, *more: str) -> AttemptTrail:
        return self.trail(*more).attempts[self.task.id, OPUS, 1]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_dialog_is_told_in_order_with_its_times(folder: Folder) -> None:
    results = (Result(call=SHELL, content="calc.py"),)
    folder.ask(1, "Let me look.", calls=(SHELL,))
    folder.ask(2, "Done.", turns=(Turn(text="Let me look.", calls=(SHELL,), results=results),))
    found = folder.attempt()
    first, second = found.calls
    assert (first.asked, first.answered) == ("Mend add().", "Let me look.\n▸ shell: ls src")
    assert (second.asked, second.answered) == ("◂ shell: calc.py", "Done.")
    # Ten seconds from answer to answer: two in line, five for the answer, the rest was work.
    assert (first.worked, second.worked, second.waited, second.seconds) == (0, 3.0, 2.0, 5.0)
    assert (second.input_tokens, second.output_tokens, second.left_out) == (700, 30, 0)
    assert (found.test_seconds, found.applied, found.more_calls) == (4.5, "exact", 0)


def test_tests_are_known_by_name(folder: Folder) -> None:
    assert folder.trail().fail_to_pass == {folder.task.id: ("t::one", "t::two")}


def test_what_failed_is_told_too(folder: Folder) -> None:
    folder.fail("overloaded")
    (call,) = folder.attempt().calls
    assert (call.error, call.answered, call.cost_usd) == ("overloaded", "half an ans", None)


def test_a_long_answer_is_cut_in_the_middle_and_says_so(folder: Folder) -> None:
    folder.ask(1, "<" + "x" * 100_000 + ">")
    (call,) = folder.attempt().calls
    assert call.answered.startswith("<xxx")
    assert call.answered.endswith("xxx>")
    assert len(call.answered) < 25_000
    assert f"{call.left_out:,} characters left out" in call.answered
    assert call.left_out + len(call.answered) > 100_002


def test_of_a_long_dialog_the_middle_stays_in_the_folder(folder: Folder) -> None:
    for turn in range(1, 31):
        folder.ask(turn, f"turn {turn}")
    found = folder.attempt()
    told = [call.answered for call in found.calls]
    assert told == [f"turn {n}" for n in (1, 2, 3, 4, *range(15, 31))]
    assert found.more_calls == 10


def test_secrets_stay_out_of_the_page(folder: Folder) -> None:
    """Exchanges are kept without them; those of another's recording need not be."""
    folder.ask(1, f"the key is {SECRET}")
    assert folder.attempt().calls[0].answered == "the key is ***"
    assert SECRET not in (folder.path / "out/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["exchanges/../../secret.json", "/etc/passwd", "exchanges/no.json"]
)
def test_no_file_outside_is_read_and_none_that_is_lost_ends_the_report(
    folder: Folder, name: str
) -> None:
    folder.ask(1, "fine")
    (folder.path / "secret.json").write_bytes((folder.path / "out" / folder.names[0]).read_bytes())
    fine, lost = folder.attempt(name).calls
    assert (fine.error, lost.error) == ("", "this file cannot be read")


def test_cutting_loses_nothing_else() -> None:
    assert cut("abc", 3) == ("abc", 0)
    text, less = cut("a" * 60 + "b" * 60, 30)
    assert (text, less) == ("a" * 20 + "\n[… 90 characters left out …]\n" + "b" * 10, 90)
