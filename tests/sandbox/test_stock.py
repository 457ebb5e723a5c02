"""Images that are kept: what they take, which go first, and how they travel."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.push_registry import PushRegistry

from core.errors import EngineError, UsageError
from sandbox.docker import DockerEngine
from sandbox.engine import File
from sandbox.sizes import total_bytes
from sandbox.stock import Marks, Stock
from sandbox.tars import pack

pytestmark = pytest.mark.docker


@pytest.fixture
def prefix() -> str:
    """Names of their own, so that no test removes what others built."""
    return f"patchmark-test-{uuid.uuid4().hex[:12]}/"


@pytest.fixture
def stock(engine: DockerEngine, prefix: str, tmp_path: Path) -> Stock:
    return Stock(engine, Marks(tmp_path / "marks"), prefix)


def more(engine: DockerEngine, start: str, tag: str) -> None:
    """An image with another megabyte on top; nothing of it runs."""
    name = engine._api.create_container(start, ["none"])["Id"]
    content = {f"/{tag.rpartition(':')[0]}": File(content=os.urandom(1 << 20))}
    engine._api.put_archive(name, "/", pack(content))
    engine._api.commit(name, *tag.rsplit(":", 1))
    engine._api.remove_container(name)


@pytest.fixture
def pair(engine: DockerEngine, prefix: str) -> Iterator[tuple[str, str]]:
    """Two images, one on top of the other."""
    lower, upper = f"{prefix}dependencies:1", f"{prefix}task:1"
    content = pack({"/filler": File(content=os.urandom(1 << 20))})
    engine._api.import_image_from_data(content, *lower.rsplit(":", 1))
    more(engine, lower, upper)
    yield lower, upper
    for tag in (upper, lower):
        if engine.image_id(tag):
            engine._api.remove_image(tag)


def test_what_was_unused_longest_goes_first_and_from_the_top(
    stock: Stock, engine: DockerEngine, pair: tuple[str, str], prefix: str, tmp_path: Path
) -> None:
    lower, upper = pair
    other = f"{prefix}task:2"
    more(engine, lower, other)
    marks = Marks(tmp_path / "marks")
    for age, tag in enumerate((upper, other, lower), 1):
        marks.mark(tag)
        os.utime(marks._path(tag), (age, age))
    kept = stock.kept()
    assert [one.tag for one in kept] == [upper, other, lower]
    assert all(1_000_000 < one.own_bytes < 1_200_000 for one in kept)
    total = total_bytes(kept)
    assert total < sum(sum(one.sizes.values()) for one in kept)
    assert stock.prune(total) == []
    assert [one.tag for one in stock.prune(total - 1)] == [upper]
    assert [one.tag for one in stock.prune(0)] == [other, lower]
    assert engine.image_id(lower) is None
    assert (stock.kept(), marks.used_at(lower)) == ([], None)


def test_an_image_that_a_container_holds_stays(
    stock: Stock, engine: DockerEngine, pair: tuple[str, str]
) -> None:
    name = engine._api.create_container(pair[1], ["true"])["Id"]
    try:
        assert stock.prune(0) == []
        assert engine.image_id(pair[1])
    finally:
        engine._api.remove_container(name)


def test_images_travel_in_an_archive(
    stock: Stock, engine: DockerEngine, pair: tuple[str, str], tmp_path: Path
) -> None:
    lower, upper = pair
    before = engine.image_id(upper)
    stock.save(tmp_path / "images.tar.gz", pair)
    for tag in (upper, lower):
        engine._api.remove_image(tag)
    assert stock.load(tmp_path / "images.tar.gz") == sorted(pair)
    assert engine.image_id(upper) == before
    assert not list(tmp_path.glob("*.part"))


def test_images_travel_through_a_registry(
    stock: Stock, engine: DockerEngine, pair: tuple[str, str]
) -> None:
    lower = pair[0]
    before = engine.image_id(lower)
    with PushRegistry() as registry:
        address = registry.host
        assert stock.push(address, [lower]) == [lower]
        assert engine.image_id(f"{address}/{lower}") is None
        engine._api.remove_image(pair[1])
        engine._api.remove_image(lower)
        assert engine.pull(f"{address}/{lower}")
        assert engine.name(f"{address}/{lower}", lower) == before


def test_a_registry_that_is_not_there(stock: Stock, pair: tuple[str, str]) -> None:
    with pytest.raises(EngineError, match="push patchmark-test-"):
        stock.push("127.0.0.1:1", [pair[0]])


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00"])
def test_a_file_that_is_no_archive(stock: Stock, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "images.tar.gz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="no archive of images"):
        stock.load(path)


def test_nothing_to_save_is_said(stock: Stock, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no images to save"):
        stock.save(tmp_path / "x", [])
