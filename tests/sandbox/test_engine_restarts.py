"""An engine of the tests' own that restarts under us, and what is left on it afterwards."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable

import pytest
from support.own_engine import SMALL, OwnEngine, can_start

from core.errors import EngineError
from sandbox.docker import DockerEngine
from sandbox.engine import Build, Job, Limits, Ran
from sandbox.owned import LABEL
from sandbox.suite import retried

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(not can_start(), reason="needs root and dockerd"),
    # The SDK leaves a socket that could not connect to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

LIMITS = Limits(seconds=30, memory_mib=64)


def restart_when_running(own: OwnEngine) -> threading.Thread:
    def watch() -> None:
        looking = DockerEngine(own.endpoint)
        until = time.monotonic() + 15
        with looking.api() as api:
            while not api.containers(filters={"label": f"{LABEL}=container"}):
                assert time.monotonic() < until
                time.sleep(0.05)
        looking.close()
        own.stop()
        own.start()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.parametrize("kind", ["job", "build"])
def test_an_engine_that_restarts_in_the_middle(own: OwnEngine, kind: str) -> None:
    """Bug: it ends its containers and says so on connections that are open, which was taken for
    the job's own end: a verdict against the model.
    """
    engine = DockerEngine(own.endpoint, timeout=5)
    before = own.everything()
    calls = []

    def work() -> Ran:
        calls.append(time.monotonic())
        sleep = "sleep 20" if len(calls) == 1 else "true"
        both: dict[str, Callable[[], Ran]] = {
            "job": lambda: engine.run(Job(image=SMALL, command=("sh", "-c", sleep), limits=LIMITS)),
            "build": lambda: engine.build(
                Build(image=SMALL, script=sleep, tag="patchmark-test/built:1", limits=LIMITS)
            ),
        }
        try:
            return both[kind]()
        except EngineError:
            restarted.join()
            raise

    restarted = restart_when_running(own)
    ran = retried(2, work)
    assert (ran.exit_code, len(calls)) == (0, 2)
    if kind == "build":
        engine.remove_image("patchmark-test/built:1")
    assert engine.close() == []
    assert own.everything() == before
    # Here, where they are forgiven, and not in whatever test comes next.
    gc.collect()
