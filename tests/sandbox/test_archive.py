"""What outlives an engine in a folder: images, and the package cache of a repository's builds."""

from __future__ import annotations

import io
import json
import os
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.own_engine import load_small

from core.errors import EngineError, UsageError
from sandbox.archive import Archive, load
from sandbox.docker import DockerEngine
from sandbox.engine import Build, File
from sandbox.owned import NAMED
from sandbox.packages import Packages
from sandbox.stock import Marks, Stock
from sandbox.tars import pack

pytestmark = pytest.mark.docker
LIMIT = 10**9


@pytest.fixture
def name(engine: DockerEngine) -> Iterator[str]:
    """A name that no other test uses; its images are gone afterwards."""
    name = f"patchmark/test-{uuid.uuid4().hex[:12]}"
    yield name
    for one in engine._api.images(name=name):
        for each in one["RepoTags"] or ():
            engine._api.remove_image(each, force=True)


def made(engine: DockerEngine, tag: str, start: str = "", size: int = 1 << 20) -> str:
    """An image as a build leaves it; its id."""
    content = pack({f"/{uuid.uuid4().hex}": File(content=os.urandom(size))})
    if not start:
        changes = [f"LABEL {NAMED}={tag}"]
        engine._api.import_image_from_stream(iter([content]), *tag.rsplit(":", 1), changes=changes)
    else:
        container = engine._api.create_container(start, ["none"])["Id"]
        engine._api.put_archive(container, "/", content)
        engine._api.commit(container, *tag.rsplit(":", 1), changes=[f"LABEL {NAMED}={tag}"])
        engine._api.remove_container(container)
    return str(engine.image_id(tag))


def test_images_come_back_as_they_were_and_what_is_there_is_not_written_again(
    engine: DockerEngine, name: str, tmp_path: Path
) -> None:
    base, task, other = (f"{name}:{kind}" for kind in ("base", "task", "other"))
    ids = {base: made(engine, base), task: made(engine, task, base), other: made(engine, other)}
    said: list[str] = []
    first = Archive(engine, tmp_path / "kept", said.append)
    assert first.fetch(base) is None
    for tag in (base, task):
        first.keep(tag)
    assert first.write((), LIMIT)
    for tag in (task, base):
        engine._api.remove_image(tag)

    second = Archive(engine, tmp_path / "kept", said.append)
    assert second.fetch(other) is None
    assert engine.image_id(base) is None  # read only for what is in it
    assert second.fetch(task, base) == ids[task]
    assert second.fetch(base) == ids[base]
    assert second.summary() == f"2 images came from {tmp_path / 'kept'}"
    second.keep(task)
    written = (tmp_path / "kept/images.tar").stat().st_mtime_ns
    assert not second.write((), LIMIT)
    assert (tmp_path / "kept/images.tar").stat().st_mtime_ns == written
    # A run that used nothing but one more: what its tasks are of stays, and what that is built on.
    third = Archive(engine, tmp_path / "kept", said.append)
    third.keep(other)
    assert third.write({ids[task]}, LIMIT)
    assert json.loads((tmp_path / "kept/images.json").read_text()) == ids
    # And what neither used nor any task of its needs goes.
    third = Archive(engine, tmp_path / "kept", said.append)
    made(engine, f"{name}:new")
    third.keep(f"{name}:new")
    assert third.write((), LIMIT)
    assert json.loads((tmp_path / "kept/images.json").read_text()).keys() == {f"{name}:new"}
    assert said == []


def test_kept_images_are_held_to_a_size(engine: DockerEngine, name: str, tmp_path: Path) -> None:
    base, task = f"{name}:base", f"{name}:task"
    made(engine, base), made(engine, task, base)
    archive = Archive(engine, tmp_path, print)
    archive.keep(base)
    archive.keep(task)
    assert archive.write((), 3 << 19)
    assert json.loads((tmp_path / "images.json").read_text()).keys() == {base}
    assert archive.write((), 1)
    assert not (tmp_path / "images.json").exists()


def test_an_archive_that_is_not_ours_is_not_loaded(
    engine: DockerEngine, name: str, tmp_path: Path
) -> None:
    """Bug: any image was loaded, and took the name of what a person has on the machine."""
    foreign = f"patchmark-test-{uuid.uuid4().hex[:12]}/x:1"
    made(engine, foreign)
    archive = Archive(engine, tmp_path, print)
    archive.keep(foreign)
    assert archive.write((), LIMIT)
    engine._api.remove_image(foreign)
    with pytest.raises(UsageError, match="which is none of patchmark's images"):
        load(engine, tmp_path / "images.tar", "patchmark/")
    said: list[str] = []
    assert Archive(engine, tmp_path, said.append).fetch(foreign) is None
    assert engine.image_id(foreign) is None
    assert "none of patchmark's images" in said[0]


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00"])
def test_a_damaged_archive_costs_time_alone(
    engine: DockerEngine, name: str, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "images.json").write_text(json.dumps({f"{name}:1": "sha256:0"}))
    (tmp_path / "images.tar").write_bytes(content)
    said: list[str] = []
    archive = Archive(engine, tmp_path, said.append)
    assert archive.fetch(f"{name}:1") is None
    assert archive.fetch(f"{name}:1") is None
    assert len(said) == 1
    assert "images are built anew" in said[0]


def test_an_image_under_anothers_name_is_not_used(
    engine: DockerEngine, name: str, tmp_path: Path
) -> None:
    tag, other = f"{name}:1", f"{name}:2"
    made(engine, other)
    engine._api.tag(other, *tag.rsplit(":", 1))
    archive = Archive(engine, tmp_path, print)
    archive.keep(tag)
    archive.write((), LIMIT)
    for each in (tag, other):
        engine._api.remove_image(each)
    said: list[str] = []
    assert Archive(engine, tmp_path, said.append).fetch(tag) is None
    assert f"it was made as {other}" in said[0]


@pytest.fixture
def volume(engine: DockerEngine) -> Iterator[str]:
    """A package cache's name that nobody else has."""
    name = f"patchmark-cache-test{uuid.uuid4().hex[:12]}"
    yield name
    with suppress(EngineError), engine.api() as api:
        api.remove_volume(name)


def test_a_package_cache_comes_back_until_it_grew_too_big(
    engine: DockerEngine, name: str, volume: str, tmp_path: Path
) -> None:
    """The first build of a new engine finds what the last one of the old engine left."""
    small = f"{name}:small"
    load_small(engine, small)

    def build(packages: Packages, script: str) -> int | None:
        packages.fill(engine, volume, small)
        tag = f"{name}:{uuid.uuid4().hex[:8]}"
        return engine.build(
            Build(image=small, script=script, cache_volume=volume, tag=tag)
        ).exit_code

    first = Packages(tmp_path, print)
    assert not first.write(engine, LIMIT)
    assert build(first, "cat /proc/version > /cache/wheel\nmkdir /cache/more\n") == 0
    assert first.write(engine, LIMIT)
    engine._api.remove_volume(volume)

    said: list[str] = []
    second = Packages(tmp_path, said.append)
    assert build(second, "cat /cache/wheel\nls /cache/more\n") == 0
    assert second.write(engine, LIMIT)
    assert build(second, "head -c 3000000 /dev/zero > /cache/big\n") == 0
    assert second.write(engine, 1_000_000)
    assert said == ["the package cache grew beyond 0.001 GB and is begun anew"]
    assert list(tmp_path.iterdir()) == []
    assert volume not in {one["Name"] for one in engine._api.volumes()["Volumes"]}


def test_a_cache_file_that_leads_out_harms_nobody(
    engine: DockerEngine, name: str, volume: str, tmp_path: Path
) -> None:
    """The engine unpacks it within a container that is never started."""
    load_small(engine, f"{name}:small")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        link = tarfile.TarInfo("cache/out")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "there")
        tar.addfile(link)
        tar.addfile(tarfile.TarInfo("cache/out/made"))
        tar.addfile(tarfile.TarInfo("../../../../../../../../" + str(tmp_path / "made")))
    (tmp_path / "there").mkdir()
    (tmp_path / f"{volume}.tar").write_bytes(out.getvalue())
    Packages(tmp_path, print).fill(engine, volume, f"{name}:small")
    assert list((tmp_path / "there").iterdir()) == []
    assert not (tmp_path / "made").exists()


def test_one_cache_that_grew_beyond_its_limit_goes(
    engine: DockerEngine, volume: str, name: str, tmp_path: Path
) -> None:
    """Bug: caches went only when all images and caches together were too much."""
    small = f"{name}:small"
    load_small(engine, small)
    script = "head -c 3000000 /dev/zero > /cache/big\n"
    built = engine.build(Build(image=small, script=script, cache_volume=volume, tag=f"{name}:1"))
    assert built.exit_code == 0
    stock = Stock(engine, Marks(tmp_path))
    assert stock.prune_caches(1_000_000, set()) == []
    assert stock.prune_caches(4_000_000, {volume}) == []
    assert [one.tag for one in stock.prune_caches(1_000_000, {volume})] == [volume]
    assert volume not in {one["Name"] for one in engine._api.volumes()["Volumes"]}
