"""An engine that goes away, and what a patchmark that went away has left on it."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support.calc_repo import FIX_CALC, CalcRepo, diff
from support.containers import own_containers
from support.engine_proxy import EngineProxy

from core.errors import EngineError
from core.types import Cause, Dropped, DropReason, Outcome, Patch, Stop, Task
from sandbox.docker import DockerEngine
from sandbox.engine import Build, Job, Limits, Ran
from sandbox.judge import Judge
from sandbox.owned import LABEL, machine
from sandbox.validate import Validator

pytestmark = [
    pytest.mark.docker,
    # The SDK leaves a socket that could not connect to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

LIMITS = Limits(seconds=60, memory_mib=256)
SLEEP = ("sleep", "30")


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def proxy(engine: DockerEngine) -> Iterator[EngineProxy]:
    """A way to the engine that can be cut; containers left behind it are removed."""
    with EngineProxy(engine.endpoint) as proxy:
        yield proxy
    for found in own_containers(engine):
        engine._api.remove_container(found["Id"], force=True)


def when_running(engine: DockerEngine, then: Callable[[], None]) -> threading.Thread:
    """Call `then` as soon as one of our containers runs."""

    def watch() -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if any(found["State"] == "running" for found in own_containers(engine)):
                then()
                return
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@contextmanager
def cutting(engine: DockerEngine, proxy: EngineProxy) -> Iterator[set[str]]:
    """Cut what is open whenever one of our containers runs; gives the ids of those."""
    stop = threading.Event()
    seen: set[str] = set()

    def cut_each() -> None:
        # A moment after it is seen: by then its end is waited for. What was missed runs on
        # and is cut at the next round.
        while not stop.wait(0.05):
            running = {f["Id"] for f in own_containers(engine) if f["State"] == "running"}
            if running and not stop.wait(0.3):
                seen.update(running)
                proxy.cut(for_good=False)
                stop.wait(1.5)

    thread = threading.Thread(target=cut_each)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("kind", ["job", "build"])
def test_an_engine_that_dies_during_a_job(
    engine: DockerEngine, base: str, proxy: EngineProxy, kind: str
) -> None:
    """One line, soon, that says which engine; never the job's own failure."""
    mortal = DockerEngine(proxy.endpoint, timeout=5)
    cut = when_running(engine, lambda: proxy.cut(for_good=True))
    started = time.monotonic()
    work: dict[str, Callable[[], Ran]] = {
        "job": lambda: mortal.run(Job(image=base, command=SLEEP, limits=LIMITS)),
        "build": lambda: mortal.build(
            Build(image=base, script="sleep 30", tag="x/y:1", limits=LIMITS)
        ),
    }
    with pytest.raises(EngineError) as caught:
        work[kind]()
    assert time.monotonic() - started < 10
    message = str(caught.value)
    assert message.startswith(f"container engine at {proxy.endpoint}: ")
    assert "\n" not in message
    assert not mortal.answers()
    cut.join()
    mortal.close()


def test_a_connection_lost_is_not_a_time_limit_reached(
    engine: DockerEngine, base: str, proxy: EngineProxy
) -> None:
    """What breaks while a job runs is the engine's failure, even though the engine lives on."""
    shaky = DockerEngine(proxy.endpoint, timeout=5)
    with cutting(engine, proxy), pytest.raises(EngineError):
        shaky.run(Job(image=base, command=SLEEP, limits=LIMITS))
    assert shaky.answers()
    assert own_containers(engine) == []
    shaky.close()


def test_nobody_at_the_socket() -> None:
    with (
        socket.socket(socket.AF_UNIX) as deaf,
        tempfile.TemporaryDirectory(prefix="pm-") as folder,
    ):
        deaf.bind(f"{folder}/engine.sock")
        with pytest.raises(EngineError, match="container engine at unix://"):
            DockerEngine(f"unix://{folder}/engine.sock")


def test_the_judge_tells_a_bad_container_from_a_gone_engine(
    engine: DockerEngine, proxy: EngineProxy, task: Task
) -> None:
    """The engine answers, but fails at this task each time: one verdict, not the run's end."""
    shaky = DockerEngine(proxy.endpoint, timeout=5)
    judge = Judge(shaky, LIMITS)
    slow = patch(diff({"calc.py": "import time\ntime.sleep(30)\n"}))
    with cutting(engine, proxy) as cut:
        verdict = judge.judge(task, slow)
    assert (verdict.outcome, verdict.cause) == (Outcome.ENVIRONMENT_BROKEN, Cause.ENVIRONMENT)
    assert proxy.endpoint in verdict.detail
    assert len(cut) == judge.attempts

    proxy.cut(for_good=True)
    with pytest.raises(EngineError):
        judge.judge(task, slow)
    shaky.close()


def test_the_judge_asks_an_engine_twice(
    engine: DockerEngine, proxy: EngineProxy, task: Task
) -> None:
    shaky = DockerEngine(proxy.endpoint, timeout=5)
    once = when_running(engine, lambda: proxy.cut(for_good=False))
    assert Judge(shaky, LIMITS).judge(task, patch(diff(FIX_CALC))).outcome is Outcome.PASSED
    once.join()
    shaky.close()


def test_the_validator_drops_what_an_engine_fails_at(
    engine: DockerEngine, proxy: EngineProxy, validator: Validator, calc: CalcRepo
) -> None:
    """A job that this engine refuses each time, though it is up: 1 MiB is too little."""
    shaky = DockerEngine(proxy.endpoint, timeout=5)
    refused = Limits(seconds=60, memory_mib=1)
    stubborn = Validator(shaky, validator.images, validator.settings, refused, runs=1)
    dropped = stubborn.validate(calc.candidate())
    assert isinstance(dropped, Dropped)
    assert dropped.reason is DropReason.ENVIRONMENT_BROKEN
    assert "memory" in dropped.detail
    proxy.cut(for_good=True)
    with pytest.raises(EngineError):
        stubborn.validate(calc.candidate())
    shaky.close()


def patch(text: str) -> Patch:
    return Patch(
        task_id="c" * 12,
        entrant="e",
        attempt=1,
        diff=text,
        stop=Stop.ANSWERED,
        cost_usd=None,
        usage=None,
        seconds=None,
    )


def leave(engine: DockerEngine, image: str, **labels: str) -> str:
    """A container that nobody removes, with these labels."""
    wanted = {f"{LABEL}{name}": value for name, value in labels.items()}
    return str(engine._api.create_container(image, "true", labels=wanted)["Id"])


def test_what_a_dead_process_left_is_swept(engine: DockerEngine, base: str) -> None:
    """And nothing else: not what a living one uses, nor another machine's."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    owners = {
        f"{machine()}:{dead.pid}": False,
        f"{machine()}:{os.getpid()}": True,
        f"{machine()}:1": True,
        f"{socket.gethostname()}:{dead.pid}": True,
        f"elsewhere:{dead.pid}": True,
        "nonsense": True,
    }
    left = {
        leave(engine, base, **{"": "container", ".owner": owner}): stays
        for owner, stays in owners.items()
    }
    try:
        DockerEngine(engine.endpoint).close()
        there = {found["Id"] for found in engine._api.containers(all=True)}
        assert {name: name in there for name in left} == left
    finally:
        for name in left:
            remove(engine, name)


def test_a_persons_container_of_our_image_is_not_swept(engine: DockerEngine, base: str) -> None:
    """Bug: images keep their builder's owner label, and a shell in one was removed with it."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    name = leave(engine, base, **{"": "image", ".owner": f"{socket.gethostname()}:{dead.pid}"})
    try:
        DockerEngine(engine.endpoint).close()
        assert engine._api.inspect_container(name)["Id"] == name
    finally:
        remove(engine, name)


def remove(engine: DockerEngine, name: str) -> None:
    try:
        engine._api.remove_container(name, force=True)
    except engine._docker.errors.NotFound:
        return


def test_an_environment_that_changes_meanwhile(engine: DockerEngine, base: str) -> None:
    """Bug: a variable that another thread took away ended a judgement with a KeyError."""
    over = threading.Event()

    def change() -> None:
        while not over.is_set():
            os.environ["PATCHMARK_COMES_AND_GOES"] = "1"
            del os.environ["PATCHMARK_COMES_AND_GOES"]

    changing, usual = threading.Thread(target=change), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # else threads take turns too seldom to meet
    changing.start()
    try:
        assert {engine.image_id(base) for _ in range(150)} == {engine.image_id(base)}
    finally:
        over.set()
        changing.join()
        sys.setswitchinterval(usual)
