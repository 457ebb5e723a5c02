"""Where base images come from: a registry, the user's own image, or a clear refusal."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.calc_repo import COMMITTED_AT, CalcRepo
from support.registry import Registry

from core.errors import InfrastructureError
from sandbox.base import USER, base_tag, ensure_base
from sandbox.docker import DockerEngine
from sandbox.ecosystems.python import toolchain
from sandbox.engine import Job
from sandbox.image import BrokenEnvironmentError, Images
from sandbox.network import Network
from sandbox.recipe import EnvironmentSettings, Toolchain

pytestmark = pytest.mark.docker


@pytest.fixture
def tiny(engine: DockerEngine) -> Iterator[str]:
    """A pullable image; taken away again."""
    with Registry() as registry:
        name = f"{registry.host}/tiny:1"
        yield name
        if engine.image_id(name):
            engine._api.remove_image(name)


def test_an_image_is_pulled_from_a_registry(engine: DockerEngine, tiny: str) -> None:
    assert engine.image_id(tiny) is None
    assert engine.pull(tiny)
    assert engine.image_id(tiny)


def test_what_no_registry_has_is_no_error(engine: DockerEngine, tiny: str) -> None:
    assert not engine.pull(tiny.replace(":1", ":2"))
    assert not engine.pull("127.0.0.1:1/tiny:1")


def test_what_all_bases_begin_with_is_made_once(
    engine: DockerEngine, base: str, network: Network
) -> None:
    """Bug: each toolchain's base, with no registry, installed uv and its like anew."""
    if not any(tag.startswith("patchmark/root:") for tag in _tags(engine)):
        pytest.skip("bases are made of official images here")
    made = []
    try:
        for name in ("one", "two"):
            toolchain = Toolchain(name=f"shared {name}", install=f"echo {uuid.uuid4()} > /made")
            made.append(ensure_base(engine, toolchain, network, print))
        one, two = (engine._api.inspect_image(tag)["RootFS"]["Layers"] for tag in made)
        assert (one[:-1], one[-1] != two[-1]) == (two[:-1], True)
        # The system, what all have in common, and the toolchain.
        assert len(one) == 3
    finally:
        for tag in made:
            engine._api.remove_image(tag)


def _tags(engine: DockerEngine) -> list[str]:
    return [tag for image in engine._api.images() for tag in image["RepoTags"] or ()]


def test_the_users_own_image_gets_what_patchmark_needs(
    engine: DockerEngine, base: str, network: Network
) -> None:
    """Bug: `[environment] image` was taken as it is, and had no uv to install with."""
    tag = ensure_base(engine, toolchain("3.11"), network, print, image=base)
    assert tag == base_tag(toolchain("3.11"), engine.image_id(base) or "")
    try:
        ran = engine.run(
            Job(image=tag, command=("/opt/patchmark/uv/bin/uv", "--version"), user=USER)
        )
        assert (ran.exit_code, ran.output[:3]) == (0, "uv ")
    finally:
        engine._api.remove_image(tag)


def test_an_own_image_that_cannot_serve_says_why(
    engine: DockerEngine, network: Network, tiny: str
) -> None:
    with pytest.raises(InfrastructureError, match=r"made of 127\.0\.0\.1.*needs a shell"):
        ensure_base(engine, toolchain("3.11"), network, print, image=tiny)
    with pytest.raises(InfrastructureError, match=r"\[environment\] image = '127.0.0.1:1/no:1'"):
        ensure_base(engine, toolchain("3.11"), network, print, image="127.0.0.1:1/no:1")


def test_an_interpreter_that_cannot_be_had_costs_its_commits_only(
    engine: DockerEngine, network: Network, calc: CalcRepo, tmp_path: Path
) -> None:
    """Bug: the first commit that needs another Python ended the whole run.

    It is asked for once, and not noted as a lasting fault of the repository.
    """
    told: list[str] = []
    images = Images(
        engine=engine,
        repository=calc.repository,
        settings=EnvironmentSettings(image="127.0.0.1:1/no:1"),
        network=network,
        logs=tmp_path,
        tell=told.append,
    )
    for _ in range(2):
        with pytest.raises(BrokenEnvironmentError, match="cannot be pulled") as caught:
            images.prepare(calc.base, images.recipes(calc.base, COMMITTED_AT)[0])
        assert not caught.value.lasting
    assert told == ["pulling 127.0.0.1:1/no:1"]
