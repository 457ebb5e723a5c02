"""A Dask scheduler and workers in processes of their own, some behind a network that can be cut."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.command_line import environment

from sandbox.docker import DockerEngine
from sandbox.owned import OWNER, machine

QUICK = {
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s",  # it takes no less
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "6s",
}
"""When whoever is silent counts as gone; of themselves schedulers wait longer."""


def can_cut() -> bool:
    """Whether networks can be made and cut here."""
    return os.geteuid() == 0 and all(map(shutil.which, ("ip", "unshare", "nsenter")))


@dataclass(frozen=True)
class Worker:
    """One of them."""

    process: subprocess.Popen[bytes]
    log: Path
    cable: str = ""
    """What connects it to this machine, where it is not on it."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def containers(self, engine: DockerEngine, doing: str = "") -> list[str]:
        """Ids of those that it has now, and whose command has this word."""
        mine = {"label": f"{OWNER}={machine()}:{self.pid}"}
        found = engine._api.containers(all=True, filters=mine)
        return [one["Id"] for one in found if doing in one["Command"]]

    def kill(self) -> None:
        """As when a machine loses its power."""
        self.process.kill()
        self.process.wait()

    def cut_off(self) -> None:
        """As when somebody pulls its cable: it goes on, and nobody hears of it."""
        subprocess.run(["ip", "link", "set", self.cable, "down"], check=True)


@dataclass
class DaskCluster:
    """See `started`."""

    folder: Path
    address: str
    workers: list[Worker] = field(default_factory=list)

    def worker(self, **more: str) -> Worker:
        """One more, on this machine; it does one thing at once."""
        return self._started(self.address, [], "", more)

    def remote(self, **more: str) -> Worker:
        """One more, in a network of its own with a cable to this one."""
        number = len(self.workers)
        cable, at = f"pm{os.getpid() % 100000}w{number}", f"10.213.{os.getpid() % 250}.{4 * number}"
        net = at.rpartition(".")[0]
        ours, theirs = f"{net}.{4 * number + 1}", f"{net}.{4 * number + 2}"
        holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        time.sleep(0.2)
        inside = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        for words in (
            ["ip", "link", "add", cable, "type", "veth", "peer", "name", "out0"],
            ["ip", "link", "set", "out0", "netns", str(holder.pid)],
            ["ip", "address", "add", f"{ours}/30", "dev", cable],
            ["ip", "link", "set", cable, "up"],
            [*inside, "ip", "address", "add", f"{theirs}/30", "dev", "out0"],
            [*inside, "ip", "link", "set", "out0", "up"],
            [*inside, "ip", "link", "set", "lo", "up"],
        ):
            subprocess.run(words, check=True)
        port = self.address.rpartition(":")[2]
        try:
            return self._started(f"tcp://{ours}:{port}", inside, cable, more)
        finally:
            holder.kill()
            holder.wait()

    def _started(
        self, scheduler: str, inside: list[str], cable: str, more: dict[str, str]
    ) -> Worker:
        log = self.folder / f"worker-{len(self.workers)}.log"
        process = _start(
            [*inside, *_program("worker"), scheduler, "--nthreads", "1", "--no-nanny",
             "--no-dashboard", "--local-directory", str(self.folder)],
            log, self.folder, more,
        )  # fmt: skip
        found = Worker(process, log, cable)
        self.workers.append(found)
        _until("Registered to", log, process)
        return found


@contextmanager
def started(folder: Path, **more: str) -> Iterator[DaskCluster]:
    """A scheduler without workers; at the end all of them are ended."""
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    log = folder / "scheduler.log"
    words = [*_program("scheduler"), "--port", str(port), "--no-dashboard"]
    scheduler = _start(words, log, folder, more)
    cluster = DaskCluster(folder, f"tcp://127.0.0.1:{port}")
    try:
        _until("Scheduler at", log, scheduler)
        yield cluster
    finally:
        for process in (*(worker.process for worker in cluster.workers), scheduler):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()
        for worker in cluster.workers:
            if worker.cable:
                subprocess.run(["ip", "link", "delete", worker.cable], check=False,
                               stderr=subprocess.DEVNULL)  # fmt: skip


def _program(name: str) -> list[str]:
    return [sys.executable, "-m", f"distributed.cli.dask_{name}"]


def _start(
    words: list[str], log: Path, folder: Path, more: dict[str, str]
) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            words, stdout=out, stderr=out, cwd=folder, env=environment(folder, **{**QUICK, **more})
        )


def _until(said: str, log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while said not in log.read_text():
        running = process.poll() is None and time.monotonic() < deadline
        assert running, log.read_text()
        time.sleep(0.05)
