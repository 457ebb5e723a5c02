"""Each package manager and runner of Node through real containers: build, names, outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.chosen import chosen
from support.repos import Repo
from support.samples_node import NODE_SAMPLES, NodeSample

from core.git import Repository
from sandbox.docker import DockerEngine
from sandbox.engine import Limits
from sandbox.image import Images
from sandbox.network import Network
from sandbox.recipe import EnvironmentSettings
from sandbox.results import Status
from sandbox.suite import Order, Suite, run_suite
from sandbox.tripwires import split, tripwires

pytestmark = pytest.mark.docker
LIMITS = Limits(seconds=120, cpus=2, memory_mib=2048)
DAY = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ran(
    engine: DockerEngine,
    base: str,
    network: Network,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Mapping[str, Future[Suite]]]:
    """All that are wanted at once, since installing is mostly waiting."""

    def run(sample: NodeSample, folder: Path) -> Suite:
        commit = Repo(folder / "repo").commit("Start", dict(sample.files))
        images = Images(
            engine=engine,
            repository=Repository(folder / "repo"),
            settings=EnvironmentSettings(),
            network=network,
            logs=folder / "logs",
            tell=print,
        )
        (recipe,) = images.recipes(commit, DAY)
        order = Order(
            image=images.prepare(commit, recipe).image,
            command=recipe.test_script(),
            results=recipe.results,
            tripwires=tripwires([sample.test_file], recipe.test_script()),
            limits=LIMITS,
        )
        return run_suite(engine, order)

    assert base
    with ThreadPoolExecutor(3) as pool:
        yield {
            name: pool.submit(run, sample, tmp_path_factory.mktemp("sample"))
            for name, sample in chosen(NODE_SAMPLES, request).items()
        }


@pytest.mark.parametrize("name", NODE_SAMPLES)
def test_a_runner_is_installed_run_and_read(name: str, ran: Mapping[str, Future[Suite]]) -> None:
    suite, sample = ran[name].result(), NODE_SAMPLES[name]
    assert suite.run is not None, suite.ran.output
    planted = [name for wire in suite.order.tripwires for name in wire.names]
    statuses, told = split(suite.run, planted)
    assert statuses.statuses == sample.statuses, suite.ran.output
    assert statuses.ran
    assert told == dict.fromkeys(planted, Status.FAILED)
    # Of these two it is known how a test is added at the end of a file as well.
    appended = ["script-appended"] * sample.runner.startswith(("jest", "vitest"))
    assert [wire.kind for wire in suite.order.tripwires] == ["script", *appended]
    resolved = suite.note("resolved.txt")
    assert resolved[0] == sample.told
    assert sample.runner in resolved
