"""Stages side by side share one terminal, and containers take turns at working."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from support.local_bench import LocalBench

from core.bench import Workbench
from patchmark.gated import gated
from patchmark.progress import Show


def test_two_stages_show_a_bar_each() -> None:
    """A terminal takes one live display; the second stage must not ask for one of its own."""
    terminal = io.StringIO()
    console = Console(file=terminal, force_terminal=True, width=120)
    show = Show(console, lambda: Decimal(0))
    with show.stage("solve", 2) as solving, show.stage("judge", 3) as judging:
        for _ in range(2):
            solving.advance()
            judging.advance()
    last = terminal.getvalue().split("solve")[-1]
    assert "2/2" in last
    assert "2/3" in last
    with show.stage("probe", 1) as probing:
        probing.advance()
    assert "solve" not in terminal.getvalue().split("probe", 1)[1]


def test_a_command_waits_for_its_turn_in_nobodys_time(tmp_path: Path) -> None:
    gate, ended = threading.BoundedSemaphore(1), list[BaseException]()

    @contextmanager
    def bench() -> Iterator[Workbench]:
        try:
            yield LocalBench(tmp_path, {"a": "1\n"})
        except RuntimeError as error:
            ended.append(error)
            raise

    entered, go, told = threading.Event(), threading.Event(), list[float]()

    def work() -> None:
        with suppress(RuntimeError), gated(bench(), gate) as mine:
            entered.set()
            go.wait(10)
            told.append(mine.run("echo done").seconds)
            raise RuntimeError("lost")

    waiting = threading.Thread(target=work)
    waiting.start()
    assert entered.wait(10)
    with gate:
        go.set()
        time.sleep(0.3)
        assert not told
    waiting.join(10)
    assert told
    assert told[0] < 0.3
    assert len(ended) == 1
    assert gate.acquire(blocking=False)
