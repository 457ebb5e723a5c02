"""Builds: what becomes an image, and what must be in none."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from typing import IO

import pytest
from support.containers import own_containers

from sandbox.docker import DockerEngine
from sandbox.engine import Build, Job, Limits, Ran
from sandbox.owned import LABEL

pytestmark = pytest.mark.docker

SECRET = "s3cr3t-4711-0815"
INDEX = f"http://user:{SECRET}@127.0.0.1/"
CA = b"-----BEGIN CERTIFICATE-----\nQ0EtNDcxMS0wODE1LXBhdGNobWFyaw==\n"
SMALL = Limits(seconds=30, memory_mib=128)


@pytest.fixture
def tag(engine: DockerEngine) -> Iterator[str]:
    """A name for an image, which is removed again if the build kept one."""
    tag = f"patchmark-test/build:{os.getpid()}"
    yield tag
    assert own_containers(engine) == []
    if engine.image_id(tag):
        engine._api.remove_image(tag)


def build(engine: DockerEngine, base: str, tag: str, script: str, seconds: float = 30) -> Ran:
    return engine.build(
        Build(
            image=base,
            script=script,
            tag=tag,
            secrets={"PIP_INDEX_URL": INDEX},
            ca_bundle=CA,
            limits=Limits(seconds=seconds, memory_mib=128),
        )
    )


def test_secrets_and_ca_bundle_are_in_no_layer(engine: DockerEngine, base: str, tag: str) -> None:
    """The script has them; neither the new layer's bytes nor the configuration do."""
    script = f"""
        [ "$PIP_INDEX_URL" = "{INDEX}" ]
        grep -q "{CA.split()[-1].decode()}" "$SSL_CERT_FILE"
        [ ! -e /.patchmark-build ]
        echo kept > /kept
    """
    ran = build(engine, base, tag, script)
    assert ran.exit_code == 0, ran.output
    image = engine._api.inspect_image(tag)
    told = json.dumps([image, engine._api.history(tag)])
    kept = changes(engine, tag)
    assert b"kept" in kept
    for needle in (SECRET, CA.split()[-1].decode(), "PIP_INDEX_URL", "BEGIN CERTIFICATE"):
        assert needle not in told
        assert needle.encode() not in kept


def changes(engine: DockerEngine, tag: str) -> bytes:
    """The bytes of an image's own layer: the last one of a saved image, and its configuration."""
    with tempfile.TemporaryFile() as saved:
        saved.writelines(engine._api.get_image(tag))
        saved.seek(0)
        return last_layer(saved)


def last_layer(saved: IO[bytes]) -> bytes:
    with tarfile.open(fileobj=saved) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        found = json.load(manifest)[0]
        parts = [tar.extractfile(name) for name in (found["Layers"][-1], found["Config"])]
        return b"".join(part.read() for part in parts if part is not None)


def test_a_failing_build_keeps_no_image_and_says_why(
    engine: DockerEngine, base: str, tag: str
) -> None:
    """Bug: both streams came back in any order, so its last lines were not the last ones."""
    ran = build(engine, base, tag, "echo first\necho last words >&2\nfalse\necho not reached")
    assert ran.exit_code == 1
    assert ran.output == "first\nlast words\n"
    assert engine.image_id(tag) is None


def test_a_build_that_hangs_is_stopped(engine: DockerEngine, base: str, tag: str) -> None:
    started = time.monotonic()
    ran = build(engine, base, tag, "echo started\nsleep 60", seconds=1.5)
    assert (ran.timed_out, ran.exit_code, ran.output) == (True, None, "started\n")
    assert time.monotonic() - started < 20
    assert engine.image_id(tag) is None


def test_archives_are_there_and_the_cache_is_not_kept(
    engine: DockerEngine, base: str, tag: str
) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        info = tarfile.TarInfo("repo/a.txt")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    volume = f"patchmark-test-cache-{os.getpid()}"
    script = "cat /repo/a.txt\necho cached >> /cache/x\ncat /cache/x"
    told = []
    for _ in range(2):
        if engine.image_id(tag):
            engine._api.remove_image(tag)
        ran = engine.build(
            Build(
                image=base,
                script=script,
                archives=(archive.getvalue(),),
                cache_volume=volume,
                tag=tag,
                limits=SMALL,
            )
        )
        told.append(ran.output)
    assert told == ["abccached\n", "abccached\ncached\n"]
    looked = engine.run(Job(image=tag, command=("ls", "-A", "/cache"), limits=SMALL))
    assert looked.output == ""
    engine._api.remove_volume(volume)


def test_an_image_says_that_it_is_ours(engine: DockerEngine, base: str, tag: str) -> None:
    build(engine, base, tag, "true")
    assert engine._api.inspect_image(tag)["Config"]["Labels"][LABEL] == "image"


def test_an_image_nobody_has_cannot_be_pulled(engine: DockerEngine) -> None:
    """Without a registry and with one alike."""
    assert engine.pull("127.0.0.1:9/patchmark/none:1") is False
    assert engine.image_id("127.0.0.1:9/patchmark/none:1") is None
