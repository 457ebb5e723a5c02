"""Machines that share images through a real registry, and one that is away, locked or broken."""

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.calc_repo import CalcRepo
from support.docker_registry import PASSWORD, USER, registry
from support.own_engine import load_small
from support.tasks import make_task

from core.types import Patch, Stop
from sandbox.docker import DockerEngine
from sandbox.engine import File, Limits
from sandbox.image import Images
from sandbox.judge import verdict_key
from sandbox.network import Network
from sandbox.owned import NAMED
from sandbox.recipe import EnvironmentSettings
from sandbox.registry import ADDRESS, Registry, push
from sandbox.tars import pack

pytestmark = pytest.mark.docker


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"patchmark-test-{uuid.uuid4().hex[:12]}/dependencies"


@pytest.fixture
def tag(engine: DockerEngine, name: str) -> Iterator[str]:
    """An image of ours, as a build leaves it."""
    yield made(engine, f"{name}:1")
    for one in engine._api.images(name=name):
        for each in one["RepoTags"] or ():
            engine._api.remove_image(each, force=True)


def made(engine: DockerEngine, tag: str, says: str = "") -> str:
    """An image with a label that says what it was made as, like no other."""
    content = pack({"/filler": File(content=os.urandom(1 << 16))})
    changes = [f"LABEL {NAMED}={says or tag}"]
    engine._api.import_image_from_stream(iter([content]), *tag.rsplit(":", 1), changes=changes)
    return tag


@dataclass
class Machine:
    """What one machine has of a registry, and what it said."""

    engine: DockerEngine
    address: str
    push: bool = True
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registry = Registry(self.engine, self.address, self.said.append, push=self.push)


def test_a_second_machine_pulls_what_the_first_made(
    engine: DockerEngine, calc: CalcRepo, name: str, tag: str, tmp_path: Path
) -> None:
    """Both then know it by the same content, and so a verdict of one stands on the other."""
    start = f"{name}:start"
    load_small(engine, start)

    def prepared(on: Machine) -> str:
        images = Images(
            engine=engine, repository=calc.repository, settings=EnvironmentSettings(),
            network=Network(), logs=tmp_path, tell=print, store=on.registry,
        )  # fmt: skip
        return images._layer(f"{name}:2", start, "cat /dev/null > /made\n")

    def key(image: str) -> str:
        task = make_task(image=image)
        patch = Patch(task_id=task.id, entrant="m", attempt=1, diff="", stop=Stop.ANSWERED,
                      cost_usd=None, usage=None, seconds=None)  # fmt: skip
        return verdict_key(task, patch, Limits())

    with registry(tmp_path / "registry") as address:
        first, second = Machine(engine, address), Machine(engine, address, push=False)
        built = prepared(first)
        assert first.registry.summary() == f"images of {address}: 1 not there, 1 pushed"
        assert engine.image_id(f"{address}/{name}:2") is None
        engine._api.remove_image(f"{name}:2")
        pulled = prepared(second)
        assert second.registry.summary() == f"images of {address}: 1 pulled"
        assert engine.image_id(f"{name}:2") == pulled
    assert first.said == second.said == []
    assert key(pulled) == key(built)
    # What is made anew is another image, and nothing that was judged on the other holds.
    engine._api.remove_image(f"{name}:2")
    assert key(prepared(Machine(engine, "127.0.0.1:1"))) != key(built)


def test_who_was_first_is_followed(engine: DockerEngine, tag: str, tmp_path: Path) -> None:
    """Two machines that make the same at once would know all that is built on it by two names."""
    with registry(tmp_path / "registry") as address:
        Machine(engine, address).registry.keep(tag)
        first = engine.image_id(tag)
        engine._api.remove_image(tag)
        made(engine, tag)
        assert engine.image_id(tag) != first
        late = Machine(engine, address)
        late.registry.keep(tag)
        assert engine.image_id(tag) == first
        assert late.registry.counts == {"pulled": 1}
        # What is the same already is no news.
        assert late.registry.fetch(tag) == first
        assert late.registry.counts == {"pulled": 1}


def test_who_may_only_pull_is_told_once_and_goes_on(
    engine: DockerEngine, tag: str, tmp_path: Path
) -> None:
    with registry(tmp_path / "registry", read_only=True) as address:
        machine = Machine(engine, address)
        machine.registry.keep(tag)
        machine.registry.keep(tag)
    assert machine.registry.counts == {"not pushed": 1}
    (said,) = machine.said
    assert said.startswith(f"registry {address} ")
    assert "so images stay here" in said
    assert engine.image_id(tag)


def test_the_engines_usual_credentials_are_used(
    engine: DockerEngine, tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry(tmp_path / "registry", locked=True) as address:
        stranger = Machine(engine, address)
        assert stranger.registry.fetch(tag) is None
        assert stranger.registry.fetch(tag) is None
        stranger.registry.keep(tag)
        said, not_pushed = stranger.said
        assert "refuses what is pushed" in not_pushed
        assert said.startswith(f"registry {address} lets nobody pull {tag.rpartition(':')[0]} with")
        assert stranger.registry.counts == {"refused": 1, "not pushed": 1}
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (tmp_path / "config.json").write_text(json.dumps({"auths": {address: {"auth": login}}}))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        known = DockerEngine(engine.endpoint)
        try:
            member = Machine(known, address)
            member.registry.keep(tag)
            engine._api.remove_image(tag)
            assert member.registry.fetch(tag)
            assert member.registry.summary() == f"images of {address}: 1 pulled, 1 pushed"
        finally:
            known.close()


def test_one_that_is_away_is_asked_once(engine: DockerEngine, tag: str) -> None:
    machine = Machine(engine, "127.0.0.1:1/team")
    before = engine.image_id(tag)
    assert machine.registry.fetch(tag) is None
    assert machine.registry.fetch(tag) is None
    machine.registry.keep(tag)
    (said,) = machine.said
    assert said.startswith("registry 127.0.0.1:1/team cannot be reached, so images are built here")
    assert engine.image_id(tag) == before


def test_a_broken_layer_is_told_and_mended(engine: DockerEngine, tag: str, tmp_path: Path) -> None:
    with registry(tmp_path / "registry") as address:
        machine = Machine(engine, address)
        machine.registry.keep(tag)
        blobs = [*(tmp_path / "registry/images").glob("docker/registry/v2/blobs/**/data")]
        layer = max(blobs, key=lambda path: path.stat().st_size)
        layer.write_bytes(layer.read_bytes()[:-1000] + bytes(1000))
        engine._api.remove_image(tag)
        assert machine.registry.fetch(tag) is None
    (said,) = machine.said
    assert said.startswith(f"{address}/{tag} cannot be pulled and is built here")
    assert machine.registry.counts == {"pushed": 1, "unfit": 1}


def test_what_its_name_does_not_fit_is_not_used(
    engine: DockerEngine, name: str, tag: str, tmp_path: Path
) -> None:
    other = made(engine, f"{name}:below")
    with registry(tmp_path / "registry") as address:
        machine = Machine(engine, address)
        for version, says in (("2", f"{name}:1"), ("3", f"{name}:3")):
            push(engine, address, made(engine, f"{name}:{version}", says))
            engine._api.remove_image(f"{name}:{version}")
        assert machine.registry.fetch(f"{name}:2") is None
        assert machine.registry.fetch(f"{name}:3", other) is None
        assert machine.registry.fetch(f"{name}:3")
    assert [said.partition(" is not used: ")[2] for said in machine.said] == [
        f"it was made as {name}:1",
        "it is not built on the image that is here",
    ]
    assert machine.registry.counts == {"unfit": 2, "pulled": 1}
    assert engine.image_id(f"{address}/{name}:2") is None


@pytest.mark.parametrize("text", ["ghcr.io/team/images", "localhost:5000", "127.0.0.1:5000/a.b_c"])
def test_an_address(text: str) -> None:
    assert ADDRESS.fullmatch(text)


@pytest.mark.parametrize(
    "text", ["https://ghcr.io/x", "ghcr.io/Team", "ghcr.io/x/", "-x", "a b", ""]
)
def test_no_address(text: str) -> None:
    assert not ADDRESS.fullmatch(text)
