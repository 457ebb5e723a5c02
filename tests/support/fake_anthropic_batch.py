"""Anthropic's Message Batches as far as handing in, looking, listing and fetching go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from support.fake_batches import FakeBatches, Kept
from support.served import read_json, send, send_json

PATH = "/v1/messages/batches"


class FakeAnthropicBatch(FakeBatches):
    """Batches have no name, and say nothing of their questions before they have ended."""

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        path, _, _tail = request.path.partition("?")
        body = read_json(request)
        if request.command == "POST" and path == PATH:
            questions = {one["custom_id"]: one["params"] for one in body["requests"]}
            self.take(request, "", questions, self._shown)
        elif request.command == "POST":
            self.direct.append(body)
            send_json(request, self.ways.direct, self.error(self.ways.direct))
        elif path == PATH:
            found = [self._shown(batch) for batch in self.listed()]
            ids = {"first_id": None, "last_id": found[-1]["id"] if found else None}
            send_json(request, 200, {"data": found, "has_more": False, **ids})
        elif (batch := self.get(path.split("/")[4])) is None:
            send_json(request, 404, self.error(404))
        elif path.endswith("/results"):
            lines = [self._line(n, q) for n, q in reversed(batch.questions.items())]
            send(request, 200, "".join(f"{json.dumps(line)}\n" for line in lines if line).encode())
        else:
            send_json(request, 200, self._shown(batch))
            if self.ways.one_more_look:
                self.finish()

    def _shown(self, batch: Kept) -> dict[str, Any]:
        names = ("processing", "succeeded", "errored", "canceled", "expired")
        counts = dict.fromkeys(names, 0)
        counts["succeeded" if batch.over else "processing"] = len(batch.questions)
        now = datetime.now(UTC).isoformat()
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if batch.over else "in_progress",
            "request_counts": counts,
            "created_at": now,
            "expires_at": now,
            "ended_at": now if batch.over else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{self.url}{PATH}/{batch.id}/results" if batch.over else None,
        }

    def _line(self, number: str, question: dict[str, Any]) -> dict[str, Any] | None:
        how = self.ways.how(question)
        if how == "missing":
            return None
        result: dict[str, Any] = {"type": how}
        if how == "errored":
            result["error"] = {"type": "error", **self.error(400), "request_id": None}
        if how == "done":
            result = {"type": "succeeded", "message": self._message(question)}
        return {"custom_id": number, "result": result}

    def _message(self, question: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": question["model"],
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": self.ways.text},
            ],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 10_000,
                "cache_read_input_tokens": 0,
                "cache_creation_input_tokens": 0,
                "output_tokens": 1_000,
                "service_tier": "batch",
            },
        }
