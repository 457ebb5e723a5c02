"""What killed runs leave on an engine, what pruning takes of it, and what it must not touch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from support.own_engine import SMALL

from sandbox.docker import DockerEngine
from sandbox.engine import Build, Limits
from sandbox.owned import LABEL, OWNER, is_abandoned, is_gone, machine, owner
from sandbox.stock import Marks, Stock

PREFIX = "patchmark-test-left/"
LIMITS = Limits(seconds=30, memory_mib=64)


@pytest.fixture(scope="module")
def gone() -> str:
    """The owner label of a process that has ended."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    return f"{machine()}:{dead.pid}"


@pytest.fixture
def stock(alone: DockerEngine, tmp_path: Path) -> Stock:
    return Stock(alone, Marks(tmp_path), PREFIX)


def image(engine: DockerEngine, maker: str | None, tag: str | None = None) -> str:
    """An image that this process committed; without a tag it is as a killed build leaves it."""
    labels = {LABEL: "image"} | ({OWNER: maker} if maker else {})
    with engine.api() as api:
        name = api.create_container(SMALL, ["true"], labels=labels)["Id"]
        repository, _, version = (tag or "").rpartition(":")
        made = api.commit(name, repository or None, version or None)["Id"]
        api.remove_container(name)
    return str(made)


def cache(engine: DockerEngine, name: str) -> None:
    """A package cache of a megabyte, as builds make it."""
    script = "head -c 1000000 /dev/zero > /cache/x"
    tag = f"{PREFIX}build:1"
    build = Build(image=SMALL, script=script, tag=tag, cache_volume=name, limits=LIMITS)
    assert engine.build(build).exit_code == 0
    engine.remove_image(tag)


@pytest.mark.docker
def test_what_a_killed_run_left_goes_and_what_a_living_one_makes_stays(
    alone: DockerEngine, stock: Stock, gone: str
) -> None:
    """Bug: half made images of a run that was still going went too."""
    bench = f"{PREFIX}workbench:1-1"
    left = [image(alone, gone), image(alone, gone, bench)]
    stays = [image(alone, owner()), image(alone, None), image(alone, owner(), f"{bench}0")]
    assert stock.prune(10**12) == []
    assert [alone.image_id(name) for name in left] == [None, None]
    assert [alone.image_id(name) for name in stays] == stays
    for name in stays:
        alone.remove_image(name)


@pytest.mark.docker
def test_two_runs_that_build_the_same_at_once_keep_one_image(alone: DockerEngine) -> None:
    """Bug: the later one took the name, and left the image that the other worked with nameless."""
    build = Build(image=SMALL, script="sleep 0.5", tag=f"{PREFIX}task:1", limits=LIMITS)
    before = alone.image_id(SMALL)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(alone.build, replace(build, script="sleep 0.2"))
        second = pool.submit(alone.build, build)
        assert first.result().exit_code == 0
        kept = alone.image_id(build.tag)
        assert second.result().exit_code == 0
    assert alone.image_id(build.tag) == kept != before
    alone.remove_image(build.tag)


@pytest.mark.docker
def test_caches_count_and_go_when_their_turn_comes(alone: DockerEngine, stock: Stock) -> None:
    """Bug: nothing ever removed the package caches, which no budget counted."""
    name = f"{PREFIX.rstrip('/')}-cache-1"
    cache(alone, name)
    (found,) = stock.caches()
    assert (found.tag, found.kind) == (name, "cache")
    assert 1_000_000 <= found.own_bytes < 1_100_000
    assert stock.prune(found.own_bytes) == []
    assert [one.tag for one in stock.prune(found.own_bytes - 1)] == [name]
    assert stock.caches() == []


@pytest.mark.docker
def test_what_another_run_uses_is_not_pruned(
    alone: DockerEngine, stock: Stock, tmp_path: Path, gone: str
) -> None:
    """Bug: pruning took the images of a run that was going on, and its verdicts with them."""
    tag = f"{PREFIX}task:1"
    image(alone, owner(), tag)
    marks = Marks(tmp_path)
    marks.mark(tag)
    path = marks._path(tag)
    # The process that started this one lives; the owner of old has ended.
    path.write_text(f"{gone}\n{machine()}:{os.getppid()}\n", encoding="utf-8")
    assert marks.in_use(tag)
    assert stock.prune(0) == []
    path.write_text(f"{gone}\n", encoding="utf-8")
    assert not marks.in_use(tag)
    marks.mark(tag)
    assert path.read_text(encoding="utf-8") == f"{owner()}\n"
    assert [one.tag for one in stock.prune(0)] == [tag]


def test_runs_add_themselves_to_a_mark(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    other = f"{machine()}:{os.getppid()}"
    marks.mark("a")
    marks._path("a").write_text(f"{other}\n", encoding="utf-8")
    marks.mark("a")
    marks.mark("a")
    assert marks._path("a").read_text(encoding="utf-8") == f"{other}\n{owner()}\n"


def test_a_number_that_another_process_has_now_is_gone() -> None:
    """Bug: after a reboot some process had the number, and its leftovers stayed for ever."""
    assert not is_gone(owner(), time.time())
    assert is_gone(owner(), time.time() - 10**6)
    assert not is_gone(f"elsewhere:{os.getpid()}", 0)


def test_a_runner_in_another_container_is_another_machine(gone: str) -> None:
    """Bug: runners in containers with one host name, on one engine, took each other's containers:
    a number of there meant nobody here.
    """
    name, _, numbered = machine().rpartition("/")
    assert name == socket.gethostname()
    assert Path("/proc/self/ns/pid").readlink().name == f"pid:[{numbered}]"
    theirs = f"{name}/{int(numbered) + 1}:{gone.rpartition(':')[2]}"
    assert is_gone(gone, time.time())
    assert not is_gone(theirs, 0)


def test_what_nobody_comes_back_for_is_removed_after_a_day() -> None:
    """Bug: leftovers of a runner that was a container itself stayed on the host for ever."""
    assert not is_abandoned("elsewhere/1:1", time.time() - 3600)
    assert is_abandoned("elsewhere/1:1", time.time() - 25 * 3600)
    assert not is_abandoned(owner(), time.time())
