"""The seam to a model's API: one question in, one answer out, or one kind of failure.

A new provider is one file with a class that has `ask`, and one line in the registry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, JsonValue

from core.errors import ProviderError
from core.types import Usage
from models.dialog import Call, Tool, Turn

Finish = Literal["stop", "length", "refusal", "safety"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Request(BaseModel):
    """All that decides what a model is asked; equal hash = the same question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    model: str
    system: str
    prefix: str = ""
    """What stands before `user` and is the same in many questions: worth caching."""
    user: str
    turns: tuple[Turn, ...] = ()
    """What was answered to that, and so on; the question is what was said last."""
    tools: tuple[Tool, ...] = ()
    max_output_tokens: int
    effort: Effort | None = None
    """How long it may think; None = the model's own habit."""
    temperature: float | None = None
    """None = the model's own; not every API takes one."""
    raw: str = ""
    """The whole body, where a program of its own asks; `user` is then what that was told."""

    @property
    def tokens_at_most(self) -> int:
        """Tokens that a provider may count: two characters each of plain text, as dense as code
        gets, and a byte each of all other, for which a vocabulary may have no word.
        """
        later = (part.model_dump_json() for parts in (self.turns, self.tools) for part in parts)
        text = self.raw or "".join((self.system, self.prefix, self.user, *later))
        plain = sum(map(str.isascii, text)) if not text.isascii() else len(text)
        return plain // 2 + len(text.encode("utf-8", "replace")) - plain

    @property
    def characters(self) -> int:
        """How much text is sent, results of tools included."""
        later = (self.turns, self.tools)
        more = sum(len(part.model_dump_json()) for parts in later for part in parts)
        return len(self.system) + len(self.prefix) + len(self.user) + more

    @property
    def sha256(self) -> str:
        """Hash of the request, 64 hex digits, the same on every machine."""
        # Without what is not set, so that a new setting changes no question asked before.
        asked = self.model_dump(mode="json", exclude_defaults=True)
        canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Where Vertex AI is asked, and as whom."""

    project: str
    location: str
    credentials: Path
    """JSON of a service account, a person or a workflow's identity."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where and how a provider is reached."""

    api_key: str = ""
    cloud: Cloud | None = None
    base_url: str | None = None
    timeout_seconds: float = 600
    """Longest silence, and longest whole answer."""
    ca_bundle: Path | None = None
    hear: Callable[[Mapping[str, str]], None] | None = None
    """Told the headers of each answer, in the thread that asks."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, before anything reads it."""

    text: str
    finish: Finish
    usage: Usage | None
    raw_usage: Mapping[str, JsonValue] | None
    served_model: str | None
    first_token_seconds: float | None
    """From sending the request to the first generated token, reasoning included."""
    seconds: float | None
    """None, like the other, where nobody waited: of an answer that came by batch."""
    calls: tuple[Call, ...] = ()
    """Tools that the model wants to be used."""
    said: JsonValue = None
    """The answer in the provider's own form, to be sent back with what came of it."""


@dataclass(frozen=True, kw_only=True)
class Partial:
    """What a failed request had brought before it failed."""

    text: str = ""
    usage: Usage | None = None
    raw_usage: Mapping[str, JsonValue] | None = None
    served_model: str | None = None
    seconds: float | None = None


class AskFailedError(ProviderError):
    """One request failed.

    `hopeless` means that no other question can succeed either: a rejected key, an unknown
    model. `maybe_billed` is False only where the API said no before it generated anything.
    """

    def __init__(
        self,
        message: str,
        *,
        retriable: bool = False,
        retry_after: float | None = None,
        hopeless: bool = False,
        maybe_billed: bool = False,
        overloaded: bool = False,
        partial: Partial | None = None,
    ):
        super().__init__(
            message, retriable=retriable, retry_after=retry_after, overloaded=overloaded
        )
        self.hopeless = hopeless
        self.maybe_billed = maybe_billed
        self.partial = partial or Partial()


class Provider(Protocol):
    """A model's API."""

    name: str

    def ask(self, request: Request) -> Answer:
        """Send one request, once, and wait for the whole answer. Safe from many threads.

        Raises AskFailedError.
        """
        ...
