"""The same judged again and again: how often a verdict is another one than before.

    python benchmarks/repeat.py CLONE [CLONE ...] [--tasks 8] [--times 5] [--since 2024-01-01]

Mines and proves tasks of each repository as the program does, then judges the real fix and the
empty patch of every task several times, in shuffled order and two at once. A pair of task and
patch is repeatable where outcome, failed tests, broken tests and evidence were the same each
time. Prints the share for each repository and in all, names whatever deviates, and ends with 1
where one pair does, or where a real fix did not pass or an empty patch did not fail. Needs a
container engine.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from sys import path as modules

from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
modules[0] = str(ROOT)  # in place of this folder, whose statistics.py is not the library's

from core.git import Snapshot  # noqa: E402 - the path above first
from core.types import Outcome, Patch, Task, Verdict  # noqa: E402
from models.baseline import Empty, Reference  # noqa: E402
from patchmark.mining import mine_stage  # noqa: E402
from patchmark.progress import Show  # noqa: E402
from patchmark.run import Run, opened  # noqa: E402
from patchmark.settings import Flags, make  # noqa: E402
from patchmark.stages import validate_stage  # noqa: E402
from sandbox.judge import Judge  # noqa: E402

PUBLISHED = 0.9978
"""The best share of equal verdicts that anybody has published."""
WORKERS = 2
_EXPECTED = {"reference": {Outcome.PASSED}, "empty": {Outcome.FAILED}}


@dataclass(frozen=True)
class Pair:
    """One patch of one task, with all its verdicts."""

    repository: str
    task: Task
    patch: Patch
    verdicts: tuple[Verdict, ...]

    @property
    def said(self) -> Counter[tuple[object, ...]]:
        """What the verdicts say, without what may differ: how long it took, and in which words."""
        return Counter((v.outcome, v.not_fixed, v.broken, v.evidence) for v in self.verdicts)

    @property
    def repeatable(self) -> bool:
        """Whether all verdicts say the same."""
        return len(self.said) == 1

    @property
    def as_expected(self) -> bool:
        """Whether the real fix passed, or the empty patch failed, each time."""
        return {v.outcome for v in self.verdicts} == _EXPECTED[self.patch.entrant]


@dataclass(frozen=True)
class Row:
    """The figures of one repository, or of all."""

    name: str
    pairs: Sequence[Pair]

    @property
    def repeatable(self) -> float:
        """The share of pairs whose verdicts were all the same."""
        return _share(pair.repeatable for pair in self.pairs)

    @property
    def as_expected(self) -> float:
        """The share of pairs that ended as they must."""
        return _share(pair.as_expected for pair in self.pairs)

    def __str__(self) -> str:
        tasks = len({pair.task.id for pair in self.pairs})
        judged = [verdict.seconds or 0 for pair in self.pairs for verdict in pair.verdicts]
        mean = sum(judged) / len(judged) if judged else 0
        return (
            f"{self.name:<20}{tasks:>6}{len(self.pairs):>7}{len(judged):>12}{mean:>9.1f} s"
            f"{self.repeatable:>11.2%}{self.as_expected:>13.2%}"
        )


HEADING = (
    f"{'repository':<20}{'tasks':>6}{'pairs':>7}{'judgements':>12}{'a run':>11}"
    f"{'identical':>11}{'as expected':>13}"
)


def _share(held: Iterable[bool]) -> float:
    found = list(held)
    return sum(found) / len(found) if found else 0.0


def patches(run: Run, task: Task) -> list[Patch]:
    """The real fix and no fix at all."""
    files = Snapshot(run.repository, task.base_commit)
    return [entrant.solve(task, files, 1) for entrant in (Reference(), Empty())]


def judged(run: Run, times: int, dice: random.Random) -> list[Pair]:
    """Every patch of every task, each judged so many times, in an order that is no order."""
    judge = Judge(run.engine, run.settings.limits)
    asked = [(task, patch) for task in run.tasks() for patch in patches(run, task)]
    order = [number for number in range(len(asked)) for _ in range(times)]
    dice.shuffle(order)
    found: list[list[Verdict]] = [[] for _ in asked]
    with (
        run.show.stage("judge", len(order)) as step,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        verdicts = pool.map(lambda number: judge.judge(*asked[number]), order)
        for number, verdict in zip(order, verdicts, strict=True):
            found[number].append(verdict)
            step.advance()
    name = run.repository.path.resolve().name
    return [
        Pair(name, task, patch, tuple(one)) for (task, patch), one in zip(asked, found, strict=True)
    ]


def proven(clone: Path, out: Path, given: argparse.Namespace) -> list[Pair]:
    """The tasks of a clone, made and judged."""
    flags = Flags(
        repo=clone, out=out, since=given.since, max_tasks=given.tasks, workers=WORKERS
    )  # fmt: skip
    settings = make(flags, os.environ)
    with opened(settings, lambda _: Show(Console(stderr=True), lambda: Decimal(0))) as run:
        started = time.monotonic()
        mine_stage(run)
        validate_stage(run)
        between = time.monotonic()
        pairs = judged(run, given.times, random.Random(given.seed))  # noqa: S311 - an order
        print(habits(clone.resolve().name, run.tasks()))
        made, took = between - started, time.monotonic() - between
        print(f"{'':<20}mined and proven in {made:.0f} s, judged in {took:.0f} s", flush=True)
    return pairs


def habits(name: str, tasks: Sequence[Task]) -> str:
    """What is particular to the suites of these tasks."""
    kinds = Counter(", ".join(task.tripwires) or "none" for task in tasks)
    wires = "; ".join(f"{words} in {count}" for words, count in kinds.most_common())
    found = sorted({habit for task in tasks for habit in task.habits})
    return (
        f"{name:<20}tripwires: {wires}; unstable tests: {sum(len(t.unstable) for t in tasks)}; "
        f"habits: {'; '.join(found) or 'none'}"
    )


def deviations(pairs: Iterable[Pair]) -> list[str]:
    """Each pair that is not as it must be, with the verdicts that differ."""
    lines = []
    for pair in pairs:
        if pair.repeatable and pair.as_expected:
            continue
        lines.append(f"{pair.repository} {pair.task.id} {pair.patch.entrant}: {pair.task.title}")
        seen: dict[tuple[object, ...], Verdict] = {}
        for verdict in pair.verdicts:
            seen.setdefault(
                (verdict.outcome, verdict.not_fixed, verdict.broken, verdict.evidence), verdict
            )
        for said, verdict in seen.items():
            lines.append(f"  {pair.said[said]} x {verdict.outcome} ({verdict.cause or 'nobody'})")
            lines.append(f"      {verdict.detail[:300]}")
            lines += [f"      not fixed: {name}" for name in verdict.not_fixed[:5]]
            lines += [f"      broken: {name}" for name in verdict.broken[:5]]
            lines += [f"      evidence: {what}" for what in verdict.evidence[:5]]
    return lines


def main() -> int:
    """Make, judge, compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clones", nargs="+", type=Path, metavar="CLONE")
    parser.add_argument("--tasks", type=int, default=8, help="Of each repository.")
    parser.add_argument("--times", type=int, default=5, help="Judgements of each patch.")
    parser.add_argument("--since", help="Fixes since this day, as 2024-01-01.")
    parser.add_argument("--seed", type=int, default=1, help="Of the order.")
    parser.add_argument(
        "--out", type=Path, help="Where run folders are kept; else a folder that goes."
    )
    given = parser.parse_args()
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = given.out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for clone in given.clones:
            name = clone.resolve().name
            rows.append(Row(name, proven(clone, folder / name, given)))
    every = Row("in all", [pair for row in rows for pair in row.pairs])
    print(f"\n{HEADING}")
    for row in (*rows, every):
        print(row)
    for line in deviations(every.pairs):
        print(line)
    print(f"\naim 100 %; the best published is {PUBLISHED:.2%} of verdicts")
    return 0 if every.pairs and every.repeatable == every.as_expected == 1 else 1


if __name__ == "__main__":
    raise SystemExit(main())
