"""The Gemini API's batch mode as far as inlined questions go."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any

from support.fake_batches import FakeBatches, Kept
from support.served import read_json, send_json


class FakeGoogleBatch(FakeBatches):
    """Long-running operations with a display name; answers carry the metadata of questions."""

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        path, _, _ = request.path.partition("?")
        body = read_json(request)
        if path.endswith(":batchGenerateContent"):
            batch = body["batch"]
            inlined = batch["inputConfig"]["requests"]["requests"]
            questions = {one["metadata"]["key"]: one["request"] for one in inlined}
            self.take(request, batch["displayName"], questions, self._shown)
        elif request.command == "POST":
            self.direct.append(body)
            send_json(request, 500, self.error(500))
        elif path.endswith("/batches"):
            found = [self._shown(batch) for batch in self.listed()]
            send_json(request, 200, {"operations": found})
        elif (kept := self.get(path.rpartition("/")[2])) is None:
            send_json(request, 404, self.error(404))
        else:
            send_json(request, 200, self._shown(kept))

    def error(self, status: int) -> dict[str, Any]:
        return {"error": {"code": status, "message": "no", "status": "INVALID_ARGUMENT"}}

    def _shown(self, batch: Kept) -> dict[str, Any]:
        state = "BATCH_STATE_SUCCEEDED" if batch.over else "BATCH_STATE_RUNNING"
        data: dict[str, Any] = {"displayName": batch.name, "state": state}
        if batch.over:
            answers = [self._answer(n, q) for n, q in batch.questions.items()]
            data["output"] = {"inlinedResponses": {"inlinedResponses": [a for a in answers if a]}}
        return {"name": f"batches/{batch.id}", "metadata": data, "done": batch.over}

    def _answer(self, number: str, question: dict[str, Any]) -> dict[str, Any] | None:
        how = self.ways.how(question)
        if how == "missing":
            return None
        if how != "done":
            return {"metadata": {"key": number}, "error": {"code": 4, "message": how}}
        content = {"parts": [{"text": self.ways.text}], "role": "model"}
        response = {
            "candidates": [{"content": content, "index": 0, "finishReason": "STOP"}],
            "modelVersion": question["model"].removeprefix("models/"),
            "usageMetadata": {
                "promptTokenCount": 10_000,
                "candidatesTokenCount": 800,
                "thoughtsTokenCount": 200,
            },
        }
        return {"metadata": {"key": number}, "response": response}
