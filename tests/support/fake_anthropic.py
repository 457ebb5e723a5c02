"""Anthropic's Messages API as far as one streamed question goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from support.loopback import Asked, Behaviour, Loopback, pieces


class FakeAnthropic(Loopback):
    """Speaks `/v1/messages` with `stream: true`."""

    def error_body(self, behaviour: Behaviour) -> dict[str, Any]:
        return {
            "type": "error",
            "error": {"type": behaviour.error_type or "api_error", "message": behaviour.message},
            "request_id": "req_1",
        }

    def events(self, behaviour: Behaviour, asked: Asked) -> Sequence[bytes]:
        if not asked.path.startswith("/v1/messages") or asked.body.get("stream") is not True:
            raise AssertionError(f"not a streamed question: {asked.path}")
        start = _frame("message_start", message=_message(behaviour, asked.body["model"]))
        if behaviour.kind == "overload_in_stream":
            error = {"type": "overloaded_error", "message": "Overloaded"}
            return [start, _frame("ping"), _frame("error", error=error)]
        block = {"type": "text", "text": ""}
        deltas = [
            _frame("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
            for piece in pieces(behaviour.text)
        ]
        return [
            start,
            _frame("ping"),
            _frame("content_block_start", index=0, content_block=block),
            *deltas,
            _frame("content_block_stop", index=0),
            *_uses(behaviour, len(asked.body["messages"]) - 1),
            _frame("message_delta", **_end(behaviour)),
            _frame("message_stop"),
        ]


def _message(behaviour: Behaviour, model: str) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": behaviour.model or model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": behaviour.input_tokens - behaviour.cached_tokens,
            "cache_read_input_tokens": behaviour.cached_tokens,
            "cache_creation_input_tokens": 0,
            "output_tokens": 1,
        },
    }


def _uses(behaviour: Behaviour, turn: int) -> list[bytes]:
    """After a thought with its signature, a block for each tool, its input in two pieces.

    No two have the same id: Claude Code takes equal ones for the same call.
    """
    frames = []
    for place, (name, arguments) in enumerate(behaviour.calls, 2):
        block = {"type": "tool_use", "id": f"toolu_{turn + place}", "name": name, "input": {}}
        frames.append(_frame("content_block_start", index=place, content_block=block))
        half = len(arguments) // 2
        for piece in (arguments[:half], arguments[half:]):
            delta = {"type": "input_json_delta", "partial_json": piece}
            frames.append(_frame("content_block_delta", index=place, delta=delta))
        frames.append(_frame("content_block_stop", index=place))
    if not frames:
        return []
    thought = {"type": "thinking", "thinking": "", "signature": ""}
    told = {"type": "thinking_delta", "thinking": "hm"}
    signed = {"type": "signature_delta", "signature": "sig-1"}
    return [
        _frame("content_block_start", index=1, content_block=thought),
        _frame("content_block_delta", index=1, delta=told),
        _frame("content_block_delta", index=1, delta=signed),
        _frame("content_block_stop", index=1),
        *frames,
    ]


def _end(behaviour: Behaviour) -> dict[str, Any]:
    usage: dict[str, Any] = {"output_tokens": behaviour.output_tokens}
    if behaviour.thinking_tokens:
        usage["output_tokens_details"] = {"thinking_tokens": behaviour.thinking_tokens}
    reason = behaviour.finish or ("tool_use" if behaviour.calls else "end_turn")
    return {"delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage}


def _frame(event: str, **data: Any) -> bytes:
    return f"event: {event}\ndata: {json.dumps({'type': event, **data})}\n\n".encode()
