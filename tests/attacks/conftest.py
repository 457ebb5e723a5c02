"""The samples, and all wanted attacks on them, judged by a few threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from core.types import Verdict
from sandbox.attacks.arena import Arena, arena
from sandbox.attacks.attack import Attack
from sandbox.attacks.sample import Sample
from sandbox.discover import connect
from sandbox.image import Images
from sandbox.network import PASSED_ON, Network
from sandbox.recipe import EnvironmentSettings


@pytest.fixture(scope="session")
def built(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Sample], AbstractContextManager[Arena]]]:
    """Builds samples and removes their images."""
    engine = connect(os.environ)
    bundle = Path(os.environ.get("SSL_CERT_FILE", ""))
    network = Network(
        {name: os.environ[name] for name in PASSED_ON if name in os.environ},
        bundle.read_bytes() if bundle.is_file() else None,
    )

    def build(sample: Sample) -> AbstractContextManager[Arena]:
        folder = tmp_path_factory.mktemp("arena")
        return arena(
            engine,
            sample,
            folder / sample.name,
            lambda repository: Images(
                engine=engine,
                repository=repository,
                settings=EnvironmentSettings(),
                network=network,
                logs=folder / "logs",
                tell=print,
            ),
        )

    yield build
    engine.close()


@pytest.fixture(scope="session")
def ring(
    built: Callable[[Sample], AbstractContextManager[Arena]],
) -> Iterator[Callable[[Sample], Arena]]:
    """Where a sample's patches are judged; built when it is first asked for, by one thread."""
    made: dict[str, Arena] = {}
    with ExitStack() as stack:

        def of(sample: Sample) -> Arena:
            if sample.name not in made:
                made[sample.name] = stack.enter_context(built(sample))
            return made[sample.name]

        yield of


@pytest.fixture(scope="session")
def verdict_on(
    ring: Callable[[Sample], Arena], request: pytest.FixtureRequest
) -> Iterator[Callable[[Attack], Verdict]]:
    """How an attack ended. Those that this session asks for are judged two at a time."""
    parameters = (getattr(item, "callspec", None) for item in request.session.items)
    wanted = [p.params["attack"] for p in parameters if p is not None and "attack" in p.params]
    rings = [ring(attack.sample) for attack in wanted]
    pool = ThreadPoolExecutor(2)
    judged = {a.id: pool.submit(r.judged, a.text) for r, a in zip(rings, wanted, strict=True)}
    yield lambda attack: judged[attack.id].result()
    pool.shutdown(cancel_futures=True)
