"""A container engine, and a tiny repository with an image that is built once a session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.calc_repo import CalcRepo
from support.containers import own_containers, tags
from support.own_engine import OwnEngine, can_start, load_small

from core.errors import EngineError
from core.types import Task
from sandbox.base import base_tag, ensure_base
from sandbox.discover import connect
from sandbox.docker import DockerEngine
from sandbox.ecosystems.python import toolchain
from sandbox.engine import Limits
from sandbox.image import Images
from sandbox.network import PASSED_ON, Network
from sandbox.recipe import EnvironmentSettings
from sandbox.validate import Validator

LIMITS = Limits(seconds=60, memory_mib=512, processes=64)


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    """The engine of this machine; without one these tests fail, for they prove the most."""
    try:
        engine = connect(os.environ)
    except EngineError as error:
        pytest.fail(f"tests marked `docker` need a container engine (make test): {error}")
    yield engine
    left = own_containers(engine)
    engine.close()
    assert left == []


@pytest.fixture(scope="session")
def own() -> Iterator[OwnEngine]:
    """An engine that nobody else uses, with a small image."""
    if not can_start():
        pytest.skip("needs root and dockerd")
    with OwnEngine() as own:
        engine = DockerEngine(own.endpoint)
        load_small(engine)
        engine.close()
        yield own


@pytest.fixture
def alone(own: OwnEngine) -> Iterator[DockerEngine]:
    """It; whatever a test did there: nothing is left."""
    before = own.everything()
    engine = DockerEngine(own.endpoint)
    yield engine
    assert engine.close() == []
    assert own.everything() == before


@pytest.fixture(scope="session")
def network() -> Network:
    """What builds need on this machine."""
    bundle = os.environ.get("SSL_CERT_FILE", "")
    return Network(
        {name: os.environ[name] for name in PASSED_ON if name in os.environ},
        Path(bundle).read_bytes() if Path(bundle).is_file() else None,
    )


@pytest.fixture(scope="session")
def base(engine: DockerEngine, network: Network) -> str:
    """Tag of the base image."""
    tag = ensure_base(engine, toolchain("3.11"), network, print)
    assert tag == base_tag(toolchain("3.11"))
    return tag


@pytest.fixture(scope="session")
def calc(tmp_path_factory: pytest.TempPathFactory) -> CalcRepo:
    """The tiny repository."""
    return CalcRepo.make(tmp_path_factory.mktemp("calc"))


@pytest.fixture(scope="session")
def images(
    engine: DockerEngine,
    base: str,
    calc: CalcRepo,
    network: Network,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Images]:
    """Its images; all that were made are removed with the session."""
    made = Images(
        engine=engine,
        repository=calc.repository,
        settings=EnvironmentSettings(),
        network=network,
        logs=tmp_path_factory.mktemp("logs"),
        tell=print,
    )
    yield made
    for tag in tags(engine):
        engine._api.remove_image(tag)
    with suppress(engine._docker.errors.NotFound):
        engine._api.remove_volume(f"patchmark-cache-{made._cache_name()}")


@pytest.fixture(scope="session")
def validator(engine: DockerEngine, images: Images) -> Validator:
    """Two runs a side, so that it is quick."""
    return Validator(engine, images, EnvironmentSettings(), LIMITS, runs=2)


@pytest.fixture(scope="session")
def task(validator: Validator, calc: CalcRepo) -> Task:
    """The tiny repository's proven task."""
    task = validator.validate(calc.candidate())
    assert isinstance(task, Task), task
    return task
