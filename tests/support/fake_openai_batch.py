"""OpenAI's files and batches as far as questions to the Responses API go."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from support.fake_batches import FakeBatches, Kept, Ways
from support.served import read_json, send, send_json


class FakeOpenAIBatch(FakeBatches):
    """A file goes up; one of answers and one of failures come back."""

    def __init__(self, ways: Ways | None = None):
        super().__init__(ways)
        self.files: list[bytes] = []

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        path, _, _ = request.path.partition("?")
        if path == "/files":
            self._upload(request)
        elif path == "/batches" and request.command == "POST":
            body = read_json(request)
            lines = self.files[int(body["input_file_id"].removeprefix("file_"))].splitlines()
            found = [json.loads(line) for line in lines]
            questions = {one["custom_id"]: one["body"] for one in found}
            self.take(request, body["metadata"]["patchmark"], questions, self._shown)
        elif request.command == "POST":
            self.direct.append(read_json(request))
            send_json(request, 500, self.error(500))
        elif path == "/batches":
            shown = [self._shown(batch) for batch in self.listed()]
            send_json(request, 200, {"object": "list", "data": shown, "has_more": False})
        elif path.startswith("/files/"):
            kind, _, number = path.split("/")[2].partition("-")
            send(request, 200, self._file(kind, number))
        elif (batch := self.get(path.rpartition("/")[2])) is None:
            send_json(request, 404, self.error(404))
        else:
            send_json(request, 200, self._shown(batch))

    def _upload(self, request: BaseHTTPRequestHandler) -> None:
        content = request.rfile.read(int(request.headers["content-length"]))
        boundary = request.headers["content-type"].partition("boundary=")[2].encode()
        parts = [part for part in content.split(b"--" + boundary) if b"filename=" in part]
        self.files.append(parts[0].partition(b"\r\n\r\n")[2].rstrip(b"\r\n"))
        file = {
            "id": f"file_{len(self.files) - 1}", "object": "file", "bytes": len(content),
            "created_at": 1, "filename": "x.jsonl", "purpose": "batch", "status": "processed",
        }  # fmt: skip
        send_json(request, 200, file)

    def _shown(self, batch: Kept) -> dict[str, Any]:
        expired = batch.over and any(
            self.ways.how(q) == "expired" for q in batch.questions.values()
        )
        return {
            "id": batch.id, "object": "batch", "endpoint": "/v1/responses", "created_at": 1,
            "completion_window": "24h", "input_file_id": "file_0",
            "status": ("expired" if expired else "completed") if batch.over else "in_progress",
            "metadata": {"patchmark": batch.name},
            "output_file_id": f"done-{batch.id}" if batch.over else None,
            "error_file_id": f"errors-{batch.id}" if batch.over else None,
        }  # fmt: skip

    def _file(self, kind: str, number: str) -> bytes:
        batch = self.get(number)
        lines = []
        for name, question in (batch.questions if batch else {}).items():
            how = self.ways.how(question)
            if how != "missing" and (how == "done") == (kind == "done"):
                lines.append({"id": "r", "custom_id": name, **self._outcome(how, question)})
        return "".join(f"{json.dumps(line)}\n" for line in lines).encode()

    def _outcome(self, how: str, question: dict[str, Any]) -> dict[str, Any]:
        if how == "expired":
            return {"response": None, "error": {"code": "batch_expired", "message": "too late"}}
        if how == "errored":
            body = self.error(400)
            return {"response": {"status_code": 400, "request_id": "r", "body": body}}
        part = {"type": "output_text", "text": self.ways.text, "annotations": [], "logprobs": []}
        message = {
            "type": "message", "id": "m", "role": "assistant", "status": "completed",
            "content": [part],
        }  # fmt: skip
        body = {
            "id": "resp_1", "object": "response", "created_at": 1, "model": question["model"],
            "status": "completed", "output": [message], "parallel_tool_calls": True,
            "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None,
            "usage": {
                "input_tokens": 10_000, "output_tokens": 1_000, "total_tokens": 11_000,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 200},
            },
        }  # fmt: skip
        return {"response": {"status_code": 200, "request_id": "r", "body": body}, "error": None}
