"""A real headless Chromium, driven over a pipe: no network, a profile that is thrown away."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from support.alone import alone

PACKAGES = ("chromium", "fonts-liberation", "fonts-dejavu-core", "fonts-noto-color-emoji")
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
# It listens at 3 and speaks at 4, which may be taken here.
_START = """
import os, sys
listen, speak = map(int, sys.argv[1:3])
os.dup2(listen, 3), os.dup2(speak, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_LONGEST = 60.0


class NoBrowserError(Exception):
    """There is none and it cannot be installed; says what to do."""


def program() -> str:
    """The browser's path; root on Debian gets one installed. Raises NoBrowserError."""
    with alone("browser"):
        return _program()


def _program() -> str:
    found = _found()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"check": False, "capture_output": True}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)  # type: ignore[call-overload]
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
        subprocess.run(install, **quiet, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})  # type: ignore[call-overload]
        found = _found()
    if found is None:
        raise NoBrowserError(
            f"chromium is missing; on Debian: apt-get install {' '.join(PACKAGES)}"
        )
    return found


def _found() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Tab:
    """One page. All waits end after a minute."""

    def __init__(self, browser: Browser, session: str):
        self._browser, self._session = browser, session
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol."""
        return self._browser.call(method, parameters, self._session)

    def open(self, address: str) -> None:
        """Go there and wait until it is loaded."""
        self.events.clear()
        self.call("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def wait_for(self, event: str) -> dict[str, Any]:
        """The next event of that name, or one that came since the page was opened."""
        end = time.monotonic() + _LONGEST
        while time.monotonic() < end:
            for one in self.events:
                if one["method"] == event:
                    return one
            self._browser.hear(end)
        raise TimeoutError(event)

    def run(self, script: str) -> Any:
        """The value of an expression, awaited where it is a promise."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
            userGesture=True,
        )  # fmt: skip
        if "exceptionDetails" in answer:
            raise AssertionError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + 10
        while not self.run(f"Boolean({script})"):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """A key, where the focus is."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38}
        codes |= {"ArrowRight": 39, "ArrowDown": 40, " ": 32}
        named = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        text = {"text": "\r"} if key == "Enter" else {"text": " "} if key == " " else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **named, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def size(self, width: int, height: int = 900) -> None:
        """The window, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
            mobile=width < 600,
        )  # fmt: skip

    def colours(self, scheme: str) -> None:
        """`light` or `dark`, as the system would say."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """A PNG of the window, or of all there is to scroll to."""
        answer = self.call(
            "Page.captureScreenshot", captureBeyondViewport=whole, **self._clip(whole)
        )
        path.write_bytes(base64.b64decode(answer["data"]))

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {
            "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        }

    def printed(self) -> bytes:
        """The page as PDF, A4."""
        paper = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": False}
        return base64.b64decode(self.call("Page.printToPDF", **paper)["data"])


class Browser:
    """The running program."""

    def __init__(self, process: subprocess.Popen[bytes], write: int, read: int):
        self._process, self._write, self._read = process, write, read
        self._rest = b""
        self._number = 0
        self._tabs: dict[str, Tab] = {}
        self._answers: dict[int, dict[str, Any]] = {}

    def tab(self) -> Tab:
        """A new empty page; what it logs and asks of the network is among its events."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        tab = self._tabs[session["sessionId"]] = Tab(self, session["sessionId"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.call(f"{domain}.enable")
        return tab

    def call(
        self, method: str, parameters: dict[str, Any], session: str | None = None
    ) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._write, content) :]
        end = time.monotonic() + _LONGEST
        while number not in self._answers:
            self.hear(end)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def hear(self, end: float) -> None:
        """Take in what comes until then. Raises TimeoutError."""
        ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
        content = os.read(self._read, 1 << 20) if ready else b""
        if not content:
            raise TimeoutError("the browser says nothing more")
        *whole, self._rest = (self._rest + content).split(b"\0")
        for one in map(json.loads, whole):
            if "id" in one:
                self._answers[one["id"]] = one
            elif one.get("sessionId") in self._tabs:
                self._tabs[one["sessionId"]].events.append(one)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium and end it. Raises NoBrowserError."""
    path = program()
    to_it, ours = os.pipe()
    mine, from_it = os.pipe()
    theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (to_it, from_it)]
    os.close(to_it)
    os.close(from_it)
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-Ic", _START, *map(str, theirs), path, *_FLAGS,
             f"--user-data-dir={profile}", "about:blank"],
            pass_fds=theirs,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for fd in theirs:
            os.close(fd)
        started = Browser(process, ours, mine)
        try:
            yield started
        finally:
            with suppress(AssertionError, OSError, TimeoutError):
                started.call("Browser.close", {})
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(ours)
            os.close(mine)
