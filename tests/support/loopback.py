"""A model API on 127.0.0.1: plays what it is told, and counts requests and what they bill."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

from support.served import Served, read_json, send_json

Kind = Literal["normal", "cut", "reset", "half_event", "overload_in_stream", "no_usage", "error"]


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How one request is answered."""

    kind: Kind = "normal"
    """`cut` ends the stream politely but too early; `reset` breaks the connection."""
    text: str = "fine"
    finish: str | None = None
    """The provider's own word; None = a normal end."""
    model: str | None = None
    """The model that claims to have answered; None = the one asked for."""
    calls: tuple[tuple[str, str], ...] = ()
    """Tools that are to be used: a name and JSON text each."""
    input_tokens: int = 1000
    cached_tokens: int = 0
    output_tokens: int = 200
    thinking_tokens: int = 0
    seconds: float = 0.0
    """Pause before the first token."""
    status: int = 500
    error_type: str = ""
    message: str = "no"
    headers: tuple[tuple[str, str], ...] = ()
    details: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """All that was said, to look for words in."""
        return json.dumps(self.body, ensure_ascii=False)


Plan = Callable[[Asked, int], Behaviour]


def in_order(*behaviours: Behaviour) -> Plan:
    """Answer the first request with the first behaviour, and so on; the last one repeats."""
    return lambda _, number: behaviours[min(number, len(behaviours)) - 1]


class Loopback(Served):
    """A model API; subclasses know the wire format of one provider."""

    methods = ("POST",)
    protocol_version = "HTTP/1.1"

    def __init__(self, plan: Plan | None = None):
        super().__init__()
        self.plan: Plan = plan or in_order(Behaviour())
        self.asked: list[Asked] = []
        self.billed: list[tuple[int, int]] = []
        """(input, output) tokens of each request that was billed, in order."""
        self._lock = threading.Lock()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.path, headers, read_json(request))
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked)
        behaviour = self.plan(asked, number)
        try:
            if behaviour.kind == "error":
                send_json(request, behaviour.status, self.error_body(behaviour), behaviour.headers)
            else:
                self._send_stream(request, behaviour, asked)
        except (BrokenPipeError, ConnectionResetError):
            request.close_connection = True

    def _send_stream(
        self, request: BaseHTTPRequestHandler, behaviour: Behaviour, asked: Asked
    ) -> None:
        request.send_response(200)
        request.send_header("content-type", "text/event-stream")
        request.send_header("transfer-encoding", "chunked")
        for name, value in behaviour.headers:
            request.send_header(name, value)
        request.end_headers()
        for event in self._events(behaviour, asked):
            request.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
            request.wfile.flush()
        if behaviour.kind == "reset":
            request.close_connection = True
        else:
            request.wfile.write(b"0\r\n\r\n")

    def _events(self, behaviour: Behaviour, asked: Asked) -> Iterable[bytes]:
        events = list(self.events(behaviour, asked))
        if behaviour.kind in ("cut", "reset", "half_event"):
            events = events[: len(events) // 2]
        if behaviour.kind == "half_event":
            events[-1] = events[-1][: len(events[-1]) // 2]
        with self._lock:
            self.billed.append((behaviour.input_tokens, self.output_billed(behaviour)))
        yield events[0]
        time.sleep(behaviour.seconds)
        yield from events[1:]

    def output_billed(self, behaviour: Behaviour) -> int:
        """Output tokens on the bill; of a broken stream those that were reported."""
        return behaviour.output_tokens if behaviour.kind == "normal" else 1

    def error_body(self, behaviour: Behaviour) -> dict[str, Any]:
        """The JSON of an error status."""
        raise NotImplementedError

    def events(self, behaviour: Behaviour, asked: Asked) -> Sequence[bytes]:
        """The frames of a complete stream."""
        raise NotImplementedError


def pieces(text: str) -> list[str]:
    """A text in a few parts, as models send it."""
    step = max(1, len(text) // 3)
    return [text[at : at + step] for at in range(0, len(text), step)]
