"""OpenAI's two wire formats as far as one streamed question goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from support.loopback import Asked, Behaviour, Loopback, pieces


class FakeResponses(Loopback):
    """Speaks `/responses` with `stream: true`, as OpenAI and Azure do."""

    def error_body(self, behaviour: Behaviour) -> dict[str, Any]:
        return _error(behaviour)

    def events(self, behaviour: Behaviour, asked: Asked) -> Sequence[bytes]:
        if not asked.path.endswith("/responses") or asked.body.get("stream") is not True:
            raise AssertionError(f"not a streamed question: {asked.path}")
        self._number = 0
        model = behaviour.model or asked.body["model"]
        start = self._frame("response.created", response=_response(behaviour, model, "in_progress"))
        if behaviour.kind == "overload_in_stream":
            failed = _response(behaviour, model, "failed")
            return [start, self._frame("response.failed", response=failed)]
        cut_short = behaviour.finish in ("max_output_tokens", "content_filter")
        status = "incomplete" if cut_short else "completed"
        end = self._frame(f"response.{status}", response=_response(behaviour, model, status))
        return [start, *self._message(behaviour), *self._uses(behaviour), end]

    def _message(self, behaviour: Behaviour) -> list[bytes]:
        """The text: Codex takes no part of it that belongs to no item."""
        part = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        refused = behaviour.finish == "refusal"
        kind = "response.refusal.delta" if refused else "response.output_text.delta"
        word = "refusal" if refused else "text"
        item = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
        whole = {"type": f"output_{word}", word: behaviour.text, "annotations": []}
        done = {**item, "status": "completed", "content": [whole]}
        return [
            self._frame("response.output_item.added", output_index=0, item=item),
            *(
                self._frame(kind, delta=piece, logprobs=[], **part)
                for piece in pieces(behaviour.text)
            ),
            self._frame("response.output_item.done", output_index=0, item=done),
        ]

    def _uses(self, behaviour: Behaviour) -> list[bytes]:
        return [
            self._frame("response.output_item.done", output_index=place, item=item)
            for place, item in enumerate(_output(behaviour), 1)
        ]

    def _frame(self, kind: str, **data: Any) -> bytes:
        self._number += 1
        event = {"type": kind, "sequence_number": self._number, **data}
        return f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode()


class FakeChat(Loopback):
    """Speaks `/chat/completions` with `stream: true`, as everybody else does."""

    def error_body(self, behaviour: Behaviour) -> dict[str, Any]:
        return _error(behaviour)

    def events(self, behaviour: Behaviour, asked: Asked) -> Sequence[bytes]:
        if not asked.path.endswith("/chat/completions") or asked.body.get("stream") is not True:
            raise AssertionError(f"not a streamed question: {asked.path}")
        model = behaviour.model or asked.body["model"]
        first = _chunk(model, {"role": "assistant", "content": ""}, None)
        if behaviour.kind == "overload_in_stream":
            return [first, _data({"error": {"message": "overloaded", "code": "server_error"}})]
        word = "refusal" if behaviour.finish == "refusal" else "content"
        text = [_chunk(model, {word: piece}, None) for piece in pieces(behaviour.text)]
        reason = {"refusal": "stop", None: "stop"}.get(behaviour.finish, behaviour.finish)
        frames = [first, *text, _chunk(model, {}, reason)]
        if behaviour.kind != "no_usage":
            frames.append(_chunk(model, None, None, _usage(behaviour, "prompt", "completion")))
        if behaviour.calls:
            frames[-2:-2] = _calls(behaviour, model)
        return [*frames, b"data: [DONE]\n\n"]


def _error(behaviour: Behaviour) -> dict[str, Any]:
    kind = behaviour.error_type or "server_error"
    return {"error": {"message": behaviour.message, "type": kind, "code": kind, "param": None}}


def _response(behaviour: Behaviour, model: str, status: str) -> dict[str, Any]:
    ended = status in ("completed", "incomplete")
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": model,
        "status": status,
        "output": _output(behaviour) if status == "completed" else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": {"code": "server_error", "message": "overloaded"} if status == "failed" else None,
        "incomplete_details": {"reason": behaviour.finish} if status == "incomplete" else None,
        "usage": _usage(behaviour, "input", "output") if ended else None,
    }


def _output(behaviour: Behaviour) -> list[dict[str, Any]]:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sig-1"}
    calls = [
        {
            "type": "function_call",
            "id": f"fc_{place}",
            "call_id": f"call_{place}",
            "name": name,
            "arguments": arguments,
            "status": "completed",
        }
        for place, (name, arguments) in enumerate(behaviour.calls)
    ]
    return [thought, *calls] if calls else []


def _calls(behaviour: Behaviour, model: str) -> list[bytes]:
    """Each call in two pieces, both with its id, as some servers send it."""
    frames = []
    for place, (name, arguments) in enumerate(behaviour.calls):
        half = len(arguments) // 2
        for piece, first in ((arguments[:half], True), (arguments[half:], False)):
            function = {"arguments": piece, **({"name": name} if first else {})}
            call = {"index": place, "id": f"call_{place}", "type": "function"}
            frames.append(_chunk(model, {"tool_calls": [{**call, "function": function}]}, None))
    return frames


def _usage(behaviour: Behaviour, given: str, made: str) -> dict[str, Any]:
    return {
        f"{given}_tokens": behaviour.input_tokens,
        f"{made}_tokens": behaviour.output_tokens,
        "total_tokens": behaviour.input_tokens + behaviour.output_tokens,
        f"{given}_tokens_details": {
            "cached_tokens": behaviour.cached_tokens,
            "cache_write_tokens": 0,
        },
        f"{made}_tokens_details": {"reasoning_tokens": behaviour.thinking_tokens},
    }


def _chunk(
    model: str, delta: dict[str, Any] | None, reason: str | None, usage: object = None
) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return _data(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "choices": [] if delta is None else [choice],
            "usage": usage,
        }
    )


def _data(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()
