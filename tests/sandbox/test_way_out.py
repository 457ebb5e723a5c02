"""The only way out of a container: what it carries, and that there is no other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.containers import own_containers

from core.errors import EngineError
from core.outlet import Answering, BreakOffError, NotInstalledError, OpenBench, Sent
from core.types import Task
from sandbox.bridge import _Bridge
from sandbox.command_bench import DockerOpenBenches
from sandbox.docker import DockerEngine
from sandbox.engine import Limits
from sandbox.image import Images

docker = pytest.mark.docker
LIMITS = Limits(memory_mib=512, processes=128, disk_mib=64)
INSTALL = ("pwd > /opt/where", "id -u >> /opt/where")
ASKS = """
import time, urllib.request
started = time.monotonic()
with urllib.request.urlopen(ADDRESS + "/v1/x?y=1", data=b"a" * 3000000) as answer:
    for line in answer:
        print(answer.status, line, time.monotonic() - started > 0.5)
try:
    urllib.request.urlopen(ADDRESS + "/broken").read()
except Exception as error:
    print(type(error).__name__)
"""


class Outside:
    """Answers in two parts, the second half a second later; breaks off where asked to."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def __call__(self, sent: Sent, to: Answering) -> None:
        self.sent.append(sent)
        to.begin(201, {"content-type": "text/event-stream"})
        to.part(b"one\n")
        if sent.path == "/broken":
            raise BreakOffError
        time.sleep(0.5)
        to.part(b"two\n")


@pytest.fixture(scope="module")
def bench(engine: DockerEngine, images: Images, task: Task) -> Iterator[OpenBench]:
    with DockerOpenBenches(engine, LIMITS, lambda: images)(task, INSTALL) as bench:
        yield bench
    assert own_containers(engine) == []


@docker
def test_questions_go_out_and_answers_come_in_as_they_are_made(bench: OpenBench) -> None:
    outside = Outside()
    with bench.through(outside) as address:
        did = bench.run(f"python3 -I - <<'EOF'\nADDRESS = '{address}'\n{ASKS}\nEOF")
    assert did.output == ("201 b'one\\n' False\n201 b'two\\n' True\nIncompleteRead\n")
    first = outside.sent[0]
    assert (first.method, first.path, len(first.body)) == ("POST", "/v1/x?y=1", 3_000_000)
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    gone = bench.run(f"python3 -c \"import urllib.request as u; u.urlopen('{address}')\"")
    assert "Connection refused" in gone.output


@docker
def test_the_relay_is_out_of_reach_of_what_runs_there(bench: OpenBench) -> None:
    """Who could write in its name, or end it, could forge what was asked."""
    look = (
        "for p in /proc/[0-9]*; do grep -qs '[w]ay out of' $p/cmdline && q=$p; done;"
        "echo $q | grep -c proc; ls $q/fd 2>&1 | grep -c denied; echo x 2>&1 >$q/fd/1;"
        "kill -9 ${q#/proc/} 2>&1; cat /proc/net/route | wc -l; cat /opt/where"
    )
    outside = Outside()
    with bench.through(outside) as address:
        told = bench.run(look).output
        after = bench.run(f"python3 -c \"import urllib.request as u; u.urlopen('{address}')\"")
    assert told.startswith("1\n1\n")
    assert told.count("ermission denied") + told.count("not permitted") >= 2
    assert told.endswith("\n1\n/\n0\n")  # no route, and what was installed as root
    assert (after.exit_code, len(outside.sent)) == (0, 1)


@docker
def test_an_installation_is_made_once_and_may_fail(
    engine: DockerEngine,
    images: Images,
    task: Task,
    bench: OpenBench,
) -> None:
    benches = DockerOpenBenches(engine, LIMITS, lambda: images)
    started = time.monotonic()
    assert benches._installed(task.image, INSTALL) != task.image
    assert time.monotonic() - started < 0.5
    with (
        pytest.raises(NotInstalledError, match="no such agent"),
        benches(task, ("echo no such agent", "exit 3")),
    ):
        pass


@pytest.mark.parametrize(
    "printed",
    [
        b"\x01\0\0\0\0\0\0\x09Q\0\0\0\1\xff\xff\xff\xff",
        b"\x01\0\0\0\0\0\0\x0bQ\0\0\0\1\0\0\0\2{}",
        b"\x01\0\0\0\0\0\0\x09Z\0\0\0\1\0\0\0\0",
        b"\x02\0\0\0\0\0\0\x01!",
    ],
)
def test_what_is_no_frame_of_ours_ends_the_way_out(printed: bytes) -> None:
    """Whatever a container prints there: nothing is asked, nothing hangs, nothing is raised."""
    ours, theirs = socket.socketpair()
    outside = Outside()
    bridge = _Bridge(ours, outside)
    opening = b"\x01\0\0\0\0\0\0\x15L\0\0\0\0\0\0\0\x0c" + b'{"port": 12}'
    with ours, theirs:
        theirs.sendall(opening)
        assert bridge.begin() == 12
        theirs.sendall(printed)
        theirs.shutdown(socket.SHUT_WR)
        threading.Timer(5, theirs.close).start()
        bridge.finish()
    assert outside.sent == []


def test_a_way_out_that_does_not_open() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\x02\0\0\0\0\0\0\x03no\n")
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(EngineError, match="does not open"):
            _Bridge(ours, Outside()).begin()


def test_the_relay_needs_nothing_of_a_new_python() -> None:
    """It runs on the Python of any Debian: no walrus, no f-string, no annotations."""
    text = (Path(__file__).parents[2] / "sandbox/container/relay.py").read_text("utf-8")
    assert ":=" not in text
    assert ' f"' not in text
