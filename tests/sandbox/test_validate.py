"""Candidates proven or dropped in real containers, and images that are built once."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.calc_repo import (
    ADD,
    CALC,
    COMMITTED_AT,
    MORE_TESTS,
    SUB,
    TEST_ADD,
    TESTS,
    CalcRepo,
)
from support.containers import own_containers, tags

from core.types import Candidate, Dropped, DropReason, Task
from sandbox.docker import DockerEngine
from sandbox.engine import Build, Limits, Ran
from sandbox.image import Images, Prepared
from sandbox.network import Network
from sandbox.recipe import EnvironmentSettings
from sandbox.validate import Validator

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def _nothing_left(engine: DockerEngine) -> Iterator[None]:
    yield
    assert own_containers(engine) == []


@pytest.fixture
def once(validator: Validator) -> Validator:
    """One run a side, for what needs no second look."""
    return dataclasses.replace(validator, runs=1)


def dropped(validator: Validator, candidate: Candidate) -> Dropped:
    result = validator.validate(candidate)
    assert isinstance(result, Dropped), result
    assert (result.stage, result.commit) == ("validate", candidate.fix_commit)
    assert result.key == validator.key(candidate)
    return result


def test_a_valid_candidate_becomes_a_task(
    engine: DockerEngine, validator: Validator, calc: CalcRepo, task: Task
) -> None:
    assert (task.fail_to_pass, task.pass_to_pass, task.unstable) == ((ADD,), SUB, ())
    assert (task.environment.recipe, task.scope) == ("files", "suite")
    assert task.environment.toolchain.startswith("Python 3.11.")
    assert task.environment.resolved[0].startswith("as of 20")
    assert any(line.startswith("pytest==") for line in task.environment.resolved)
    assert task.image.startswith("sha256:")
    assert engine.image_id(task.image) == task.image
    assert task.key == validator.key(calc.candidate())


STRICT = """[pytest]
addopts = -x --ff --strict-config
cache_dir = .cached
filterwarnings = error
"""


def test_a_repository_that_is_strict_with_pytest(validator: Validator, calc: CalcRepo) -> None:
    """Bug: where warnings are errors, no test ran, since pytest warned of our plugin.

    And a repository's -x ended the run at the first failure: the rest seemed to be fixed by
    the fix.
    """
    task = validator.validate(calc.candidate(tests={**MORE_TESTS, "pytest.ini": STRICT}))
    assert isinstance(task, Task), task
    assert (task.fail_to_pass, task.pass_to_pass, task.unstable) == ((ADD,), SUB, ())


def test_a_name_that_only_the_fix_brings(once: Validator, calc: CalcRepo) -> None:
    """The test file cannot be imported before: its tests fail there."""
    candidate = calc.candidate(
        fix={"calc.py": CALC + "\n\ndef mul(a, b):\n    return a * b\n"},
        tests={"tests/test_mul.py": MUL},
    )
    task = once.validate(candidate)
    assert isinstance(task, Task)
    assert task.fail_to_pass == ("tests/test_mul.py::test",)
    assert task.pass_to_pass == SUB


def test_a_name_that_only_the_fix_brings_to_the_only_test_file(
    once: Validator, calc: CalcRepo
) -> None:
    """Bug: with no other test to run before the fix, this was taken for a broken environment."""
    tests = {"tests/test_calc.py": None, "tests/test_other.py": None, "tests/test_mul.py": MUL}
    candidate = calc.candidate(
        fix={"calc.py": CALC + "\n\ndef mul(a, b):\n    return a * b\n"}, tests=tests
    )
    task = once.validate(candidate)
    assert isinstance(task, Task), task
    assert (task.fail_to_pass, task.pass_to_pass) == (("tests/test_mul.py::test",), ())


@pytest.fixture
def enough(once: Validator, calc: CalcRepo) -> float:
    """Seconds that are several times what a run of the suite takes, as busy as the machine is."""
    started = time.monotonic()
    assert isinstance(once.validate(calc.candidate()), Task)
    return max(4.0, 3 * (time.monotonic() - started))


def sleeping(seconds: float) -> str:
    """The head of a test file that takes this long after the fix, and no time before it."""
    return f"import time\nimport calc\n\ntime.sleep({seconds} * (calc.add(2, 3) == 5))\n"


def test_a_suite_that_takes_its_limit_several_times_over(
    validator: Validator, calc: CalcRepo, enough: float
) -> None:
    """Bug: the limit for one run of the suite was that of all its repetitions together."""
    slow = sleeping(enough / 2) + TESTS + TEST_ADD
    limited = dataclasses.replace(validator, limits=Limits(seconds=enough), runs=3)
    assert isinstance(limited.validate(calc.candidate(tests={"tests/test_calc.py": slow})), Task)


def test_a_suite_too_slow_for_the_time_there_is(
    validator: Validator, calc: CalcRepo, enough: float
) -> None:
    """Then both lists come from the files that the fix touched, and the task says so."""
    quick = dataclasses.replace(validator, limits=Limits(seconds=enough), runs=1)
    tests = {**MORE_TESTS, "tests/test_slow.py": sleeping(3600) + TESTS}
    task = quick.validate(calc.candidate(tests=tests, test_files=("tests/test_calc.py",)))
    assert isinstance(task, Task), task
    assert task.scope == "files"
    assert (task.fail_to_pass, task.pass_to_pass) == ((ADD,), SUB[:1])
    assert task.test_command.endswith(" tests/test_calc.py")


MUL = "from calc import mul\n\n\ndef test():\n    assert mul(2, 3) == 6\n"
FLAKY = """

def test_order():
    import os
    assert os.environ["PYTHONHASHSEED"] == "0" and calc.add(2, 3) == 5
"""


def test_a_result_that_follows_the_hash_seed_proves_nothing(
    validator: Validator, calc: CalcRepo
) -> None:
    found = dropped(validator, calc.candidate(tests={"tests/test_calc.py": TESTS + FLAKY}))
    assert found.reason is DropReason.FLAKY
    assert found.detail == "tests/test_calc.py::test_order"


def test_tests_that_pass_before_the_fix(once: Validator, calc: CalcRepo) -> None:
    more = {"tests/test_calc.py": TESTS + "\n\ndef test_zero():\n    assert calc.add(2, 0) == 2\n"}
    found = dropped(once, calc.candidate(tests=more))
    assert found.reason is DropReason.NO_FAIL_TO_PASS


def test_tests_that_fail_after_the_fix(once: Validator, calc: CalcRepo) -> None:
    more = {"tests/test_calc.py": TESTS + TEST_ADD.replace("== 5", "== 6")}
    found = dropped(once, calc.candidate(tests=more))
    assert (found.reason, found.detail) == (DropReason.FAILS_AFTER_FIX, ADD)


def test_tests_that_cannot_even_be_imported_after_the_fix(once: Validator, calc: CalcRepo) -> None:
    """Bug: of old code on a new interpreter it was said that the tests pass without the fix."""
    found = dropped(once, calc.candidate(tests={"tests/test_new.py": "import no_such_module\n"}))
    assert found.reason is DropReason.FAILS_AFTER_FIX
    assert found.detail == "not importable with the fix: tests/test_new.py"


def test_a_patch_that_does_not_fit_its_base(once: Validator, calc: CalcRepo) -> None:
    candidate = calc.candidate(gold_patch=calc.candidate().gold_patch.replace("a - b", "a * b"))
    found = dropped(once, candidate)
    assert found.reason is DropReason.ENVIRONMENT_BROKEN
    assert "model patch rejected after the fix" in found.detail


def test_an_endless_loop(validator: Validator, calc: CalcRepo) -> None:
    quick = dataclasses.replace(validator, limits=Limits(seconds=4), runs=1)
    found = dropped(quick, calc.candidate(fix={"calc.py": "while True:\n    pass\n"}))
    assert found.reason is DropReason.TIMED_OUT
    assert found.detail.startswith("after the fix, it took longer than 4 s")


HANGS = """

def test_add():
    while calc.add(2, 3) != 5:
        pass
"""


def test_the_fix_of_a_hang(once: Validator, calc: CalcRepo) -> None:
    """Bug: the fix of a hang ran out of time before the fix, and was no task."""
    quick = dataclasses.replace(once, limits=dataclasses.replace(once.limits, seconds=20))
    task = quick.validate(calc.candidate(tests={"tests/test_calc.py": TESTS + HANGS}))
    assert isinstance(task, Task), task
    assert (task.fail_to_pass, task.pass_to_pass) == ((ADD,), SUB)


def test_an_environment_that_cannot_be_built(
    engine: DockerEngine, validator: Validator, calc: CalcRepo
) -> None:
    """The reason is what the installer said, and no half image stays behind."""
    before = tags(engine)
    found = dropped(validator, calc.candidate(base_commit=calc.unbuildable))
    assert found.reason is DropReason.ENVIRONMENT_BROKEN
    assert found.detail.startswith("patchmark/dependencies of ")
    assert "patchmark" in found.detail.partition(": ")[2]
    assert {tag for tag in tags(engine) - before if "dependencies" in tag} == set()


def test_the_key_follows_what_was_tried(validator: Validator, calc: CalcRepo) -> None:
    known = validator.key(calc.candidate())
    assert validator.key(calc.candidate()) == known
    assert validator.key(calc.candidate(title="other", statement="other")) == known
    others = [
        validator.key(calc.candidate(test_patch="other")),
        validator.key(calc.candidate(base_commit=calc.unbuildable)),
        dataclasses.replace(validator, runs=5).key(calc.candidate()),
        dataclasses.replace(validator, limits=Limits(seconds=9)).key(calc.candidate()),
        dataclasses.replace(validator, settings=EnvironmentSettings(pytest_args=("-x",))).key(
            calc.candidate()
        ),
    ]
    assert len({known, *others}) == 6


class Counting(DockerEngine):
    """The engine, keeping book of the builds that it was asked for."""

    def __init__(self, endpoint: str):
        super().__init__(endpoint)
        self.built: list[str] = []

    def build(self, build: Build) -> Ran:
        self.built.append(build.tag)
        return super().build(build)


@pytest.fixture
def counting(engine: DockerEngine) -> Iterator[Counting]:
    counting = Counting(engine.endpoint)
    yield counting
    counting.close()


def of(engine: DockerEngine, calc: CalcRepo, network: Network, logs: Path, **set_: str) -> Images:
    return Images(
        engine=engine,
        repository=calc.repository,
        settings=EnvironmentSettings(
            setup=(set_["setup"],) if "setup" in set_ else (), image=set_.get("image")
        ),
        network=network,
        logs=logs,
        tell=print,
    )


def prepared(images: Images, calc: CalcRepo) -> Prepared:
    return images.prepare(calc.base, images.recipes(calc.base, COMMITTED_AT)[0])


def test_a_second_preparation_builds_nothing(
    counting: Counting, calc: CalcRepo, network: Network, task: Task, tmp_path: Path
) -> None:
    """Equal candidates share one image, in this process and in the next."""
    found = prepared(of(counting, calc, network, tmp_path), calc)
    assert (found.image, counting.built) == (task.image, [])


def test_two_threads_build_an_image_once(
    counting: Counting,
    calc: CalcRepo,
    images: Images,
    network: Network,
    task: Task,
    tmp_path: Path,
) -> None:
    """Only the layer whose recipe differs is built; the one below is shared."""
    more = of(counting, calc, network, tmp_path, setup="echo set up > /made")
    together = threading.Barrier(2)

    def prepare() -> str:
        together.wait(10)
        return prepared(more, calc).image

    with ThreadPoolExecutor(2) as pool:
        first, second = (future.result() for future in [pool.submit(prepare) for _ in range(2)])
    assert first == second != task.image
    assert [tag.partition(":")[0] for tag in counting.built] == ["patchmark/task"]
    assert len(list(tmp_path.glob("build-*.log"))) == 1
