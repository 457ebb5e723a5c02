"""`--time-limit`: a run ends in order before its time is up, and the same command goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import pytest
from support.fake_anthropic import FakeAnthropic
from support.loopback import Asked, Behaviour
from support.sample import EXCHANGES, ISSUES, sample
from support.tasks import make_task

from core.errors import EngineError
from models.lanes import Lanes
from patchmark.cli import main
from patchmark.clock import JUDGEMENT, PROOF, Clock, TimeUpError, TooLateError

OPUS = "anthropic:claude-opus-4-8+repair=off"
TASKS = ("eb6941e4e6e6", "8b050132daca", "b4af4ddfb058")


def test_work_is_begun_while_there_is_more_time_than_such_work_took() -> None:
    clock = Clock(2.0)
    with clock.work(PROOF):
        time.sleep(0.75)
    assert not clock.late
    with clock.work(JUDGEMENT):
        time.sleep(0.3)
    with pytest.raises(TooLateError), clock.work(PROOF):
        pytest.fail("was begun")
    assert clock.late
    assert not clock.over
    assert clock.allows(JUDGEMENT)


def test_without_a_limit_there_is_always_time() -> None:
    clock = Clock()
    with clock.running(lambda: pytest.fail("closed"), lambda: 1e9), clock.work(PROOF):
        pass
    assert clock.allows(PROOF, 1e12)
    assert not clock.late


def test_questions_end_first_and_then_what_is_under_way_is_broken_off() -> None:
    clock, closed = Clock(1.0), threading.Event()
    began = time.monotonic()

    def work() -> None:
        with clock.running(closed.set, lambda: 0.4):
            assert closed.wait(5)
            assert time.monotonic() - began < 0.8
            time.sleep(5)

    with pytest.raises(TimeUpError):
        work()
    assert 0.8 < time.monotonic() - began < 1.0
    assert clock.late
    assert clock.over


@pytest.mark.parametrize("error", [EngineError("gone"), None])
def test_what_was_broken_off_is_nobodys_failure(error: EngineError | None) -> None:
    """A container that is taken away looks like an engine, or a patch, that fails."""
    clock = Clock(0.5)

    def work() -> None:
        with clock.work(PROOF):
            with pytest.raises(TimeUpError), clock.running(lambda: None, lambda: 0.0):
                time.sleep(5)
            if error:
                raise error

    with pytest.raises(TooLateError):
        work()


def test_a_lane_made_after_the_end_is_closed_as_well() -> None:
    lanes = Lanes()
    lanes.close()
    assert lanes.of("anthropic", 4)._closed


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder with three tasks, as if they had been proven."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    where = ["--repo", str(sample(tmp_path)), "--out", str(tmp_path / "out")]
    assert main(["mine", *where, "--issues", str(ISSUES)]) == 0
    lines = (tmp_path / "out" / "candidates.jsonl").read_text().splitlines()
    mined = {found["id"]: found for found in map(json.loads, lines)}
    proven = json.loads(make_task().model_dump_json())
    tasks = [proven | mined[name] for name in TASKS]
    (tmp_path / "out" / "tasks.jsonl").write_text("".join(json.dumps(t) + "\n" for t in tasks))
    return tmp_path / "out"


def test_an_answer_that_does_not_come_keeps_nobody(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came is kept and is not paid for again; what is missing is asked by the same command."""
    hold, text = threading.Event(), (EXCHANGES / "careful" / f"{TASKS[0]}.1.1.json").read_text()

    def slow(_: Asked, number: int) -> Behaviour:
        if number == 2:
            hold.wait(60)
        return Behaviour(text=json.loads(text)["text"])

    import_module("anthropic")  # takes seconds on a busy machine, and is no part of this
    with FakeAnthropic(slow) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret-1")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        words = ["solve", "--out", str(out), "--models", OPUS]
        began = time.monotonic()
        assert main([*words, "--time-limit", "0.1"]) == 6
        assert time.monotonic() - began < 6 + 1
        assert len((out / "patches.jsonl").read_text().splitlines()) == 2
        assert main([*words, "--time-limit", "5"]) == 0
        assert len(server.asked) == 4
        hold.set()
    rows = [json.loads(line) for line in (out / "patches.jsonl").read_text().splitlines()]
    assert sorted(row["task_id"] for row in rows) == sorted(TASKS)


def test_the_process_does_not_wait_for_it_either() -> None:
    """Bug: what a pool's thread waits for kept the interpreter from ending."""
    script = (
        "import time, concurrent.futures as f\nfrom patchmark import clock\n"
        "f.ThreadPoolExecutor().submit(time.sleep, 60)\n"
        "clock._ends_at.append(time.monotonic() + 0.2)\nprint('said')\nclock.leave(6)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], timeout=30, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (6, "said\n")
