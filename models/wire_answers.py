"""Reading along while an answer passes: what it says, why it ended, and what it bills.

Events are those of a stream, or a whole answer at once; anything in them may be missing or wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from core.types import Usage
from models.provider import Finish
from models.reply import Reply, counted, number
from models.wire import Wire

_BETWEEN = re.compile(rb"\r?\n\r?\n")
_FINISH: dict[str, Finish] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "length": "length",
    "max_output_tokens": "length",
    "MAX_TOKENS": "length",
    "refusal": "refusal",
    "content_filter": "safety",
    "SAFETY": "safety",
    "RECITATION": "safety",
    "BLOCKLIST": "safety",
    "PROHIBITED_CONTENT": "safety",
    "SPII": "safety",
}
Json = Mapping[str, Any]


class Stream:
    """The events of a stream that arrives in parts of any size."""

    def __init__(self) -> None:
        self._waiting = b""

    def take(self, content: bytes) -> list[bytes]:
        """Those that are whole now, each with the empty line behind it."""
        self._waiting += content
        found, start = [], 0
        for between in _BETWEEN.finditer(self._waiting):
            found.append(self._waiting[start : between.end()])
            start = between.end()
        self._waiting = self._waiting[start:]
        return found

    def rest(self) -> bytes:
        """What was begun and has not ended."""
        return self._waiting


def data_of(event: bytes) -> list[Json]:
    """What an event, or a whole answer, holds; nothing where it is no JSON."""
    lines = [line.strip() for line in event.splitlines()]
    told = b"\n".join(line[5:] for line in lines if line.startswith(b"data:"))
    try:
        found = json.loads(told or event)
    except (ValueError, RecursionError):
        return []
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


class Tally:
    """What is known of an answer so far."""

    def __init__(self, wire: Wire, reply: Reply):
        self.finish: Finish | None = None
        self.error = ""
        self._reply = reply
        self._take = _TAKING[wire]

    def take(self, event: Json) -> None:
        """Read one event."""
        failed = event.get("error") or _object(event, "response").get("error")
        if failed:
            inner = failed if isinstance(failed, dict) else {}
            self.error = str(inner.get("message") or failed)[:500]
            return
        reason = self._take(event, self._reply)
        if reason is not None:
            self.finish = _FINISH.get(reason, "stop")


def _messages(event: Json, reply: Reply) -> str | None:
    whole = event.get("type") == "message"
    told = event if whole else _object(event, "message")
    reply.served_model = _word(told, "model") or reply.served_model
    for part in (told, event):
        if usage := _object(part, "usage"):
            reply.raw_usage = {**(reply.raw_usage or {}), **usage}
            reply.usage = _counted_messages(reply.raw_usage)
    delta = _object(event, "delta")
    if whole:
        reply.token("".join(_word(block, "text") for block in _list(event, "content")))
    elif event.get("type") == "content_block_delta":
        reply.token(_word(delta, "text"))
    return _word(event if whole else delta, "stop_reason") or None


def _counted_messages(raw: Json) -> Usage | None:
    read = number(raw.get("cache_read_input_tokens"))
    write = number(raw.get("cache_creation_input_tokens"))
    return counted(
        given=number(raw.get("input_tokens")) + read + write,
        read=read,
        write=write,
        made=raw.get("output_tokens"),
        thought=_object(raw, "output_tokens_details").get("thinking_tokens"),
    )


def _chat(event: Json, reply: Reply) -> str | None:
    reply.served_model = _word(event, "model") or reply.served_model
    _count(event, "prompt", "completion", reply)
    reason = ""
    for choice in _list(event, "choices")[:1]:
        said = _object(choice, "delta") or _object(choice, "message")
        if said.get("content") or said.get("tool_calls") or said.get("reasoning_content"):
            reply.token(_word(said, "content"))
        reason = _word(choice, "finish_reason")
    return reason or None


def _responses(event: Json, reply: Reply) -> str | None:
    kind = _word(event, "type")
    if kind == "response.output_text.delta":
        reply.token(_word(event, "delta"))
    elif kind.endswith(".delta"):
        reply.token("")
    whole = event if event.get("object") == "response" else _object(event, "response")
    reply.served_model = _word(whole, "model") or reply.served_model
    _count(whole, "input", "output", reply)
    if whole is event:
        parts = [part for item in _list(whole, "output") for part in _list(item, "content")]
        reply.token("".join(_word(part, "text") for part in parts))
    if whole.get("status") == "incomplete":
        return _word(_object(whole, "incomplete_details"), "reason") or "length"
    return "stop" if whole.get("status") == "completed" else None


def _generate(event: Json, reply: Reply) -> str | None:
    reply.served_model = _word(event, "modelVersion") or reply.served_model
    if usage := _object(event, "usageMetadata"):
        thoughts = number(usage.get("thoughtsTokenCount"))
        reply.raw_usage = usage
        reply.usage = counted(
            given=number(usage.get("promptTokenCount"))
            + number(usage.get("toolUsePromptTokenCount")),
            read=usage.get("cachedContentTokenCount"),
            made=number(usage.get("candidatesTokenCount")) + thoughts,
            thought=thoughts,
        )
    if _word(_object(event, "promptFeedback"), "blockReason"):
        return "SAFETY"
    reason = ""
    for candidate in _list(event, "candidates")[:1]:
        parts = _list(_object(candidate, "content"), "parts")
        if parts:
            reply.token("".join(_word(p, "text") for p in parts if not p.get("thought")))
        reason = _word(candidate, "finishReason")
    return reason or None


def _count(told: Json, given: str, made: str, reply: Reply) -> None:
    """Both of OpenAI's ways to count, which differ in their words."""
    if usage := _object(told, "usage"):
        into = _object(usage, f"{given}_tokens_details")
        reply.raw_usage = usage
        reply.usage = counted(
            given=usage.get(f"{given}_tokens"),
            read=into.get("cached_tokens"),
            write=into.get("cache_write_tokens"),
            made=usage.get(f"{made}_tokens"),
            thought=_object(usage, f"{made}_tokens_details").get("reasoning_tokens"),
        )


_TAKING: dict[Wire, Callable[[Json, Reply], str | None]] = {
    "messages": _messages,
    "chat": _chat,
    "responses": _responses,
    "generate": _generate,
}


def _object(of: Json, name: str) -> Json:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _list(of: Json, name: str) -> list[Json]:
    found = of.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _word(of: Json, name: str) -> str:
    found = of.get(name)
    return found if isinstance(found, str) else ""
