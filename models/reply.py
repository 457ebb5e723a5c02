"""Gathering a streamed answer: text, counts and times, also of one that breaks off."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from core.errors import UsageError
from core.types import Usage
from models.dialog import Fragments
from models.provider import Answer, AskFailedError, Connection, Finish, Partial

if TYPE_CHECKING:
    import httpx2


class Reply:
    """One answer while it arrives; made right before the request is sent."""

    def __init__(self, provider: str, timeout_seconds: float):
        self.served_model: str | None = None
        self.usage: Usage | None = None
        self.raw_usage: Mapping[str, JsonValue] | None = None
        self.fragments = Fragments()
        """Calls of tools, as far as they have arrived."""
        self.said: JsonValue = None
        """The answer in the provider's own form, where it wants that back."""
        self.refused = False
        """Set where a refusal is told apart from the reason for the end."""
        self._provider = provider
        self._timeout = timeout_seconds
        self._started = time.monotonic()
        self._first: float | None = None
        self._texts: list[str] = []

    def token(self, text: str) -> None:
        """Add generated text; "" for tokens that are not part of the answer's text."""
        if self._first is None:
            self._first = self._seconds()
        self._texts.append(text)

    def check_time(self) -> None:
        """Raise AskFailedError when the whole answer takes too long."""
        if self._seconds() > self._timeout:
            raise self.broken(f"no complete answer within {self._timeout:g} s")

    def whole(self, finish: Finish | None) -> Answer:
        """The complete answer. Raises AskFailedError where no reason for the end was given."""
        if finish is None:  # SDKs take a cut connection for the end of the answer
            raise self.broken("the stream ended before the answer did")
        text = "".join(self._texts)
        return Answer(
            text=text,
            finish="refusal" if self.refused else finish,
            usage=self.usage if not text or _counts_something(self.usage) else None,
            raw_usage=self.raw_usage,
            served_model=self.served_model,
            first_token_seconds=self._first,
            seconds=self._seconds(),
            calls=self.fragments.calls(),
            said=self.said,
        )

    def broken(
        self,
        what: str,
        *,
        retriable: bool = True,
        retry_after: float | None = None,
        sent: bool = True,
        overloaded: bool = False,
    ) -> AskFailedError:
        """The error for a transport failure; `sent` False where the request never left."""
        return AskFailedError(
            f"{self._provider}: {what}",
            retriable=retriable,
            retry_after=retry_after,
            maybe_billed=sent,
            overloaded=overloaded,
            partial=self._partial(),
        )

    @property
    def begun(self) -> bool:
        """True when anything of the answer has arrived."""
        return self._first is not None or self.usage is not None

    def _partial(self) -> Partial:
        return Partial(
            text="".join(self._texts),
            usage=self.usage,
            raw_usage=self.raw_usage,
            served_model=self.served_model,
            seconds=self._seconds(),
        )

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def _counts_something(usage: Usage | None) -> bool:
    """False for counts by which a text cost nothing to ask for, or to write: they are not known."""
    return usage is not None and usage.input_tokens > 0 and usage.output_tokens > 0


def number(count: object) -> int:
    """A count as a provider gave it; 0 for what is none."""
    return count if isinstance(count, int) else 0


def counted(
    *, given: object, read: object = 0, write: object = 0, made: object, thought: object = 0
) -> Usage | None:
    """Tokens in our one convention; None where a provider's counts contradict each other.

    `given` is the whole prompt with what was read from and written to a cache, `made` all
    that was generated with what was thought. An answer with absurd counts is still an answer.
    """
    counts = [number(count) for count in (given, read, write, made, thought)]
    if min(counts) < 0 or counts[1] + counts[2] > counts[0] or counts[4] > counts[3]:
        return None
    names = ("input", "cache_read", "cache_write", "output", "reasoning")
    return Usage(**{f"{name}_tokens": n for name, n in zip(names, counts, strict=True)})


def never_sent(error: BaseException) -> bool:
    """True for transport errors from before the request left this machine."""
    import httpx2

    early = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
    return isinstance(error, early) or isinstance(error.__cause__, early)


def no_reuse() -> httpx2.Limits:
    """A connection of its own for every request.

    So that all times include the same work, and no idle connection outlives a run.
    """
    import httpx2

    return httpx2.Limits(max_keepalive_connections=0)


def hooks(connection: Connection) -> dict[str, list[Callable[[httpx2.Response], None]]]:
    """What an HTTP client calls, so that headers are heard of every answer, refusals included."""
    hear = connection.hear
    return {} if hear is None else {"response": [lambda response: hear(response.headers)]}


def tls(ca_bundle: Path | None) -> ssl.SSLContext | bool:
    """What to verify servers with: the given authorities, or the usual ones.

    Raises UsageError for a file that holds no certificates.
    """
    if ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_bundle))
    except OSError as error:
        raise UsageError(f"ca_bundle {str(ca_bundle)!r} cannot be used: {error}") from error
