"""What the sandbox adds to running the tests themselves, against floors measured in the same run.

    python benchmarks/sandbox.py [--rounds 5]

Builds a small Python repository and measures, interleaved and by medians: a verdict in a fresh
container against the bare test command in a container of the same image that is up already;
the same for tests of five seconds; two workers against one; four verdicts against a loop of
plain engine calls; and what a further commit with equal dependencies costs. Prints each ratio
with its limit, and ends with 1 where one is broken. Needs a container engine and two cores.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In place of this folder, whose statistics.py is not the library's.
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

from statistics import median  # noqa: E402 - the path above first

from support.calc_repo import COMMITTED_AT, CalcRepo  # noqa: E402 - the path above first

from core.types import Candidate, Patch, Stop, Task  # noqa: E402
from sandbox.discover import connect  # noqa: E402
from sandbox.docker import DockerEngine  # noqa: E402
from sandbox.engine import Limits  # noqa: E402
from sandbox.image import Images  # noqa: E402
from sandbox.judge import Judge  # noqa: E402
from sandbox.network import PASSED_ON, Network  # noqa: E402
from sandbox.recipe import EnvironmentSettings  # noqa: E402
from sandbox.validate import Validator  # noqa: E402

_TEST = """
import time

from calc import add


def test_add():
    time.sleep({seconds})
    assert add(2, 3) == 5
"""


@dataclass
class Measured:
    """One figure and its limit."""

    name: str
    value: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        word = "at least" if self.at_least else "at most"
        verdict = "ok" if self.holds else "BROKEN"
        return f"{self.name:<58} {self.value:7.2f} {self.unit:<2} ({word} {self.limit:g}) {verdict}"


def seconds(call: Callable[[], object]) -> float:
    """Wall clock of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


class Bench:
    """A repository, its images and a judge."""

    def __init__(self, folder: Path):
        self.engine = connect(os.environ)
        self.repo = CalcRepo.make(folder / "repo")
        bundle = Path(os.environ.get("SSL_CERT_FILE", ""))
        network = Network(
            {name: os.environ[name] for name in PASSED_ON if name in os.environ},
            bundle.read_bytes() if bundle.is_file() else None,
        )
        self.images = Images(
            engine=self.engine,
            repository=self.repo.repository,
            settings=EnvironmentSettings(),
            network=network,
            logs=folder / "logs",
            tell=print,
        )
        limits = Limits(seconds=120)
        self.validator = Validator(self.engine, self.images, EnvironmentSettings(), limits, runs=1)
        self.judge = Judge(self.engine, limits)

    def task(self, pause: float) -> Task:
        """A proven task whose one new test takes so long."""
        candidate = self.candidate(pause)
        found = self.validator.validate(candidate)
        if not isinstance(found, Task):
            raise SystemExit(f"no task: {found}")
        return found

    def candidate(self, pause: float) -> Candidate:
        """A fix and a test that waits."""
        return self.repo.candidate(tests={"tests/test_add.py": _TEST.format(seconds=pause)})

    def verdict(self, task: Task) -> None:
        """One judgement, which must be a pass."""
        patch = Patch(
            task_id=task.id, entrant="e", attempt=1, diff=task.gold_patch, stop=Stop.ANSWERED,
            cost_usd=None, usage=None, seconds=None,
        )  # fmt: skip
        verdict = self.judge.judge(task, patch)
        if verdict.outcome != "passed":
            raise SystemExit(f"not passed: {verdict}")

    def verdicts(self, task: Task, times: int) -> None:
        """One after the other."""
        for _ in range(times):
            self.verdict(task)


class Bare:
    """A container of the task's image that is up, with both patches applied: the floor."""

    def __init__(self, engine: DockerEngine, task: Task):
        self._task = task
        with engine.api() as api:
            self._api = api
        self._name = api.create_container(task.image, ["3600"], entrypoint=["sleep"], user="10001")[
            "Id"
        ]
        api.start(self._name)
        script = f"cd /repo && git apply - <<'E'\n{task.gold_patch}{task.test_patch}E\n"
        if self._exec(script):
            raise SystemExit("the floor's patches do not apply")

    def run(self) -> None:
        """The bare test command."""
        if self._exec("cd /repo && PYTHONDONTWRITEBYTECODE=1 /opt/venv/bin/python -m pytest -q"):
            raise SystemExit("the floor's tests do not pass")

    def close(self) -> None:
        """Remove it."""
        self._api.remove_container(self._name, force=True)

    def _exec(self, script: str) -> int:
        made = self._api.exec_create(self._name, ["sh", "-c", script])
        self._api.exec_start(made)
        return int(self._api.exec_inspect(made)["ExitCode"])


def plain_loop(engine: DockerEngine, task: Task, times: int) -> None:
    """The same evaluations with nothing but engine calls: create, start, wait, logs, remove."""
    script = (
        f"cd /repo && git apply - <<'E'\n{task.gold_patch}{task.test_patch}E\n"
        "/opt/venv/bin/python -m pytest -q"
    )
    with engine.api() as api:
        for _ in range(times):
            name = api.create_container(
                task.image, ["-c", script], entrypoint=["sh"], user="10001",
                host_config=api.create_host_config(network_mode="none"),
            )["Id"]  # fmt: skip
            api.start(name)
            api.wait(name)
            api.logs(name)
            api.remove_container(name, force=True)


def overheads(bench: Bench, task: Task, rounds: int) -> tuple[float, float]:
    """Median seconds of a verdict and of the bare command, interleaved."""
    bare = Bare(bench.engine, task)
    try:
        pairs = [(seconds(lambda: bench.verdict(task)), seconds(bare.run)) for _ in range(rounds)]
    finally:
        bare.close()
    return median(p[0] for p in pairs), median(p[1] for p in pairs)


def throughput(bench: Bench, task: Task, workers: int, count: int) -> float:
    """Verdicts a second."""
    with ThreadPoolExecutor(workers) as pool:
        taken = seconds(lambda: list(pool.map(lambda _: bench.verdict(task), range(count))))
    return count / taken


def further_commit(bench: Bench) -> tuple[float, float]:
    """Seconds and megabytes of one more commit with the same dependencies."""
    repo, path = bench.repo.repository, bench.repo.repository.path
    blob = repo.text("hash-object", "-w", str(ROOT / "README.md")).strip()
    listing = repo.text("ls-tree", bench.repo.base) + f"100644 blob {blob}\tMORE.md\n"
    tree = subprocess.run(
        ["git", "-C", path, "mktree"], input=listing, capture_output=True, text=True, check=True
    ).stdout.strip()
    me = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
    made = repo.text(*me, "commit-tree", tree, "-p", bench.repo.base, "-m", "one more").strip()
    recipe = bench.images.recipes(made, COMMITTED_AT)[0]
    taken = seconds(lambda: bench.images.prepare(made, recipe))
    with bench.engine.api() as api:
        layer = int(api.history(bench.images.prepare(made, recipe).image)[0]["Size"])
    return taken, layer / 1e6


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        quick, slow = bench.task(0), bench.task(5)
        bench.verdict(quick)
        verdict, bare = overheads(bench, quick, rounds)
        long_verdict, long_bare = overheads(bench, slow, max(2, rounds // 2))
        loops = [
            (
                seconds(lambda: bench.verdicts(quick, 4)),
                seconds(lambda: plain_loop(bench.engine, quick, 4)),
            )
            for _ in range(rounds)
        ]
        four = median(a / b for a, b in loops)
        one, two = (median(throughput(bench, quick, n, 8) for _ in range(3)) for n in (1, 2))
        taken, size = further_commit(bench)
        again = bench.candidate(0)
        warm = seconds(lambda: bench.validator.key(again))
        bench.engine.close()
    figures = [
        Measured("a verdict adds to the bare command", verdict - bare, 0.4, "s"),
        Measured("the same, as a ratio for tests of 5 s", long_verdict / long_bare, 1.1, "x"),
        Measured("two workers against one", two / one, 1.5, "x", at_least=True),
        Measured("four verdicts against a loop of plain engine calls", four, 1.5, "x"),
        Measured("a further commit of the same dependencies", taken, 3, "s"),
        Measured("the same, on the disk", size, 10, "MB"),
        Measured("knowing that a candidate was proven before", warm, 0.5, "s"),
    ]
    print(f"bare command {bare:.2f} s, verdict {verdict:.2f} s, medians of {rounds}")
    for figure in figures:
        print(figure)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
