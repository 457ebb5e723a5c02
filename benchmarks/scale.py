"""How much faster more workers are, against the schedule that nothing could beat.

    python benchmarks/scale.py [--seconds 10] [--rounds 6]

A repository with one task whose test sleeps, a model on the loopback, and a Dask cluster on this
machine whose 1, 2 and 4 workers run one container each: sleeping takes no processor, so two are
enough. Measured is how long a run takes until all attempts are answered and judged; ideal are as
many judgements without a gap, of which some are measured in the same run without a cluster, one
after the other and four at once. Then: what the cluster adds to a judgement, and what it takes
to write one down. From these it reckons on paper what limits 100,000 judgements. Prints each
figure with its limit, and ends with 1 where one is broken. Needs an engine.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In place of this folder, whose statistics.py is not the library's.
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

from statistics import median  # noqa: E402 - the path above first

from rich.console import Console  # noqa: E402 - the path above first
from support.calc_repo import CalcRepo  # noqa: E402
from support.dask_cluster import DaskCluster, started  # noqa: E402
from support.fake_anthropic import FakeAnthropic  # noqa: E402
from support.loopback import Behaviour, in_order  # noqa: E402

from benchmarks.sandbox import _TEST, Measured  # noqa: E402
from core.types import Candidate, Patch, Stop, Task, Verdict  # noqa: E402
from patchmark.progress import Show  # noqa: E402
from patchmark.run import Run, opened  # noqa: E402
from patchmark.settings import Flags, make  # noqa: E402
from patchmark.solving import solve_and_judge  # noqa: E402

MODEL = "anthropic:claude-opus-4-8"
ANSWER_SECONDS = 0.5
FIX = """The sign is wrong.

calc.py
<<<<<<< SEARCH
def add(a, b):
    return a - b
=======
def add(a, b):
    return a + b
>>>>>>> REPLACE
"""
WIDTHS = (1, 2, 4)
EVALUATIONS = 100_000
ORDERS = 200


class Bench:
    """A repository, its one task, and run folders for it."""

    def __init__(self, folder: Path, pause: float):
        self._folder, self._runs = folder, 0
        self._repo = CalcRepo.make(folder / "repository")
        candidate = self._repo.candidate(tests={"tests/test_add.py": _TEST.format(seconds=pause)})
        with self.run() as run:
            found = run.validator.validate(candidate)
        if not isinstance(found, Task):
            raise SystemExit(f"no task: {found}")
        self.task = found
        self.patch = Patch(
            task_id=found.id, entrant="e", attempt=1, diff=found.gold_patch, stop=Stop.ANSWERED,
            cost_usd=None, usage=None, seconds=None,
        )  # fmt: skip

    def run(
        self, url: str = "http://127.0.0.1:9", attempts: int = 1, cluster: str | None = None
    ) -> AbstractContextManager[Run]:
        """A new run folder, opened."""
        self._runs += 1
        environment = {**os.environ, "ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": url,
                       "XDG_CACHE_HOME": str(self._folder)}  # fmt: skip
        flags = Flags(
            repo=self._folder / "repository", out=self._folder / f"out-{self._runs}",
            models=MODEL, max_tasks=1, attempts=attempts, cluster=cluster,
        )  # fmt: skip
        return opened(make(flags, environment), lambda _: QUIET)

    def put(self, run: Run) -> None:
        """The task into a new run folder."""
        mined = {name: getattr(self.task, name) for name in Candidate.model_fields}
        run.folder.append(Candidate(**mined))
        run.folder.append(self.task)


QUIET = Show(Console(quiet=True), lambda: Decimal(0))


def seconds(call: Callable[[], object]) -> float:
    """Wall clock of a call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def alone(bench: Bench, at_once: int, rounds: int) -> float:
    """Median seconds of a judgement without a cluster, so many at once."""
    with bench.run() as run, ThreadPoolExecutor(at_once) as pool:
        judge = lambda _: seconds(lambda: run.place.judge(bench.task, bench.patch))  # noqa: E731
        return median(pool.map(judge, range(at_once * rounds)))


def spread(bench: Bench, cluster: DaskCluster, workers: int, attempts: int) -> float:
    """Seconds until all attempts are answered and judged by so many workers."""
    while len(cluster.workers) < workers:
        cluster.worker()
    answer = Behaviour(text=FIX, seconds=ANSWER_SECONDS)
    with (
        FakeAnthropic(in_order(answer)) as server,
        bench.run(server.url, attempts, cluster.address) as run,
    ):
        bench.put(run)
        run.place.judge(bench.task, bench.patch)  # the repository is there, the engine found
        taken = seconds(lambda: solve_and_judge(run))
        outcomes = {verdict.outcome.value for verdict in run.verdicts().values()}
        if outcomes != {"passed"} or len(run.verdicts()) != attempts:
            raise SystemExit(f"{len(run.verdicts())} verdicts: {outcomes}")
    return taken


@dataclass(frozen=True)
class Cost:
    """What a judgement takes beside its container, in seconds."""

    latency: float
    """Of one order that a worker answers at once."""
    each: float
    """Of many at once, per order: scheduler, client and packing."""
    disk: float
    """Patch and verdict, each on disk before the next is written."""


def cost(bench: Bench, cluster: DaskCluster) -> Cost:
    """Orders that need no container: what the model refused is judged without one."""
    refused = bench.patch.model_copy(update={"stop": Stop.REFUSED, "diff": ""})
    with bench.run(cluster=cluster.address) as run:

        def order(_: int = 0) -> Verdict:
            return run.place.judge(bench.task, refused)

        order()
        latency = median(seconds(order) for _ in range(30))
        with ThreadPoolExecutor(32) as pool:
            each = seconds(lambda: list(pool.map(order, range(ORDERS)))) / ORDERS
        verdict = order()

        def write() -> None:
            run.folder.append(refused)
            run.folder.append(verdict)

        disk = median(seconds(write) for _ in range(50))
    return Cost(latency, each, disk)


def on_paper(found: Cost, given: argparse.Namespace) -> None:
    """What 100,000 judgements would take, and what gives out first as workers are added."""
    test, megabytes = given.test_seconds, given.layer_mb
    hours = EVALUATIONS * (test + found.latency + given.container) / 3600
    print(f"\nOn paper, {EVALUATIONS:,} judgements of {test:g} s (stated): {hours:,.0f} hours of "
          f"one container, ${hours * given.usd:,.0f} at ${given.usd:g} each (stated)")  # fmt: skip
    limits = {
        "scheduler and client (measured)": 1 / found.each,
        "the client's disk (measured)": 1 / found.disk,
        f"a service with {given.rpm:g} requests a minute (stated)": given.rpm / 60,
        f"a registry at 1 Gbit/s, {megabytes:g} MB a task and machine (stated), 18 attempts a task":
            125 / megabytes * 18 / given.machines,
    }  # fmt: skip
    for name, a_second in sorted(limits.items(), key=lambda item: item[1]):
        print(f"  {a_second:8.1f} a second, full with {a_second * test:8,.0f} containers at once, "
              f"all done in {EVALUATIONS / a_second / 3600:6.1f} h: {name}")  # fmt: skip
    for slots in (4, 40, 400):
        print(f"  {slots:4} containers at once: {hours / slots:8.1f} h")


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the test sleeps")
    parser.add_argument("--rounds", type=int, default=6, help="judgements for each of 4 workers")
    parser.add_argument("--test-seconds", type=float, default=60.0, help="on paper: a test run")
    parser.add_argument("--container", type=float, default=0.4, help="on paper: seconds around it")
    parser.add_argument("--rpm", type=float, default=1000.0, help="on paper: a service's limit")
    parser.add_argument("--layer-mb", type=float, default=10.0, help="on paper: a task's layer")
    parser.add_argument("--machines", type=int, default=10, help="on paper: that pull each layer")
    parser.add_argument("--usd", type=float, default=0.05, help="on paper: a container's hour")
    given = parser.parse_args()
    attempts = 4 * given.rounds
    figures, taken = [], {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        bench = Bench(folder, given.seconds)
        least = {1: alone(bench, 1, 2), 2: alone(bench, 2, 2), 4: alone(bench, 4, 2)}
        patient = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "300s"}
        with started(folder, **patient) as cluster:
            for workers in WIDTHS:
                took = taken[workers] = spread(bench, cluster, workers, attempts)
                ideal = math.ceil(attempts / workers) * least[workers] + ANSWER_SECONDS
                print(f"{workers} workers: {attempts} judgements in {took:.1f} s, ideally "
                      f"{ideal:.1f} s; one alone {least[workers]:.2f} s", flush=True)  # fmt: skip
                figures.append(_share(f"{workers} workers: share of the ideal", ideal / took))
            found = cost(bench, cluster)
    for workers in WIDTHS[1:]:
        linear = taken[1] / taken[workers] / workers
        figures.append(_share(f"{workers} workers against 1: share of linear", linear))
    figures += [
        Measured("what the cluster adds to a judgement", 1000 * found.latency, 100, "ms"),
        Measured("the same of many at once, for each", 1000 * found.each, 25, "ms"),
        Measured("patch and verdict on the disk", 1000 * found.disk, 25, "ms"),
    ]
    for figure in figures:
        print(figure)
    on_paper(found, given)
    return 0 if all(figure.holds for figure in figures) else 1


def _share(name: str, value: float) -> Measured:
    return Measured(name, value, 0.9, "x", at_least=True)


if __name__ == "__main__":
    sys.exit(main())
