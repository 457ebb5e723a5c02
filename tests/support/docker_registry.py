"""A real image registry on 127.0.0.1: Debian's `docker-registry`, fetched but not installed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.alone import alone

_NAME = "docker-registry"
USER, PASSWORD = "ann", "open sesame"
_HTPASSWD = "ann:$2b$04$juZeozbaS1eg0mWSE5.P3uE6Qs0FlEWijZ3qpEvs4IDCm4oQCyl8G\n"


class NoRegistryError(Exception):
    """There is none and it cannot be fetched; says what to do."""


def program() -> str:
    """Its path. Installing it would start a service, so it is only unpacked."""
    with alone(_NAME):
        if found := shutil.which(_NAME):
            return found
        home = Path(tempfile.gettempdir()) / f"patchmark-tests-{os.getuid()}-{_NAME}"
        there = home / "usr/bin" / _NAME
        if not there.exists() and shutil.which("apt-get"):
            home.mkdir(mode=0o700, exist_ok=True)
            quiet = {"check": False, "capture_output": True, "cwd": home}
            if os.geteuid() == 0:
                subprocess.run(["apt-get", "update", "-qq"], **quiet)  # type: ignore[call-overload]
            subprocess.run(["apt-get", "download", "-qq", _NAME], **quiet)  # type: ignore[call-overload]
            for archive in home.glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", archive, home], **quiet)  # type: ignore[call-overload]
        if not there.exists():
            raise NoRegistryError(f"{_NAME} is missing; on Debian: apt-get install {_NAME}")
        return str(there)


@contextmanager
def registry(folder: Path, *, read_only: bool = False, locked: bool = False) -> Iterator[str]:
    """Run one that keeps its images in `folder`; its address.

    `locked`: only for USER with PASSWORD. Two may share a folder, one after the other.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    folder.mkdir(exist_ok=True)
    storage: dict[str, object] = {"filesystem": {"rootdirectory": str(folder / "images")}}
    if read_only:
        storage["maintenance"] = {"readonly": {"enabled": True}}
    content: dict[str, object] = {"version": 0.1, "storage": storage, "http": {"addr": address}}
    if locked:
        (folder / "htpasswd").write_text(_HTPASSWD, encoding="utf-8")
        content["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
    settings = folder / "config.yml"
    settings.write_text(json.dumps(content), encoding="utf-8")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([program(), "serve", settings], stdout=log, stderr=log)
    try:
        _wait_for(address, process, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://{address}/v2/", timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text(encoding="utf-8")[-2000:]) from None
            time.sleep(0.02)
