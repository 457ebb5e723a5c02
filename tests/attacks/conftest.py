"""The samples, and all wanted attacks on them judged by a few threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from core.types import Verdict
from sandbox.attacks.arena import LIMITS, Arena, arena
from sandbox.attacks.attack import Attack
from sandbox.attacks.sample import SAMPLES, Sample
from sandbox.discover import connect
from sandbox.engine import Limits
from sandbox.image import Images
from sandbox.network import PASSED_ON, Network
from sandbox.recipe import EnvironmentSettings


@pytest.fixture(scope="session")
def built(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., AbstractContextManager[Arena]]]:
    """Builds samples and removes their images."""
    engine = connect(os.environ)
    bundle = Path(os.environ.get("SSL_CERT_FILE", ""))
    network = Network(
        {name: os.environ[name] for name in PASSED_ON if name in os.environ},
        bundle.read_bytes() if bundle.is_file() else None,
    )

    def build(*samples: Sample, limits: Limits = LIMITS) -> AbstractContextManager[Arena]:
        folder = tmp_path_factory.mktemp("arena")
        return arena(
            engine,
            samples,
            folder / "samples",
            lambda repository: Images(
                engine=engine,
                repository=repository,
                settings=EnvironmentSettings(),
                network=network,
                logs=folder / "logs",
                tell=print,
            ),
            limits,
        )

    yield build
    engine.close()


@pytest.fixture(scope="session")
def ring(built: Callable[..., AbstractContextManager[Arena]]) -> Iterator[Arena]:
    """The samples and the judge."""
    with built(*SAMPLES) as made:
        yield made


@pytest.fixture(scope="session")
def verdict_on(
    ring: Arena, request: pytest.FixtureRequest
) -> Iterator[Callable[[Attack], Verdict]]:
    """How an attack ended. Those that this session asks for are judged two at a time."""
    parameters = (getattr(item, "callspec", None) for item in request.session.items)
    wanted = [p.params["attack"] for p in parameters if p is not None and "attack" in p.params]
    pool = ThreadPoolExecutor(2)
    judged = {attack.id: pool.submit(ring.judged, attack) for attack in wanted}
    yield lambda attack: judged[attack.id].result()
    pool.shutdown(cancel_futures=True)
