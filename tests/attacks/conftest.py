"""A proven task of the tiny repository, and a judge with small limits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.calc_repo import CalcRepo

from core.types import Task
from sandbox.discover import connect
from sandbox.docker import DockerEngine
from sandbox.engine import Limits
from sandbox.image import Images
from sandbox.judge import Judge
from sandbox.network import PASSED_ON, Network
from sandbox.recipe import EnvironmentSettings
from sandbox.validate import Validator

LIMITS = Limits(seconds=8, memory_mib=256, processes=64)


@pytest.fixture(scope="session")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Judge, Task]]:
    """The judge and the task; the task's image is removed at the end."""
    folder = tmp_path_factory.mktemp("arena")
    engine: DockerEngine = connect(os.environ)
    bundle = Path(os.environ.get("SSL_CERT_FILE", ""))
    network = Network(
        {name: os.environ[name] for name in PASSED_ON if name in os.environ},
        bundle.read_bytes() if bundle.is_file() else None,
    )
    repo = CalcRepo.make(folder / "calc")
    images = Images(
        engine=engine,
        repository=repo.repository,
        settings=EnvironmentSettings(),
        network=network,
        logs=folder / "logs",
        tell=print,
    )
    task = Validator(engine, images, EnvironmentSettings(), LIMITS, runs=1).validate(
        repo.candidate()
    )
    assert isinstance(task, Task), task
    yield Judge(engine, LIMITS), task
    engine.remove_image(task.image)
    engine.close()
