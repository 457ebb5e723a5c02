"""The model APIs as agents of others use them: streamed as elsewhere, or answered at once."""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler
from typing import Any

from support.fake_anthropic import FakeAnthropic
from support.fake_google import FakeGoogle
from support.fake_openai import FakeChat, FakeResponses
from support.loopback import Asked, Behaviour, Loopback
from support.served import send_json


class _AtOnce(Loopback):
    def _send_stream(
        self, request: BaseHTTPRequestHandler, behaviour: Behaviour, asked: Asked
    ) -> None:
        if asked.body.get("stream") is True or "alt=sse" in asked.path:
            super()._send_stream(request, behaviour, asked)
            return
        with self._lock:
            self.billed.append((behaviour.input_tokens, behaviour.output_tokens))
        model = behaviour.model or asked.body.get("model") or re.findall("models/(.*):", asked.path)
        send_json(
            request, 200, self.whole(behaviour, model if isinstance(model, str) else model[0])
        )

    def whole(self, behaviour: Behaviour, model: str) -> dict[str, Any]:
        raise NotImplementedError


class WholeAnthropic(_AtOnce, FakeAnthropic):
    def whole(self, behaviour: Behaviour, model: str) -> dict[str, Any]:
        uses = [
            {"type": "tool_use", "id": f"toolu_{len(self.asked)}_{place}", "name": name,
             "input": json.loads(said)}
            for place, (name, said) in enumerate(behaviour.calls)
        ]  # fmt: skip
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": model,
            "content": [{"type": "text", "text": behaviour.text}, *uses],
            "stop_reason": behaviour.finish or ("tool_use" if uses else "end_turn"),
            "usage": {
                "input_tokens": behaviour.input_tokens - behaviour.cached_tokens,
                "cache_read_input_tokens": behaviour.cached_tokens,
                "cache_creation_input_tokens": 0,
                "output_tokens": behaviour.output_tokens,
            },
        }  # fmt: skip


class WholeChat(_AtOnce, FakeChat):
    def whole(self, behaviour: Behaviour, model: str) -> dict[str, Any]:
        calls = [
            {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": said}}
            for n, (name, said) in enumerate(behaviour.calls)
        ]
        message = {"role": "assistant", "content": behaviour.text, "tool_calls": calls or None}
        reason = behaviour.finish or ("tool_calls" if calls else "stop")
        return {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            "usage": _usage(behaviour, "prompt", "completion"),
        }  # fmt: skip


class WholeResponses(_AtOnce, FakeResponses):
    def whole(self, behaviour: Behaviour, model: str) -> dict[str, Any]:
        part = {"type": "output_text", "text": behaviour.text, "annotations": []}
        return {
            "id": "resp_1", "object": "response", "created_at": 1, "model": model,
            "status": "completed", "error": None, "incomplete_details": None,
            "output": [{"type": "message", "role": "assistant", "content": [part]}],
            "usage": _usage(behaviour, "input", "output"),
        }  # fmt: skip


class WholeGoogle(_AtOnce, FakeGoogle):
    def whole(self, behaviour: Behaviour, model: str) -> dict[str, Any]:
        content = {"parts": [{"text": behaviour.text}], "role": "model"}
        return {
            "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {
                "promptTokenCount": behaviour.input_tokens,
                "cachedContentTokenCount": behaviour.cached_tokens,
                "candidatesTokenCount": behaviour.output_tokens - behaviour.thinking_tokens,
                "thoughtsTokenCount": behaviour.thinking_tokens,
            },
            "modelVersion": model,
        }


def _usage(behaviour: Behaviour, given: str, made: str) -> dict[str, Any]:
    return {
        f"{given}_tokens": behaviour.input_tokens,
        f"{made}_tokens": behaviour.output_tokens,
        "total_tokens": behaviour.input_tokens + behaviour.output_tokens,
        f"{given}_tokens_details": {"cached_tokens": behaviour.cached_tokens},
        f"{made}_tokens_details": {"reasoning_tokens": behaviour.thinking_tokens},
    }
