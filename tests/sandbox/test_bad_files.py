"""A bad test file takes all others with it: they are run again without that file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from support.calc_repo import FILES, FIX_CALC, MORE_TESTS, CalcRepo, diff
from support.repos import Repo
from support.samples import SAMPLES
from support.tasks import make_task

from core.git import Repository
from core.types import Candidate, Dropped, Outcome, Patch, Stop, Task
from sandbox.docker import DockerEngine
from sandbox.engine import Limits
from sandbox.image import Images
from sandbox.judge import Judge
from sandbox.network import Network
from sandbox.recipe import EnvironmentSettings
from sandbox.validate import Validator

pytestmark = pytest.mark.docker
LIMITS = Limits(seconds=60, cpus=2, memory_mib=2048)
SETTINGS = EnvironmentSettings(test=("sh run.sh",), results="tap")
# Reads all files before it runs the first, as mocha, cargo or the Go compiler do.
RUNNER = """for file in tests/*.sh; do
  need=$(sed -n 's/^# needs //p' "$file")
  grep -q "$need" add.sh || { echo "/repo/$file:1: there is no $need" >&2; exit 2; }
done
n=0
for file in tests/*.sh; do
  n=$((n + 1))
  if sh "$file"; then echo "ok $n - $file"; else echo "not ok $n - $file"; fi
done
echo "1..$n"
"""
ADD = "echo $(($1 - $2))\n"
SUB = 'test "$(sh add.sh 5 5)" != 1\n'
GOOD = {"run.sh": RUNNER, "add.sh": ADD, "tests/sub.sh": SUB}


class Bench:
    """A repository with a candidate, proven and judged."""

    def __init__(self, engine: DockerEngine, network: Network, folder: Path):
        self.engine, self.network, self.folder = engine, network, folder

    def prove(
        self,
        files: Mapping[str, str],
        fix: Mapping[str, str],
        tests: Mapping[str, str],
        settings: EnvironmentSettings = SETTINGS,
    ) -> Task | Dropped:
        start = Repo(self.folder / "repo").commit("Start", dict(files))
        images = Images(
            engine=self.engine,
            repository=Repository(self.folder / "repo"),
            settings=settings,
            network=self.network,
            logs=self.folder / "logs",
            tell=print,
        )
        validator = Validator(self.engine, images, settings, LIMITS, runs=1)
        known = make_task().model_dump(include=set(Candidate.model_fields))
        changes = {
            "base_commit": start,
            "gold_patch": diff(fix, files),
            "test_patch": diff(tests, files),
            "source_files": tuple(fix),
            "test_files": tuple(tests),
        }
        return validator.validate(Candidate(**{**known, **changes}))

    def judge(self, task: Task, text: str) -> Outcome:
        patch = Patch(
            task_id=task.id, entrant="e", attempt=1, diff=text, stop=Stop.ANSWERED,
            cost_usd=None, usage=None, seconds=None,
        )  # fmt: skip
        return Judge(self.engine, LIMITS).judge(task, patch).outcome


@pytest.fixture
def bench(engine: DockerEngine, base: str, network: Network, tmp_path: Path) -> Bench:
    assert base
    return Bench(engine, network, tmp_path)


def test_a_file_that_is_bad_with_the_fix_as_well(bench: Bench) -> None:
    """Bug: one old test that could not be read here cost every task of the repository."""
    task = bench.prove(
        {**GOOD, "tests/old.sh": "# needs what this machine has not\n"},
        {"add.sh": ADD.replace("-", "+")},
        {"tests/add.sh": 'test "$(sh add.sh 2 3)" = 5\n'},
    )
    assert isinstance(task, Task), task
    assert task.left_out == ("tests/old.sh",)
    assert (task.fail_to_pass, task.pass_to_pass) == (("tests/add.sh",), ("tests/sub.sh",))
    assert bench.judge(task, task.gold_patch) is Outcome.PASSED
    again = {"NOTES": "1\n", "tests/old.sh": "exit 0\n"}
    assert bench.judge(task, diff(again, {})) is Outcome.FAILED


@pytest.mark.parametrize(
    ("name", "path", "text"),
    [
        ("go", "old_test.go", "package calc\n\nfunc init() { Gone() }\n"),
        ("rust", "tests/old.rs", "#[test]\nfn old() { gone(); }\n"),
    ],
)
def test_a_file_that_does_not_compile(bench: Bench, name: str, path: str, text: str) -> None:
    """Bug: cargo's own words went into the results, so nobody could tell which file it was."""
    sample = SAMPLES[name]
    plain = EnvironmentSettings()
    task = bench.prove({**sample.files, path: text}, sample.fix, sample.tests, plain)
    assert isinstance(task, Task), task
    assert task.left_out == (path,)
    assert (task.fail_to_pass, task.pass_to_pass) == ((sample.fixed,), (sample.kept,))
    assert task.tripwires
    assert bench.judge(task, task.gold_patch) is Outcome.PASSED


def test_a_fix_that_only_changes_a_test_which_cannot_be_read_before_it(bench: Bench) -> None:
    """Bug: the test passed as it was before the change, and so the fix seemed to prove nothing."""
    task = bench.prove(
        {**GOOD, "tests/add.sh": 'test "$(sh add.sh 2 2)" = 0\n'},
        {"add.sh": "# three numbers\necho $(($1 + $2 + $3))\n"},
        {"tests/add.sh": '# needs three numbers\ntest "$(sh add.sh 2 3 4)" = 9\n'},
    )
    assert isinstance(task, Task), task
    assert (task.fail_to_pass, task.pass_to_pass) == (("tests/add.sh",), ("tests/sub.sh",))
    assert task.left_out == ()
    assert bench.judge(task, task.gold_patch) is Outcome.PASSED
    assert bench.judge(task, diff({"NOTES": "1\n"}, {})) is Outcome.FAILED


KNOWN = """import os

import pytest


def pytest_collection_modifyitems(items):
    unknown = {os.path.basename(str(i.fspath)) for i in items} - {"test_calc.py", "test_other.py"}
    if unknown:
        raise pytest.UsageError("unknown test files: %s" % unknown)
"""


def test_a_suite_that_knows_its_own_files(validator: Validator, calc: CalcRepo) -> None:
    """Bug: tripwires, which no such suite knows, kept all of its tests from running."""
    tests = {**MORE_TESTS, "tests/conftest.py": KNOWN}
    task = replace(validator, runs=1).validate(calc.candidate(tests=tests))
    assert isinstance(task, Task), task
    assert task.tripwires == ()
    assert len(task.pass_to_pass) == len([name for name in FILES if name.startswith("tests/")])
    judge = Judge(validator.engine, LIMITS)
    patch = Patch(
        task_id=task.id, entrant="e", attempt=1, diff=diff(FIX_CALC), stop=Stop.ANSWERED,
        cost_usd=None, usage=None, seconds=None,
    )  # fmt: skip
    assert judge.judge(task, patch).outcome is Outcome.PASSED
