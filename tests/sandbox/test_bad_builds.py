"""Set-up commands that cannot work: stopped, blamed on the environment, and nobody else harmed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from support.calc_repo import COMMITTED_AT, CalcRepo
from support.containers import own_containers

from core.types import Task
from sandbox.docker import DockerEngine
from sandbox.engine import Build, Limits, Ran
from sandbox.image import BrokenEnvironmentError, Images
from sandbox.network import Network
from sandbox.owned import OWNER, owner
from sandbox.recipe import EnvironmentSettings

pytestmark = pytest.mark.docker

_CONNECT = "python3 -c 'import socket; print(1); socket.create_connection((\"127.0.0.1\", {}), 5)'"
BAD = {
    "hangs": ("echo almost there; sleep 60", r"it did nothing for \d+ s: .*almost there"),
    "fills the disk": (
        "echo filling; n=0; while :; do n=$((n + 1)); head -c 20000000 /dev/zero > /$n; done",
        "it wrote more than 150 MiB: .*filling",
    ),
    "prints gigabytes": ("yes once more", "it printed more than 16 MiB: .*once more"),
    "eats the memory": (
        "python3 -c 'print(\"hungry\", flush=True); x = bytearray(10**9)'",
        "it ran out of memory: .*hungry",
    ),
    "needs more than root": ("mount -t tmpfs none /mnt", "permission denied"),
    "needs a service": (_CONNECT.format(5432), "Connection refused"),
    "downloads from nowhere": (
        "/opt/venv/bin/python -c 'from urllib.request import urlopen as o; "
        'o("http://127.0.0.1:9/x")\'',
        "Connection refused",
    ),
}


class Strict(DockerEngine):
    """The engine with less room and patience for builds."""

    def build(self, build: Build) -> Ran:
        limits = Limits(
            seconds=120, idle_seconds=5, memory_mib=512, cpus=2, disk_mib=150, output_mib=16
        )
        return super().build(replace(build, limits=limits))


@pytest.fixture
def strict(engine: DockerEngine) -> Iterator[Strict]:
    strict = Strict(engine.endpoint)
    yield strict
    strict.close()


def test_bad_builds_are_the_environments_fault_and_harm_no_other(
    strict: Strict, calc: CalcRepo, network: Network, images: Images, task: Task, tmp_path: Path
) -> None:
    """All at once, beside a good one on the same layers: each is told in the words of its end."""
    caches = f"patchmark-cache-{images._cache_name()}"
    images_before, volumes_before = _images(strict), _volumes(strict, caches)

    def built(setup: str) -> str:
        settings = EnvironmentSettings(setup=(setup,))
        strictly = Images(
            engine=strict, repository=calc.repository, settings=settings, network=network,
            logs=tmp_path, tell=print,
        )  # fmt: skip
        recipe = strictly.recipes(calc.base, COMMITTED_AT)[0]
        try:
            return strictly.prepare(calc.base, recipe).image
        except BrokenEnvironmentError as error:
            # What the validator drops the candidate for, as the environment's fault.
            return str(error)

    with ThreadPoolExecutor(len(BAD) + 1) as pool:
        good = pool.submit(built, "echo good > /good")
        found = dict(zip(BAD, pool.map(lambda bad: built(bad[0]), BAD.values()), strict=True))
    for name, (_, words) in BAD.items():
        assert re.fullmatch(rf"patchmark/task of {calc.base[:12]}: .*", found[name]), found
        assert re.search(words, found[name]), (name, found[name])
    assert own_containers(strict) == []
    assert _images(strict) - images_before == {good.result()}
    assert _volumes(strict, caches) == volumes_before
    strict.remove_image(good.result())


def _images(engine: DockerEngine) -> set[str]:
    """Of this process alone, the nameless among them."""
    with engine.api() as api:
        return {one["Id"] for one in api.images(filters={"label": f"{OWNER}={owner()}"})}


def _volumes(engine: DockerEngine, cache: str) -> set[str]:
    """All but the caches of other repositories, which other workers make meanwhile."""
    with engine.api() as api:
        names = {one["Name"] for one in api.volumes()["Volumes"] or ()}
    return {name for name in names if not name.startswith("patchmark-cache-") or name == cache}
