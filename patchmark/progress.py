"""Showing long work: a live bar in a terminal, a line now and then in a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

QUIET_SECONDS = 10.0


class Step(Protocol):
    """One stage under way."""

    def advance(self, note: str = "") -> None:
        """One more item is done."""
        ...

    def note(self, note: str) -> None:
        """Something happened that is not one more item."""
        ...


class Show:
    """Where all stages tell how far they are. Safe from many threads."""

    def __init__(self, console: Console, spent: Callable[[], Decimal]):
        self._console = console
        self._spent = spent
        self._bars: Progress | None = None

    def tell(self, message: str) -> None:
        """One line worth knowing."""
        self._console.print(f"  {message}", style="dim", markup=False, highlight=False)

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Step]:
        """Show a stage of `total` items until it ends."""
        if total == 0:
            yield _Nothing()
        elif self._console.is_terminal:
            with self._shared() as bar:
                yield _Bar(bar, name, total, self._money)
        else:
            lines = _Lines(self._console, name, total, self._money)
            yield lines
            lines.end()

    def _money(self) -> str:
        spent = self._spent()
        return f", ${spent:.2f} spent" if spent else ""

    @contextmanager
    def _shared(self) -> Iterator[Progress]:
        """The bars of stages side by side: a terminal has room for one display."""
        if self._bars is not None:
            yield self._bars
            return
        try:
            with self._new_bars() as self._bars:
                yield self._bars
        finally:
            self._bars = None

    def _new_bars(self) -> Progress:
        return Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=self._console,
        )


class _Nothing:
    def advance(self, note: str = "") -> None:
        pass

    def note(self, note: str) -> None:
        pass


class _Bar:
    def __init__(self, bar: Progress, name: str, total: int, money: Callable[[], str]):
        self._bar, self._money = bar, money
        self._task = bar.add_task(name, total=total, note="")

    def advance(self, note: str = "") -> None:
        self._bar.update(self._task, advance=1)
        task = next(task for task in self._bar.tasks if task.id == self._task)
        if task.total is not None and task.completed > task.total:
            self._bar.update(self._task, total=task.completed)  # more came than was known
        self.note(note)

    def note(self, note: str) -> None:
        self._bar.update(self._task, note=f"{note[:28]}{self._money()}")


class _Lines:
    def __init__(self, console: Console, name: str, total: int, money: Callable[[], str]):
        self._console, self._name, self._total, self._money = console, name, total, money
        self._done, self._started, self._said = 0, time.monotonic(), time.monotonic()
        self._lock = threading.Lock()

    def advance(self, note: str = "") -> None:
        with self._lock:
            self._done += 1
            self._total = max(self._total, self._done)  # more may come than was known
        self.note(note)

    def note(self, note: str) -> None:
        with self._lock:
            if time.monotonic() - self._said < QUIET_SECONDS or self._done == self._total:
                return
            self._said = time.monotonic()
            passed = self._said - self._started
            words = f"{passed:.0f} s"
            if self._done:
                left = passed / self._done * (self._total - self._done)
                words += f", about {left:.0f} s left"
            self._print(f"{words}{self._money()}{f', {note}' if note else ''}")

    def end(self) -> None:
        self._print(f"{time.monotonic() - self._started:.0f} s{self._money()}")

    def _print(self, rest: str) -> None:
        line = f"{self._name}: {self._done} of {self._total}, {rest}"
        self._console.print(line, markup=False, highlight=False)
