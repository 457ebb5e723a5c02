"""The Gemini API as far as one streamed question goes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from support.loopback import Asked, Behaviour, Loopback, pieces


class FakeGoogle(Loopback):
    """Speaks `:streamGenerateContent?alt=sse`."""

    def error_body(self, behaviour: Behaviour) -> dict[str, Any]:
        return {
            "error": {
                "code": behaviour.status,
                "message": behaviour.message,
                "status": behaviour.error_type or "INTERNAL",
                "details": list(behaviour.details),
            }
        }

    def events(self, behaviour: Behaviour, asked: Asked) -> Sequence[bytes]:
        found = re.fullmatch(r"/v\w+/.*?models/([^:]+):streamGenerateContent\?alt=sse", asked.path)
        if found is None:
            raise AssertionError(f"not a streamed question: {asked.path}")
        served = behaviour.model or found[1]
        if behaviour.kind == "overload_in_stream":
            error = {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}
            return [_chunk(behaviour, served, "x", 1), _frame({"error": error})]
        if behaviour.finish == "blocked_prompt":
            return [_frame({"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": served})]
        texts = pieces(behaviour.text)
        chunks = [_chunk(behaviour, served, text, 1) for text in texts]
        calls = [_call(behaviour, served, *call) for call in behaviour.calls]
        return [*chunks, *calls, _chunk(behaviour, served, "", None)]


def _chunk(behaviour: Behaviour, served: str, text: str, output: int | None) -> bytes:
    """One chunk; `output` None for the last one, which has the end and the full count."""
    last = output is None
    candidate: dict[str, Any] = {
        "content": {"parts": [{"text": text}], "role": "model"},
        "index": 0,
    }
    if last:
        candidate["finishReason"] = behaviour.finish or "STOP"
    usage: dict[str, Any] = {
        "promptTokenCount": behaviour.input_tokens,
        "candidatesTokenCount": output or behaviour.output_tokens - behaviour.thinking_tokens,
    }
    if behaviour.cached_tokens:
        usage["cachedContentTokenCount"] = behaviour.cached_tokens
    if last and behaviour.thinking_tokens:
        usage["thoughtsTokenCount"] = behaviour.thinking_tokens
    chunk: dict[str, Any] = {"candidates": [candidate], "modelVersion": served}
    if behaviour.kind != "no_usage":
        chunk["usageMetadata"] = usage
    return _frame(chunk)


def _call(behaviour: Behaviour, served: str, name: str, arguments: str) -> bytes:
    """A call of a function with the signature of the thought behind it; calls have no id."""
    part = {
        "functionCall": {"name": name, "args": json.loads(arguments)},
        "thoughtSignature": "c2lnLTE=",
    }
    candidate = {"content": {"parts": [part], "role": "model"}, "index": 0}
    return _frame({"candidates": [candidate], "modelVersion": served})


def _frame(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\r\n\r\n".encode()
