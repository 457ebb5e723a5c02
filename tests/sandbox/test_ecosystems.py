"""Each ecosystem once through real containers: recipe, runner and results."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.calc_repo import diff
from support.chosen import chosen
from support.repos import Repo
from support.samples import SAMPLES, Sample

from core.git import Repository
from core.types import Candidate, Dropped, Outcome, Patch, StatementSource, Stop, Task
from sandbox.docker import DockerEngine
from sandbox.engine import Limits
from sandbox.image import Images
from sandbox.interpreters import find_python
from sandbox.judge import Judge
from sandbox.network import Network
from sandbox.recipe import EnvironmentSettings
from sandbox.validate import Validator

pytestmark = pytest.mark.docker
LIMITS = Limits(seconds=120, cpus=2, memory_mib=2048)
PYTHONS = (Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions"),)


@pytest.fixture(scope="module")
def proven(
    engine: DockerEngine,
    base: str,
    network: Network,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Mapping[str, Future[Task | Dropped]]]:
    """All that are wanted at once, since installing a toolchain is mostly waiting."""

    def prove(sample: Sample, folder: Path) -> Task | Dropped:
        start = Repo(folder / "repo").commit("Start", dict(sample.files))
        settings = EnvironmentSettings(**sample.settings)  # type: ignore[arg-type]
        images = Images(
            engine=engine,
            repository=Repository(folder / "repo"),
            settings=settings,
            network=network,
            logs=folder / "logs",
            tell=print,
            pythons=PYTHONS,
        )
        return Validator(engine, images, settings, LIMITS, runs=1).validate(of(sample, start))

    assert base
    with ThreadPoolExecutor(3) as pool:
        yield {
            # The folders are made here: two threads that both make the first one fail.
            name: pool.submit(prove, sample, tmp_path_factory.mktemp("sample"))
            for name, sample in chosen(SAMPLES, request).items()
        }


def of(sample: Sample, start: str) -> Candidate:
    return Candidate(
        id="c" * 12,
        base_commit=start,
        fix_commit="c" * 40,
        committed_at=datetime(2025, 6, 1, tzinfo=UTC),
        title="add() subtracts",
        statement="add(2, 3) is -1",
        statement_source=StatementSource.COMMIT_MESSAGE,
        gold_patch=diff(sample.fix, sample.files),
        test_patch=diff(sample.tests, sample.files),
        source_files=tuple(sample.fix),
        test_files=tuple(sample.tests),
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_a_fix_is_proven_and_judged(
    name: str, engine: DockerEngine, proven: Mapping[str, Future[Task | Dropped]]
) -> None:
    sample = SAMPLES[name]
    old = str(sample.settings.get("python", ""))
    if old and find_python(old, PYTHONS) is None:
        pytest.skip(f"no Python {old} among {PYTHONS[0]}")
    task = proven[name].result()
    assert isinstance(task, Task), task
    assert (task.fail_to_pass, task.pass_to_pass) == ((sample.fixed,), (sample.kept,))
    assert not any(line.startswith("calc") for line in task.environment.resolved)
    # ctest and commands of one's own have no file to which a test could be added.
    without = name.startswith(("cmake", "shell"))
    assert bool(task.tripwires) is not without, task.tripwires
    judge = Judge(engine, LIMITS)
    assert outcome(judge, task, task.gold_patch) is Outcome.PASSED
    assert outcome(judge, task, diff({"NOTES": "nothing\n"})) is Outcome.FAILED


def outcome(judge: Judge, task: Task, text: str) -> Outcome:
    patch = Patch(
        task_id=task.id,
        entrant="e",
        attempt=1,
        diff=text,
        stop=Stop.ANSWERED,
        cost_usd=None,
        usage=None,
        seconds=None,
    )
    return judge.judge(task, patch).outcome
