"""What the three batch APIs on 127.0.0.1 have in common: batches that end when a test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

from support.served import Served, send_json

How = Literal["done", "errored", "expired", "missing"]
"""How the turn of one question ends; `missing` = nothing is said of it."""


@dataclass
class Kept:
    """One batch on the server."""

    id: str
    name: str
    """What the client called it; "" where the API has no place for that."""
    questions: dict[str, dict[str, Any]]
    """Id of the client → body of the question."""
    over: bool = False


@dataclass
class Ways:
    """How the server behaves; a test changes it as it goes."""

    text: str = "fine"
    how: Callable[[dict[str, Any]], How] = field(default=lambda _: "done")
    at_once: bool = False
    """Whether a batch is done as soon as it is there."""
    lose_reply: bool = False
    """Whether the answer to the next sending is lost on its way, after it was taken."""
    direct: int = 500
    """Status of what is asked at once."""
    unlisted: int = 0
    """How many more lists leave out all batches of ours."""
    one_more_look: bool = False
    """Whether all batches end as soon as one has been looked at, which did not show it yet."""
    refuse: int = 0
    """Status that the next sending is refused with."""


class FakeBatches(Served):
    """Subclasses know the addresses and forms of one provider."""

    methods = ("GET", "POST")
    protocol_version = "HTTP/1.1"

    def __init__(self, ways: Ways | None = None):
        super().__init__()
        self.ways = ways or Ways()
        self.batches: list[Kept] = []
        self.direct: list[dict[str, Any]] = []
        """Questions that were asked at once."""
        self.before_taken: Callable[[], None] = lambda: None
        """Called when a batch arrives, before it is taken."""
        self._lock = threading.Lock()

    @property
    def questions(self) -> list[dict[str, Any]]:
        """All that was handed in, as often as it was."""
        return [body for batch in self.batches for body in batch.questions.values()]

    def finish(self) -> None:
        """End all batches."""
        for batch in self.batches:
            batch.over = True

    def take(
        self,
        request: BaseHTTPRequestHandler,
        name: str,
        questions: dict[str, dict[str, Any]],
        shown: Callable[[Kept], dict[str, Any]],
    ) -> None:
        """A batch arrives."""
        self.before_taken()
        if status := self.ways.refuse:
            self.ways.refuse = 0
            send_json(request, status, self.error(status))
            return
        with self._lock:
            number = f"batch_{len(self.batches) + 1}"
            batch = Kept(number, name, questions, over=self.ways.at_once)
            self.batches.append(batch)
        if self.ways.lose_reply:
            self.ways.lose_reply = False
            request.close_connection = True
            request.connection.close()
            return
        send_json(request, 200, shown(batch))

    def listed(self) -> list[Kept]:
        """The batches that a list shows, newest first."""
        if self.ways.unlisted:
            self.ways.unlisted -= 1
            return []
        return self.batches[::-1]

    def get(self, number: str) -> Kept | None:
        """The batch of this id."""
        return next((batch for batch in self.batches if batch.id == number), None)

    def error(self, status: int) -> dict[str, Any]:
        """The JSON of an error status."""
        return {"error": {"type": "invalid_request_error", "message": f"no: {status}"}}
