"""Builds: what becomes an image, and what must be in none."""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.containers import own_containers
from support.own_engine import SMALL, load_small

from patchmark.secrets import redactor_for
from sandbox.docker import DockerEngine
from sandbox.engine import Build, File, Job, Limits, Ran
from sandbox.owned import LABEL
from sandbox.tars import pack

pytestmark = pytest.mark.docker

SECRET = "s3cr3t-4711-0815"
INDEX = f"http://user:{SECRET}@127.0.0.1/"
CA = b"-----BEGIN CERTIFICATE-----\nQ0EtNDcxMS0wODE1LXBhdGNobWFyaw==\n"
PROXY = f"http://user:{SECRET}@127.0.0.1:3128"
SECRETS = {"PIP_INDEX_URL": INDEX, "https_proxy": PROXY, "no_proxy": "localhost,.internal"}
SMALL_LIMITS = Limits(seconds=30, memory_mib=128)


@pytest.fixture
def tag(engine: DockerEngine) -> Iterator[str]:
    """A name for an image, which is removed again if the build kept one."""
    tag = f"patchmark-test/build:{os.getpid()}"
    yield tag
    assert own_containers(engine) == []
    engine.remove_image(tag)


def build(engine: DockerEngine, base: str, tag: str, script: str, seconds: float = 30) -> Ran:
    return engine.build(
        Build(
            image=base,
            script=script,
            tag=tag,
            secrets=SECRETS,
            ca_bundle=CA,
            limits=Limits(seconds=seconds, memory_mib=128),
        )
    )


@pytest.fixture
def small(engine: DockerEngine) -> Iterator[str]:
    """An image of few megabytes, so that all of its layers can be searched."""
    load_small(engine)
    yield SMALL
    engine.remove_image(SMALL)


def test_secrets_and_ca_bundle_are_in_no_layer(
    engine: DockerEngine, discreet: DockerEngine, small: str, tag: str
) -> None:
    """Two builds on top of each other, as dependencies and source are, print and use them.

    Bug: what a build printed was written to the run folder with the passwords in it.
    """
    script = f"""
        [ "$PIP_INDEX_URL" = "{INDEX}" ]
        case "$(cat "$SSL_CERT_FILE")" in *{CA.split()[-1].decode()}*) ;; *) exit 4 ;; esac
        [ ! -e /.patchmark-build ]
        echo "looking in $PIP_INDEX_URL through $https_proxy, not $no_proxy"
        echo held >> /mark
    """
    lower = f"{tag}-lower"
    for start, name in ((small, lower), (lower, tag)):
        ran = build(discreet, start, name, script)
        assert ran.exit_code == 0, ran.output
        places = "http://***@127.0.0.1/ through http://***@127.0.0.1:3128"
        assert ran.output == f"looking in {places}, not localhost,.internal\n"
    kept = everything_of(engine, tag)
    assert (kept.count(b"\nheld\n"), kept.count(b"\nheld\nheld\n")) == (2, 1)
    assert_without_secrets(kept)
    engine.remove_image(tag)
    engine.remove_image(lower)


@pytest.mark.parametrize("declares", ["", "ARG https_proxy\n"])
def test_a_dockerfile_gets_the_proxy_and_keeps_no_secret(
    engine: DockerEngine, discreet: DockerEngine, small: str, tag: str, declares: str
) -> None:
    """What it declares itself would stand in the image's history: that it does not get."""
    said = 'RUN echo "through $https_proxy" && [ -n "$https_proxy" ] || echo held > /none\n'
    text = f"FROM {small}\n{declares}{said}RUN echo held > /mark\n"
    context = pack({"/Dockerfile": File(content=text.encode())})
    trouble = engine.build_dockerfile(context, "Dockerfile", tag, secrets=SECRETS)
    assert trouble is None
    kept = everything_of(engine, tag)
    assert kept.count(b"\nheld\n") == (2 if declares else 1)
    assert_without_secrets(kept)
    text = f'FROM {small}\nRUN echo "through $https_proxy"; false\n'
    broken = pack({"/Dockerfile": File(content=text.encode())})
    told = discreet.build_dockerfile(broken, "Dockerfile", f"{tag}-broken", secrets=SECRETS)
    assert told is not None
    assert "through http://***@127" in told
    engine.remove_image(tag)


@pytest.fixture
def discreet(engine: DockerEngine) -> Iterator[DockerEngine]:
    """The engine as a run has it, which knows what to tell nobody."""
    discreet = DockerEngine(engine.endpoint, redact=redactor_for(SECRETS).text)
    yield discreet
    discreet.close()


def assert_without_secrets(kept: bytes) -> None:
    for needle in (SECRET, CA.split()[-1].decode(), "PIP_INDEX_URL", "BEGIN CERTIFICATE"):
        assert needle.encode() not in kept


def everything_of(engine: DockerEngine, tag: str) -> bytes:
    """All bytes of an image: each layer's files, configuration, manifest and history."""
    about = json.dumps([engine._api.inspect_image(tag), engine._api.history(tag)])
    found = [about.encode()]
    with tarfile.open(fileobj=io.BytesIO(b"".join(engine._api.get_image(tag)))) as saved:
        contents = {m.name: f.read() for m in saved if (f := saved.extractfile(m)) is not None}
    (manifest,) = json.loads(contents["manifest.json"])
    assert len(manifest["Layers"]) == len(engine._api.inspect_image(tag)["RootFS"]["Layers"])
    for name, content in contents.items():
        found.append(f"\n{name}\n".encode())
        if name not in manifest["Layers"]:
            found.append(content)
            continue
        # As files: in a layer that is compressed nothing would ever be found.
        with tarfile.open(fileobj=io.BytesIO(content)) as layer:
            for member in layer:
                file = layer.extractfile(member) if member.isreg() else None
                found += [member.name.encode(), file.read() if file else b""]
    return b"\n".join(found)


def test_the_users_own_proxies_reach_no_container(
    engine: DockerEngine,
    small: str,
    tag: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bug: the SDK put the proxies of ~/.docker/config.json, with their passwords, into jobs, and
    into the configuration of every image that was built.
    """
    proxies = {"default": {"httpProxy": PROXY, "httpsProxy": PROXY}}
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}), encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    other = DockerEngine(engine.endpoint)
    ran = other.run(Job(image=small, command=("env",), limits=SMALL_LIMITS))
    assert "PATH=" in ran.output
    assert SECRET not in ran.output
    other.build(Build(image=small, script="true", tag=tag, limits=SMALL_LIMITS))
    assert SECRET.encode() not in everything_of(engine, tag)
    other.close()
    engine.remove_image(tag)


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
                limits=SMALL_LIMITS,
            )
        )
        told.append(ran.output)
    assert told == ["abccached\n", "abccached\ncached\n"]
    looked = engine.run(Job(image=tag, command=("ls", "-A", "/cache"), limits=SMALL_LIMITS))
    assert looked.output == ""
    engine._api.remove_volume(volume)


def test_an_image_says_that_it_is_ours(engine: DockerEngine, base: str, tag: str) -> None:
    build(engine, base, tag, "true")
    assert engine._api.inspect_image(tag)["Config"]["Labels"][LABEL] == "image"


def test_an_image_nobody_has_cannot_be_pulled(engine: DockerEngine) -> None:
    """Without a registry and with one alike."""
    assert engine.pull("127.0.0.1:9/patchmark/none:1") is False
    assert engine.image_id("127.0.0.1:9/patchmark/none:1") is None
