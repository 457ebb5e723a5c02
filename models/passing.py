"""One question of an agent, passed on with the real key, and its answer as it arrives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from core.outlet import Answering
from core.redact import Redactor
from models.provider import Answer, AskFailedError, Connection, Request
from models.reply import Reply, never_sent, no_reuse, tls
from models.services import Service
from models.wire import Question
from models.wire_answers import Stream, Tally, data_of

if TYPE_CHECKING:
    import httpx2

_KEPT = ("anthropic-version", "anthropic-beta")
"""Of an agent's headers: all that says how its body is to be read."""
_PLAIN = re.compile(r"[A-Za-z0-9._,; -]{1,500}")
_BACK = ("content-type", "retry-after", "x-should-retry", "request-id")
_HOPELESS = (401, 403, 404)
_VERSION = "2023-06-01"


@dataclass(frozen=True)
class Upstream:
    """A service with the key to it."""

    service: Service
    connection: Connection = field(repr=False)

    @cached_property
    def client(self) -> httpx2.Client:
        """Safe from many threads."""
        import httpx2

        connection = self.connection
        timeout = httpx2.Timeout(connection.timeout_seconds, connect=10.0)
        return httpx2.Client(timeout=timeout, verify=tls(connection.ca_bundle), limits=no_reuse())

    def headers(self, sent: Mapping[str, str]) -> dict[str, str]:
        """What a request carries: the key, and of the agent's own what is known."""
        said = {name: sent[name] for name in _KEPT if _PLAIN.fullmatch(sent.get(name, ""))}
        plain = {"content-type": "application/json", "accept-encoding": "identity"}
        key = self.connection.api_key or "none"
        if self.service.api == "gemini":
            return {**plain, "x-goog-api-key": key}
        bearer = {**plain, "authorization": f"Bearer {key}"}
        if self.service.api == "anthropic":
            return {**bearer, "anthropic-version": _VERSION, **said}
        return bearer


@dataclass
class Passing:
    """A provider for one question: what it answers is passed on, but for its last part.

    That follows with `release`, when the answer is on disk.
    """

    name: str
    """See Provider.name."""
    upstream: Upstream
    question: Question
    sent: Mapping[str, str]
    """The agent's own headers."""
    to: Answering
    redactor: Redactor
    given_up: Callable[[], bool]
    """Whether nobody waits for an answer any more."""
    begun: bool = False
    broken: bool = True
    """Whether what it began has no end."""
    _held: bytes = b""
    _parts: list[bytes] = field(default_factory=list)

    def ask(self, request: Request) -> Answer:
        """See Provider.ask. Of what fails before it begins, the agent is told as well."""
        import httpx2

        if self.given_up():
            raise AskFailedError("nobody waits for the answer any more")
        reply = Reply(self.name, self.upstream.connection.timeout_seconds)
        tally = Tally(self.question.wire, reply)
        address = f"{(self.upstream.connection.base_url or '').rstrip('/')}{self.question.path}"
        headers = self.upstream.headers(self.sent)
        try:
            with self.upstream.client.stream(
                "POST", address, content=request.raw.encode(), headers=headers
            ) as response:
                if response.status_code >= 300:
                    raise self._refused(response)
                kind = response.headers.get("content-type", "")
                self._begin(response)
                self._pass(response, "event-stream" in kind, reply, tally)
        except httpx2.HTTPError as error:
            what = str(error) or type(error).__name__
            raise reply.broken(what, sent=not never_sent(error)) from error
        if tally.error:
            raise reply.broken(tally.error)
        reply.said = {"type": kind, "body": b"".join([*self._parts, self._held]).decode()}
        return reply.whole(tally.finish)

    def release(self) -> None:
        """Pass on what was held back."""
        self.to.part(self._held)

    def _begin(self, response: httpx2.Response) -> None:
        known = {name: response.headers[name] for name in _BACK if name in response.headers}
        told = {name: self.redactor.text(value) for name, value in known.items()}
        self.to.begin(response.status_code, told)
        self.begun = True

    def _pass(self, response: httpx2.Response, streamed: bool, reply: Reply, tally: Tally) -> None:
        stream, whole = Stream(), []
        for content in response.iter_bytes():
            reply.check_time()
            if not streamed:
                whole.append(content)
                continue
            for event in stream.take(content):
                self._next(event, tally)
        self._next(b"".join(whole) or stream.rest(), tally)

    def _next(self, event: bytes, tally: Tally) -> None:
        """Read an event, or a whole answer, and pass on what came before it."""
        for told in data_of(event):
            tally.take(told)
        self.to.part(self._held)
        self._parts.append(self._held)
        self._held = self.redactor.data(event.decode("utf-8", "replace").encode())

    def _refused(self, response: httpx2.Response) -> AskFailedError:
        """The error of a status, after the agent was told the same."""
        content = self.redactor.data(response.read())
        self._begin(response)
        self.to.part(content)
        self.broken = False
        words = " ".join(content.decode("utf-8", "replace").split())[:300]
        status = response.status_code
        return AskFailedError(f"{self.name}: {status}: {words}", hopeless=status in _HOPELESS)
