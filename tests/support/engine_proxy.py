"""A Unix socket in front of a container engine, which can be cut while it is in use."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_REFUSAL = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    b'Content-Length: 21\r\n\r\n{"message":"refused"}'
)


class EngineProxy:
    """Hands on bytes both ways until `cut`; what was open is then closed on both sides."""

    def __init__(self, endpoint: str):
        self._target = endpoint
        # Not in tmp_path: the path of a socket may be 107 bytes long.
        self._folder = tempfile.mkdtemp(prefix="pm-")
        self.path = Path(self._folder, "engine.sock")
        self.endpoint = f"unix://{self.path}"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._gone = False
        self.refused: tuple[bytes, ...] = ()
        """Requests with this in their first line are answered with an error by ourselves."""
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut(for_good=True)
        for thread in self._threads:
            thread.join(5)
        shutil.rmtree(self._folder, ignore_errors=True)

    def cut(self, *, for_good: bool) -> None:
        """Close what is open; and for good: nobody answers any more."""
        if for_good:
            self.path.unlink(missing_ok=True)
            with suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
        with self._lock:
            self._gone = self._gone or for_good
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            engine = _connect(self._target)
            with self._lock:
                if self._gone:  # accepted in the very moment of the cut
                    client.close()
                    engine.close()
                    return
                self._open |= {client, engine}
            threads = [
                threading.Thread(target=self._pump, args=ends, daemon=True)
                for ends in ((client, engine, True), (engine, client, False))
            ]
            self._threads += threads
            for thread in threads:
                thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                first = data.partition(b"\r\n")[0] if asks else b""
                if any(part in first for part in self.refused):
                    source.sendall(_REFUSAL)
                else:
                    sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        with self._lock:
            # The second pump of a pair closes both ends.
            if {source, sink} & self._open:
                self._open -= {source, sink}
                return
        source.close()
        sink.close()


def _connect(endpoint: str) -> socket.socket:
    scheme, _, address = endpoint.partition("://")
    if scheme == "unix":
        engine = socket.socket(socket.AF_UNIX)
        engine.connect(address)
        return engine
    host, _, port = address.strip("/").rpartition(":")
    return socket.create_connection((host, int(port)))
