"""A Docker engine of a test's own, which may be stopped; and an image of a few megabytes."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.docker import DockerEngine

TOOLS = ("sh", "cat", "dd", "env", "head", "ls", "mkdir", "rm", "sleep", "true", "yes", "cp", "id")
"""What the small image has: programs of this machine and the libraries they need."""

SMALL = "patchmark-test/small:1"
"""The small image's name."""


def can_start() -> bool:
    """Whether an engine can be started here at all."""
    return os.geteuid() == 0 and all(map(shutil.which, ("dockerd", "unshare")))


class OwnEngine:
    """`dockerd` with folders and a socket of its own, without any network."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="pm-engine-")
        self.endpoint = f"unix://{self._folder}/engine.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        # It mounts its folder on itself and layers below, and not always takes them back.
        undone = ["umount", "--recursive", "--lazy", f"{self._folder}/data"]
        subprocess.run(undone, stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and return when it answers."""
        at = self._folder
        with Path(at, "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    # In a network of its own: with --bridge=none it would remove docker0,
                    # which belongs to the machine's engine.
                    *("unshare", "--net", "dockerd", "--host", self.endpoint),
                    *("--data-root", f"{at}/data", "--exec-root", f"{at}/exec"),
                    *("--pidfile", f"{at}/pid", "--shutdown-timeout=1"),
                    *("--bridge=none", "--iptables=false", "--ip6tables=false"),
                ],
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 30
        while not self._listens():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(Path(at, "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        DockerEngine(self.endpoint).close()

    def _listens(self) -> bool:
        # Not by a client of the SDK, which leaves a socket that cannot connect open.
        with socket.socket(socket.AF_UNIX) as looking:
            return looking.connect_ex(self.endpoint.removeprefix("unix://")) == 0

    def stop(self) -> None:
        """End it and its containers; what is left of them it finds when it starts again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    def everything(self) -> dict[str, list[str]]:
        """What is on it; nobody else uses it."""
        engine = DockerEngine(self.endpoint)
        try:
            with engine.api() as api:
                return {
                    "containers": [one["Id"] for one in api.containers(all=True)],
                    "images": sorted(one["Id"] for one in api.images(all=True)),
                    "volumes": [one["Name"] for one in api.volumes()["Volumes"] or ()],
                    "networks": sorted(one["Name"] for one in api.networks()),
                }
        finally:
            engine.close()


def load_small(engine: DockerEngine, tag: str = SMALL) -> None:
    """Make the image, which has a shell and little else."""
    paths = {Path(found) for name in TOOLS if (found := shutil.which(name))}
    for path in list(paths):
        told = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        paths |= {Path(found) for found in re.findall(r"(/\S+) \(0x", told)}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", dereference=True) as tar:
        for folder in ("tmp", "proc", "sys", "dev", "etc", "run", "repo"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder in ("tmp", "repo") else 0o755
            tar.addfile(info)
        root = b"root:x:0:0::/:/bin/sh\n"
        info = tarfile.TarInfo("etc/passwd")
        info.size = len(root)
        tar.addfile(info, io.BytesIO(root))
        for path in sorted(paths):
            home = "/bin" if path.name in TOOLS else str(path.parent)
            tar.add(path.resolve(), f"{home}/{path.name}")
    out.seek(0)
    engine.load_rootfs(out, tag)
