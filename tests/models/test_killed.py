"""A paid answer is never lost and never paid for twice, whenever the run is killed."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

from support import kill_batch, kill_run
from support.fake_anthropic import FakeAnthropic
from support.fake_anthropic_batch import FakeAnthropicBatch
from support.fake_batches import Ways
from support.loopback import Behaviour, in_order
from support.tasks import CALC, FIX, make_task

from core.redact import NOTHING
from core.types import Stop
from models.budget import Budget
from models.desk import Desk
from models.exchange import Slot
from models.exchange_store import ExchangeStore
from models.registry import build

TASKS, THREADS, KILLS = 120, 4, 12
GOOD = Behaviour(text=FIX, input_tokens=10_000, output_tokens=1_000, seconds=0.03)


def counts(server: FakeAnthropic) -> Counter[int]:
    found = (re.search(r"task-(\d+)", asked.text) for asked in list(server.asked))
    return Counter(int(match[1]) for match in found if match)


def finished(store: ExchangeStore) -> set[int]:
    """Tasks whose answer is on disk; every file that is there must be whole."""
    slots = {n: Slot(kill_run.ENTRANT, make_task(n).id, 1) for n in range(TASKS)}
    return {n for n, slot in slots.items() if store.answer(slot) is not None}


def wait_for(server: FakeAnthropic, requests: int) -> None:
    deadline = time.monotonic() + 30
    while len(server.asked) < requests:
        assert time.monotonic() < deadline, "the run stands still"
        time.sleep(0.001)


def test_killed_runs_ask_again_only_what_was_under_way(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311
    store = ExchangeStore(tmp_path / "exchanges", NOTHING)
    before: list[tuple[set[int], Counter[int]]] = []  # after each kill
    with FakeAnthropic(in_order(GOOD)) as server:
        command = [sys.executable, kill_run.__file__, str(tmp_path), server.url]
        with subprocess.Popen(
            [*command, str(TASKS), str(THREADS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as runner:
            assert runner.stdin is not None
            assert runner.stdout is not None
            for _ in range(KILLS):
                runner.stdin.write("go\n")
                runner.stdin.flush()
                child = int(runner.stdout.readline())
                wait_for(server, len(server.asked) + chance.randint(0, 10))
                time.sleep(chance.uniform(0, 0.04))
                os.kill(child, signal.SIGKILL)
                assert int(runner.stdout.readline()) == signal.SIGKILL, "it ended by itself"
                time.sleep(0.02)
                before.append((finished(store), counts(server)))
            runner.stdin.close()
        desk = Desk(
            exchanges=store.folder,
            budget=Budget(None),
            redactor=NOTHING,
            keys={"anthropic": "k"},
            base_urls={"anthropic": server.url},
        )
        entrant = build(kill_run.ENTRANT, desk)
        with ThreadPoolExecutor(THREADS) as pool:
            solved = pool.map(lambda n: entrant.solve(make_task(n), CALC, 1), range(TASKS))
            patches = list(solved)
        asked = counts(server)

    assert 0 < len(before[-1][0]) < TASKS, "killed too early or too late"
    for done, asked_then in before:
        assert all(asked[n] == asked_then[n] for n in done), "a finished question was asked again"
    assert asked.total() <= 1 + TASKS + KILLS * THREADS
    assert all(patch.stop is Stop.ANSWERED for patch in patches)
    for n, patch in enumerate(patches):
        assert patch.cost_usd in (None, Decimal("0.075"))
        assert patch.cost_usd is None or asked[n] == 1 + (n == 0), (
            "a second bill that no one knows of"
        )


def test_batches_killed_at_any_write_are_paid_for_once(tmp_path: Path) -> None:
    """From the first file to the last, also between sending a batch and noting its id."""
    with FakeAnthropicBatch(Ways(text=FIX, at_once=True)) as server:
        command = [sys.executable, kill_batch.__file__, server.url]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as runner:
            assert runner.stdin is not None
            assert runner.stdout is not None
            ends = []
            for writes in itertools.count(1):
                folder = tmp_path / str(writes)
                before = len(server.questions)
                for number in (writes, 1_000):
                    runner.stdin.write(f"{folder} {number}\n")
                    runner.stdin.flush()
                    ends.append(int(runner.stdout.readline()))
                store = ExchangeStore(folder / "exchanges", NOTHING)
                slots = [
                    Slot(kill_batch.ENTRANT, make_task(n).id, 1) for n in range(kill_batch.TASKS)
                ]
                assert all(store.answer(slot) for slot in slots), writes
                assert len(server.questions) - before == kill_batch.TASKS, f"at write {writes}"
                if ends[-2] == 0:
                    break
            runner.stdin.close()
    assert ends.count(signal.SIGKILL) > 8
    assert set(ends) == {0, signal.SIGKILL}
