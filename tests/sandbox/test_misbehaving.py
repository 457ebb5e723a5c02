"""Builds and jobs that hang, flood and fill: stopped at a limit, told why, and nothing is left."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.engine_proxy import EngineProxy
from support.own_engine import SMALL, OwnEngine

from core.errors import EngineError
from sandbox.docker import DockerEngine
from sandbox.engine import Build, File, Job, Limits, Ran
from sandbox.tars import pack

pytestmark = [
    pytest.mark.docker,
    # The SDK leaves a socket that could not connect to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

TAG = "patchmark-test/misbehaved:{}"
FILL = "echo filling\nn=0\nwhile :; do n=$((n + 1)); head -c 20000000 /dev/zero > {}/$n; done"
FLOOD = "yes a line of some length, as programs like to print it"
HANG = "trap '' TERM INT\necho waiting\nwhile :; do sleep 9 || true; done"


def limits(**changed: Any) -> Limits:
    return Limits(**{"seconds": 30, "memory_mib": 64, "processes": 32, **changed})


def test_builds_are_stopped_at_their_limit_and_others_go_on(alone: DockerEngine) -> None:
    """Bug: nothing limited the disk or the output of a build, or noticed that it waited in vain."""
    builds = {
        "hang": (HANG, limits(seconds=1.5), "took longer than 1.5 s", True, "waiting"),
        "idle": (HANG, limits(idle_seconds=2), "did nothing for", True, "waiting"),
        "disk": (FILL.format("/"), limits(disk_mib=64), "wrote more than 64 MiB", False, "filling"),
        "flood": (FLOOD, limits(output_mib=16), "printed more than 16 MiB", False, "print it"),
        "file": (
            "dd if=/dev/zero of=/big bs=1M count=99 || echo too large", limits(disk_mib=32),
            "", False, "too large",
        ),
        "slow": (
            "for n in 1 2 3; do echo $n; sleep 1; done", limits(idle_seconds=2), "", False, "3",
        ),
    }  # fmt: skip

    def one(name: str) -> Ran:
        script, limit, *_ = builds[name]
        return alone.build(Build(image=SMALL, script=script, tag=TAG.format(name), limits=limit))

    started = time.monotonic()
    with ThreadPoolExecutor(len(builds)) as pool:
        ran = dict(zip(builds, pool.map(one, builds), strict=True))
    assert time.monotonic() - started < 25
    for name, (_, _, why, hung, said) in builds.items():
        assert (bool(ran[name].stopped), ran[name].timed_out) == (bool(why), hung), ran[name]
        assert ran[name].stopped.startswith(why)
        assert said in ran[name].output[-200:], name
        assert (ran[name].exit_code is None) == bool(why)
        assert (alone.image_id(TAG.format(name)) is None) == bool(why)
    for name in ("file", "slow"):
        alone.remove_image(TAG.format(name))


def test_jobs_are_stopped_at_their_limit(alone: DockerEngine) -> None:
    """What they wrote into their folder until then is brought back."""
    jobs = {
        FILL.format("/tmp"): (limits(disk_mib=64), "wrote more than 64 MiB"),
        f"echo x > /out/x\n{FLOOD}": (limits(output_mib=16), "printed more than 16 MiB"),
        "sleep 20": (limits(idle_seconds=1), "did nothing for 1 s"),
    }

    def one(script: str) -> Ran:
        command = ("sh", "-c", script)
        user, folders = "10001", ("/out",)
        return alone.run(
            Job(image=SMALL, command=command, user=user, folders=folders, limits=jobs[script][0])
        )

    with ThreadPoolExecutor(len(jobs)) as pool:
        ran = list(pool.map(one, jobs))
    for found, (_, why) in zip(ran, jobs.values(), strict=True):
        assert found.stopped.startswith(why), found
        assert found.seconds < 15
    assert ran[1].files == {"/out/x": b"x\n"}


def test_a_cache_that_is_filled_is_emptied(alone: DockerEngine) -> None:
    """It is no part of the container, so its size is asked for apart, and less often."""
    ran = alone.build(
        Build(
            image=SMALL,
            script=FILL.format("/cache"),
            cache_volume="patchmark-test-cache-filled",
            tag=TAG.format("cache"),
            limits=limits(disk_mib=64),
        )
    )
    assert ran.stopped.startswith("filled the cache with more than 64 MiB")


@pytest.mark.parametrize("what", ["kill", "remove"])
def test_an_engine_that_cannot_end_a_container(own: OwnEngine, what: str) -> None:
    """Bug: a container that the engine did not remove was never told of, nor tried again."""
    with EngineProxy(own.endpoint) as proxy:
        engine = DockerEngine(proxy.endpoint, timeout=2)
        started = time.monotonic()
        if what == "kill":
            proxy.refused = (b"/kill",)
            with pytest.raises(EngineError, match="was killed and does not end"):
                engine.run(Job(image=SMALL, command=("sleep", "20"), limits=limits(seconds=1)))
            assert (engine.close(), own.everything()["containers"]) == ([], [])
        else:
            proxy.refused = (b"DELETE ",)
            assert engine.run(Job(image=SMALL, command=("true",), limits=limits())).exit_code == 0
            assert own.everything()["containers"]
            proxy.refused = ()
            assert (engine.close(), own.everything()["containers"]) == ([], [])
        assert time.monotonic() - started < 15


def test_what_cannot_be_removed_is_told(own: OwnEngine) -> None:
    with EngineProxy(own.endpoint) as proxy:
        engine = DockerEngine(proxy.endpoint, timeout=2)
        proxy.refused = (b"DELETE ",)
        engine.run(Job(image=SMALL, command=("true",), limits=limits()))
        left = engine.close()
    assert own.everything()["containers"] == left
    other = DockerEngine(own.endpoint)
    with other.api() as api:
        api.remove_container(left[0])
    other.close()


def context(dockerfile: str) -> bytes:
    """A folder with this Dockerfile alone."""
    return pack({"/Dockerfile": File(content=f"FROM {SMALL}\n{dockerfile}".encode())})


DOCKERFILES = {
    "RUN echo one > /a\nRUN echo no luck; exit 3\n": (limits(), "no luck"),
    "RUN echo two > /b\nRUN echo start; sleep 30\n": (limits(seconds=2), "longer than 2 s"),
    "RUN sleep 30\n": (limits(idle_seconds=1), "it did nothing for"),
    f"RUN {FLOOD}\n": (limits(output_mib=16), "printed more than 16 MiB"),
    "RUN while :; do head -c 20000000 /dev/zero >> /f; done": (limits(disk_mib=64), "64 MiB"),
    "RUN echo \\\nFROM x; exit 3\n": (limits(), "FROM x"),
    "COPY gone /\n": (limits(), "gone"),
}


def test_dockerfiles_that_misbehave(alone: DockerEngine) -> None:
    """Bug: they had no limit at all, and the images of their first steps stayed for ever."""

    def trouble(item: tuple[int, str]) -> str | None:
        number, text = item
        limit, _ = DOCKERFILES[text]
        tag = TAG.format(f"own{number}")
        return alone.build_dockerfile(context(text), "Dockerfile", tag, secrets={}, limits=limit)

    started = time.monotonic()
    with ThreadPoolExecutor(len(DOCKERFILES)) as pool:
        found = list(pool.map(trouble, enumerate(DOCKERFILES)))
    for said, (text, (_, words)) in zip(found, DOCKERFILES.items(), strict=True):
        assert said is not None, text
        assert words in said, text
        assert len(said) < 200_000
    assert time.monotonic() - started < 25
