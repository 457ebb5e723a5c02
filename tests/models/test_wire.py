"""What agents and services of others may send to break who reads it."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from core.outlet import Sent
from models.passing import Upstream
from models.provider import Connection
from models.reply import Reply
from models.services import SERVICES
from models.wire import RefusedError, Wire, question
from models.wire_answers import Tally, data_of

NESTED = b'{"a":' * 990 + b"1" + b"}" * 990


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", True),
        (b"[]", True),
        (b"\xff", True),
        (b'{"a": ' + b"[" * 200_000, True),
        (b'{"messages": ' + b"[" * 900 + b"]" * 900 + b"}", None),
        (b'{"tools": [' + NESTED + b"]}", None),
    ],
)
def test_bodies_that_are_none(body: bytes, refused: bool | None) -> None:
    """What is written to break who reads it is refused, or at most let out as it is."""
    sent = Sent(method="POST", path="/v1/messages", headers={}, body=body)
    status = 0
    try:
        question(sent, "anthropic", "m", 1)
    except RefusedError as error:
        status = error.status
    assert status in ((400,) if refused else (0, 400))


ODD: tuple[Any, ...] = (None, 7, "x", [], [7], [{}], {}, {"usage": 7, "model": []})


def test_answers_that_are_none() -> None:
    assert data_of(b"data: " + b"[" * 200_000) == []
    assert data_of(b"data: 7\ndata: x") == []
    for wire in get_args(Wire):
        tally = Tally(wire, Reply("x", 1))
        for name in ("message", "usage", "choices", "delta", "candidates", "response", "output"):
            for value in ODD:
                tally.take({"type": "message", name: value})
        assert tally.finish is None


def test_headers_of_an_agent_cannot_break_a_request() -> None:
    upstream = Upstream(SERVICES["anthropic"], Connection(api_key="sk-secret"))
    headers = upstream.headers({"anthropic-beta": "a\r\nx-api-key: b", "authorization": "mine"})
    assert headers["authorization"] == "Bearer sk-secret"
    assert "anthropic-beta" not in headers
    assert upstream.headers({"anthropic-beta": "a-1,b"})["anthropic-beta"] == "a-1,b"
    assert "sk-secret" not in repr(upstream)
