"""An HTTP server on a free port of 127.0.0.1, for as long as a `with` block lasts."""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self

Headers = Iterable[tuple[str, str]]


class Served:
    """Listens once it is made and answers inside the block; subclasses say what."""

    methods: ClassVar[tuple[str, ...]] = ("GET",)
    """What is handed to `handle`; any other method is answered with 501."""
    protocol_version: ClassVar[str] = "HTTP/1.0"
    """1.0 = one request per connection, 1.1 = connections stay open."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._scheme = "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        """Address and port."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The address to give to a client, without a slash at its end."""
        return f"{self._scheme}://{self.host}"

    def use_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS; before the block is entered."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https"

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request; called in a thread of its own for every connection."""
        raise NotImplementedError


def read_json(request: BaseHTTPRequestHandler) -> dict[str, Any]:
    """The body of a request; {} where there is none."""
    size = int(request.headers.get("content-length", 0))
    data: dict[str, Any] = json.loads(request.rfile.read(size) or b"{}")
    return data


def send(
    request: BaseHTTPRequestHandler, status: int, content: bytes = b"", headers: Headers = ()
) -> None:
    """Answer with these bytes and their length; HEAD gets the length alone."""
    request.send_response(status)
    for name, value in headers:
        request.send_header(name, value)
    request.send_header("content-length", str(len(content)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(content)


def send_json(
    request: BaseHTTPRequestHandler, status: int, data: object, headers: Headers = ()
) -> None:
    """Answer with JSON."""
    kind = ("content-type", "application/json")
    send(request, status, json.dumps(data).encode(), (kind, *headers))


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = served.protocol_version
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        served.handle(request)

    for method in served.methods:
        setattr(Handler, f"do_{method}", handle)
    return Handler


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be silent about clients that went away; everything else is printed."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)
