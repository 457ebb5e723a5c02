"""What four verdicts take, against the SWE-bench 5 harness on the same task in the same run.

    python benchmarks/harness.py [--rounds 3] [--env FOLDER]

Four instances of one tiny task with its gold patch, one after the other on every side: by
patchmark's judge, by a loop of plain engine calls, by the harness's own command with its stop
grace taken away, and by that command as it ships. The harness is installed once, from the
package index, into an environment of its own in the cache folder; its runs read a task folder
that is written here, an image made from the task's own, and need no network.

Prints each ratio with its limit. Ends with 1 where one is broken, and with 2 where there is
nothing to compare with: the harness did not grade four of four as resolved, or no task could be
made. Needs a container engine and its `docker` command, which the harness calls. A round takes
90 seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

from statistics import median  # noqa: E402 - not the one in this folder

from benchmarks.sandbox import Bench, Measured, plain_loop, seconds  # noqa: E402
from core.types import Task  # noqa: E402 - the path above first
from patchmark.machine import cache_folder  # noqa: E402
from sandbox.docker import DockerEngine  # noqa: E402
from sandbox.engine import File  # noqa: E402
from sandbox.tars import pack  # noqa: E402

PACKAGE = "swebench>=5,<6"
COUNT = 4
DATASET = "patchmark/calc"
# The harness works as root in /testbed, and gives its container a command but no entrypoint.
_DOCKERFILE = "FROM {image}\nENTRYPOINT []\nRUN ln -s /repo /testbed\n"
_EVAL = """#!/bin/bash
set -uxo pipefail
cd /testbed
git apply --verbose - <<'PATCHMARK_END'
{test_patch}PATCHMARK_END
: '>>>>> Start Test Output'
/opt/venv/bin/python -m pytest -rA
: '>>>>> End Test Output'
"""
# `tail`, which keeps its containers up, is their first process and so is deaf to SIGTERM: each
# `docker stop` waits for all of its grace. Nothing else of the harness is changed.
_NO_GRACE = """
import subprocess

plain, changed = subprocess.run, []


def run(command, *arguments, **options):
    if list(command[:2]) == ["docker", "stop"]:
        command = ["docker", "stop", "--time=0", command[-1]]
        changed.append(command)
    return plain(command, *arguments, **options)


subprocess.run = run
from swebench.cli.cli import main

try:
    main()
finally:
    print(f"stops without grace: {len(changed)}")
"""


class VoidError(Exception):
    """There is nothing to compare with."""


class Harness:
    """The harness in its environment, and a task folder with its images."""

    def __init__(self, environment: Path, engine: DockerEngine, folder: Path):
        self._bin = environment / "bin"
        self._engine = engine
        self._folder = folder
        self._variables = {
            **os.environ,
            "DOCKER_HOST": engine.endpoint,
            "HF_HOME": str(folder / "datasets-cache"),
            "HF_HUB_OFFLINE": "1",
        }
        self._tags: list[str] = []

    def prepare(self, task: Task) -> None:
        """Write the task folder, make the images, have the harness compile its data set."""
        for number in range(1, COUNT + 1):
            self._instance(f"patchmark__calc-{uuid.uuid4().hex[:8]}-{number}", task)
        (self._folder / "no_grace.py").write_text(_NO_GRACE, encoding="utf-8")
        sweb = {"datasets": [DATASET], "splits": ["test"]}
        (self._folder / "repo" / "sweb.yaml").write_text(json.dumps(sweb), encoding="utf-8")
        for arguments in (("check", "repo"), ("build", "repo", "-o", "data")):
            code, said = self._run("swebench", "dataset", *arguments)
            if code:
                raise VoidError(f"swebench dataset {' '.join(arguments)}: {said}")

    def run(self, *, grace: bool, run_id: str) -> str:
        """Evaluate all, and return the output. A run that is there already is reported again.

        How the command ends is not looked at: its last step looks at each container on the
        engine, whoever's it is, and dies of one that goes away meanwhile. `check` counts.
        """
        program = ("swebench",) if grace else ("python", str(self._folder / "no_grace.py"))
        data = f"data/{DATASET.rpartition('/')[2]}"
        return self._run(*program, "eval", data, "--gold", "-j", "1", "--run-id", run_id)[1]

    def check(self, run_id: str, said: str, *, grace: bool) -> None:
        """Raise VoidError unless all were graded and resolved, with or without the grace."""
        reports = self._folder.glob(f"logs/run_evaluation/{run_id}/gold/*/report.json")
        graded = {k: v for path in reports for k, v in json.loads(path.read_bytes()).items()}
        resolved = [name for name, report in graded.items() if report["resolved"]]
        if len(resolved) != COUNT:
            raise VoidError(f"{said}\n{graded}\nthe harness resolved {len(resolved)} of {COUNT}")
        changed = re.search(r"stops without grace: (\d+)", said)
        if int(changed[1] if changed else 0) != (0 if grace else COUNT):
            raise VoidError("the harness no longer stops its containers by `docker stop`")

    def close(self) -> None:
        """Remove the images."""
        for tag in self._tags:
            self._engine.remove_image(tag)

    def _instance(self, instance: str, task: Task) -> None:
        """An image under the one name that the format allows, and the seven files."""
        image = f"swebench/sweb.eval.x86_64.{instance}:latest".replace("__", "_1776_")
        dockerfile = _DOCKERFILE.format(image=task.image)
        context = pack({"Dockerfile": File(content=dockerfile.encode())})
        if said := self._engine.build_dockerfile(context, "Dockerfile", image):
            raise VoidError(f"no image for the harness: {said}")
        self._tags.append(image)
        about = {
            "instance_id": instance,
            "repo": DATASET,
            "version": "1",
            "base_commit": task.base_commit,
            "split": "test",
            "datasets": [DATASET],
            "image": image,
            "log_parser": "parse_log_pytest",
            "eval_type": "pass_and_fail",
        }
        tests = {"FAIL_TO_PASS": task.fail_to_pass, "PASS_TO_PASS": task.pass_to_pass}
        folder = self._folder / "repo" / "tasks" / instance
        folder.mkdir(parents=True)
        for name, text in {
            "task.yaml": json.dumps(about, indent=2),  # JSON is YAML too
            "tests.json": json.dumps(tests, indent=2),
            "problem_statement.md": task.statement,
            "gold.patch": task.gold_patch,
            "test.patch": task.test_patch,
            "eval.sh": _EVAL.format(test_patch=task.test_patch),
            "Dockerfile": dockerfile,
        }.items():
            (folder / name).write_text(text, encoding="utf-8")

    def _run(self, program: str, *arguments: str) -> tuple[int, str]:
        """A program of the environment; returns its exit code and its output."""
        done = subprocess.run(
            [self._bin / program, *arguments],
            cwd=self._folder, env=self._variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


def installed(environment: Path) -> str:
    """Install the harness where it is not there yet; returns its version."""
    python = environment / "bin" / "python"
    # The command is the last thing that is installed.
    if not (environment / "bin" / "swebench").is_file():
        print(f"installing {PACKAGE} into {environment}")
        venv.create(environment, with_pip=True)
        done = subprocess.run(
            [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", PACKAGE],
            check=False,
        )
        if done.returncode:
            raise VoidError(f"{PACKAGE} could not be installed")
    code = "from importlib.metadata import version; print(version('swebench'))"
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


@dataclass(frozen=True)
class Round:
    """Seconds that four evaluations took, one after the other."""

    judge: float
    plain: float
    no_grace: float
    ships: float
    start: float
    """Of that, the command's own start and report: it runs again with nothing left to do."""


def measured(bench: Bench, task: Task, harness: Harness) -> Round:
    """All sides once."""
    judge = seconds(lambda: bench.verdicts(task, COUNT))
    plain = seconds(lambda: plain_loop(bench.engine, task, COUNT))
    _, no_grace = evaluated(harness, grace=False)
    run_id, ships = evaluated(harness, grace=True)
    start = seconds(lambda: harness.run(grace=True, run_id=run_id))
    return Round(judge, plain, no_grace, ships, start)


def evaluated(harness: Harness, *, grace: bool) -> tuple[str, float]:
    """One checked run of the harness: its id and seconds."""
    run_id = uuid.uuid4().hex
    started = time.perf_counter()
    said = harness.run(grace=grace, run_id=run_id)
    taken = time.perf_counter() - started
    harness.check(run_id, said, grace=grace)
    return run_id, taken


def compared(environment: Path, rounds: int) -> list[Round]:
    """Build the task, once for all sides; measure."""
    if shutil.which("docker") is None:
        raise VoidError("the harness calls the `docker` command, and there is none")
    print(f"swebench {installed(environment)} in {environment}")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        task = bench.task(0)
        (own := Path(folder) / "harness").mkdir()
        harness = Harness(environment, bench.engine, own)
        try:
            harness.prepare(task)
            bench.verdict(task)
            evaluated(harness, grace=False)
            return [measured(bench, task, harness) for _ in range(rounds)]
        finally:
            harness.close()
            bench.engine.close()


def load() -> str:
    """How busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    cache = cache_folder(os.environ) / "benchmarks" / "swebench-5"
    parser.add_argument("--env", type=Path, default=cache, help="where the harness is installed")
    options = parser.parse_args()
    before = load()
    try:
        found = compared(options.env.resolve(), options.rounds)
    except (VoidError, SystemExit) as void:
        print(f"void: {str(void)[-5000:]}", file=sys.stderr)
        return 2

    def middle(of: str) -> float:
        return median(float(vars(one)[of]) for one in found)

    def ratio(to: str) -> float:
        return median(one.judge / float(vars(one)[to]) for one in found)

    print(f"{COUNT} evaluations one by one, medians of {options.rounds}; {before}, then {load()}")
    print(
        f"every run of the harness resolved {COUNT} of {COUNT}; its grace is taken away by a start"
    )
    print("script that turns its `docker stop --time=15` into `--time=0` and changes nothing else")
    for name in ("judge", "plain", "no_grace", "ships", "start"):
        print(f"  {name:<10} {middle(name):6.2f} s")
    bare = median(one.judge / (one.no_grace - one.start) for one in found)
    print(f"against the harness without grace and start, for the record: {bare:.2f} x")
    figures = [
        Measured("four verdicts against a loop of plain engine calls", ratio("plain"), 1.5, "x"),
        Measured("against the harness without its stop grace", ratio("no_grace"), 0.7, "x"),
        Measured("against the harness as it ships", ratio("ships"), 0.1, "x"),
    ]
    for figure in figures:
        print(figure)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
