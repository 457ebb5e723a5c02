"""The host's end of a container's only way out: requests come as frames over an attached stream.

No network, no port of the machine, no mount: `container/relay.py` listens on the container's own
loopback. It runs as root, so that the tests' user can neither end it nor write in its name.
Whatever comes from there is taken as said by the container: bounded, and parsed as data.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from core.errors import EngineError
from core.outlet import BreakOffError, Outlet, Sent
from sandbox.docker import DockerEngine

_HEAD = struct.Struct(">cII")
_MOST = 33 << 20
"""Bytes of a frame: a request's body, and its headers."""
_AT_ONCE = 32
"""Requests; our own relay hands over half as many."""
_START_SECONDS = 30.0
_PROGRAM = 'exec $(command -v /usr/bin/python3 || command -v python3) -I -S -B -c "$0"'


class _BrokenError(Exception):
    """What comes over the stream are no frames of our relay."""


@contextmanager
def bridged(engine: DockerEngine, name: str, outlet: Outlet) -> Iterator[str]:
    """The address inside of a container whose requests go to `outlet`. Raises EngineError.

    At the end requests under way are waited for, so that what they cost is known.
    """
    with _attached(engine, name) as stream:
        bridge = _Bridge(stream, outlet)
        try:
            yield f"http://127.0.0.1:{bridge.begin()}"
        finally:
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
            bridge.finish()


@contextmanager
def _attached(engine: DockerEngine, name: str) -> Iterator[socket.socket]:
    """The streams of a relay that was started in a container."""
    source = files("sandbox").joinpath("container", "relay.py").read_text("utf-8")
    with engine.api() as api:
        command = ["sh", "-c", _PROGRAM, source]
        made = api.exec_create(name, command, stdin=True, user="0", workdir="/")["Id"]
        wrapped: Any = api.exec_start(made, socket=True)
    # Over a socket of the machine the client hands out a reader of it.
    stream: socket.socket = getattr(wrapped, "_sock", wrapped)
    stream.settimeout(_START_SECONDS)
    try:
        yield stream
    finally:
        # Each of them keeps the socket open by itself.
        for one in (getattr(wrapped, "_response", wrapped), wrapped, stream):
            one.close()


@dataclass
class _Bridge:
    stream: socket.socket
    outlet: Outlet
    threads: list[threading.Thread] = field(default_factory=list)
    writing: threading.Lock = field(default_factory=threading.Lock)
    waiting: bytearray = field(default_factory=bytearray)

    def begin(self) -> int:
        """Start; the port that is listened on inside. Raises EngineError."""
        try:
            self._send(b"H", 0, b"")
            port = int(json.loads(self._frame()[2])["port"])
        except (OSError, ValueError, KeyError, TypeError, _BrokenError) as error:
            raise EngineError(f"a workbench's way out does not open: {error}") from error
        self.stream.settimeout(None)
        self._start(self._serve)
        return port

    def finish(self) -> None:
        """Wait until all is answered."""
        while living := self._living():
            for thread in living:
                thread.join()

    def _start(self, what: Any, *given: Any) -> None:
        thread = threading.Thread(target=what, args=given, name="way-out", daemon=True)
        thread.start()
        self.threads = [*self._living(), thread]

    def _living(self) -> list[threading.Thread]:
        return [thread for thread in self.threads if thread.is_alive()]

    def _serve(self) -> None:
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, _BrokenError):
            while True:
                kind, number, payload = self._frame()
                if kind != b"Q" or len(self._living()) > _AT_ONCE:
                    raise _BrokenError(kind)
                self._start(self._answer, number, _read(payload))

    def _answer(self, number: int, sent: Sent) -> None:
        end = b"X"
        try:
            with suppress(BreakOffError):
                self.outlet(sent, _Answering(self, number))
                end = b"E"
        finally:
            self.tell(end, number, b"")

    def tell(self, kind: bytes, number: int, payload: bytes) -> None:
        """Send a frame; where nobody listens any more, it is nobody's loss."""
        with suppress(OSError):
            self._send(kind, number, payload)

    def _send(self, kind: bytes, number: int, payload: bytes) -> None:
        with self.writing:
            self.stream.sendall(_HEAD.pack(kind, number, len(payload)) + payload)

    def _frame(self) -> tuple[bytes, int, bytes]:
        kind, number, length = _HEAD.unpack(self._bytes(_HEAD.size))
        if length > _MOST:
            raise _BrokenError(length)
        return kind, number, self._bytes(length)

    def _bytes(self, wanted: int) -> bytes:
        """So many bytes of what the relay prints; what it complains of is left out."""
        while len(self.waiting) < wanted:
            head = self._exactly(8)
            data = self._exactly(int.from_bytes(head[4:], "big"))
            self.waiting += data if head[0] == 1 else b""
        found = bytes(self.waiting[:wanted])
        del self.waiting[:wanted]
        return found

    def _exactly(self, wanted: int) -> bytes:
        parts = bytearray()
        while len(parts) < wanted:
            part = self.stream.recv(min(wanted - len(parts), 1 << 20))
            if not part:
                raise _BrokenError("the stream ended")
            parts += part
        return bytes(parts)


@dataclass(frozen=True)
class _Answering:
    bridge: _Bridge
    number: int

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        head = {"status": status, "headers": dict(headers)}
        self.bridge.tell(b"S", self.number, json.dumps(head).encode())

    def part(self, content: bytes) -> None:
        if content:
            self.bridge.tell(b"D", self.number, content)


def _read(payload: bytes) -> Sent:
    """A request of the relay. Raises ValueError, KeyError, TypeError or AttributeError."""
    head, _, body = payload.partition(b"\n")
    said = json.loads(head)
    headers = {str(name): str(value) for name, value in said["headers"].items()}
    return Sent(method=str(said["method"]), path=str(said["path"]), headers=headers, body=body)
