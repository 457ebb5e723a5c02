"""A Podman of a test's own, behind the socket by which patchmark finds one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_NEEDED = ("podman", "runc", "catatonit", "unshare")
_CONFIGURATION = """\
[containers]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[engine.runtimes]
runc = ["{folder}/runc"]
"""
_RUNC = """\
#!/usr/bin/python3
# Podman, as root, gives containers limits that root of a container may not give.
import json, os, resource, sys
for word, name in (("--bundle", "/config.json"), ("--process", "")):
    if word in sys.argv:
        path = sys.argv[sys.argv.index(word) + 1] + name
        with open(path) as file:
            config = json.load(file)
        for one in config.get("process", config).get("rlimits", []):
            most = resource.getrlimit(getattr(resource, one["type"]))[1]
            if most != resource.RLIM_INFINITY:
                one["hard"], one["soft"] = min(one["hard"], most), min(one["soft"], most)
        with open(path, "w") as file:
            json.dump(config, file)
os.execv("{runc}", ["runc", *sys.argv[1:]])
"""


def missing() -> str:
    """What is not installed here; empty where Podman can be started."""
    if os.geteuid() != 0:
        return "root"
    return ", ".join(name for name in _NEEDED if shutil.which(name) is None)


class OwnPodman:
    """`podman system service` with folders and a socket of its own, without any network."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="pm-podman-")
        self.endpoint = f"unix://{self._folder}/podman.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        at = Path(self._folder)
        shim = at / "runc"
        shim.write_text(_RUNC.replace("{runc}", str(shutil.which("runc"))), encoding="utf-8")
        shim.chmod(0o755)
        (at / "containers.conf").write_text(_CONFIGURATION.format(folder=at), encoding="utf-8")
        with (at / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *("unshare", "--net", "podman", "--root", at / "root", "--runroot", at / "run"),
                    *("--storage-driver", "overlay"),
                    *("system", "service", "--time", "0", self.endpoint),
                ],
                env={**os.environ, "CONTAINERS_CONF": str(at / "containers.conf")},
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 30
        while not (at / "podman.sock").exists():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError((at / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
        undone = ["umount", "--recursive", "--lazy", f"{self._folder}/root/overlay"]
        subprocess.run(undone, stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)
