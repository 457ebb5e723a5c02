"""OpenAI's batches: a file of questions goes up; answers and failures come back as files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from models import openai_dialog as dialog
from models.batch import Batch, Found, Questions, Results, State, unsure, untimed
from models.openai import api_error, client, ended, message_of
from models.provider import Answer, AskFailedError, Connection
from models.reply import Reply, never_sent

_NAME = "openai"
_LABEL = "patchmark"
_STATES: dict[str, State] = {
    "completed": "ended",
    "failed": "failed",
    "expired": "failed",
    "cancelled": "failed",
}


class OpenAIBatches:
    """Batches of questions to the Responses API, found again by a label that we give them."""

    most_bytes = 150_000_000
    most_items = 50_000

    def __init__(self, connection: Connection):
        self._client = client(connection)

    def send(self, name: str, model: str, questions: Questions) -> str:
        """Hand in a batch."""
        lines = [
            json.dumps(
                {
                    "custom_id": number,
                    "method": "POST",
                    "url": "/v1/responses",
                    "body": dialog.responses(request),
                }
            )
            for number, request in questions
        ]
        content = "".join(f"{line}\n" for line in lines).encode()
        with _errors(model):  # a file alone costs nothing
            file = self._client.files.create(file=(f"{name}.jsonl", content), purpose="batch")
        with _errors(model, sending=True):
            return self._client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/responses",
                completion_window="24h",
                metadata={_LABEL: name},
            ).id

    def find(self, batch: Batch, known: Iterable[str]) -> Found:  # noqa: ARG002
        """Look for a batch whose id was never noted."""
        with _errors():
            for other in self._client.batches.list(limit=100):
                if (other.metadata or {}).get(_LABEL) == batch.name:
                    return Found(remote=other.id)
        return Found()

    def look(self, remote: str) -> State:
        """How far it is."""
        import openai

        with _errors():
            try:
                found = self._client.batches.retrieve(remote)
            except openai.NotFoundError:
                return "gone"
        return _STATES.get(found.status, "running")

    def results(self, remote: str) -> Results:
        """What came of each question."""
        with _errors():
            found = self._client.batches.retrieve(remote)
            for file in (found.output_file_id, found.error_file_id):
                if file is not None:
                    content = self._client.files.content(file).read().decode("utf-8", "replace")
                    for line in content.split("\n"):
                        if line.strip():
                            one = json.loads(line)
                            yield str(one.get("custom_id")), _result(one)


def _result(line: dict[str, Any]) -> Answer | AskFailedError:
    from openai.types.responses import Response

    outer = line.get("response") or {}
    body = outer.get("body") or {}
    if outer.get("status_code") != 200:
        error = line.get("error") or body.get("error") or {}
        what = f"{error.get('code') or error.get('type') or 'error'}: {error.get('message')}"
        return AskFailedError(f"{_NAME}: its turn in the batch failed: {what}")
    reply = Reply(_NAME, 0)
    try:
        response = Response.model_validate(body)
        for item in response.output:
            for part in item.content if item.type == "message" else []:
                refused = part.type == "refusal"
                reply.token(part.refusal if part.type == "refusal" else part.text)
                reply.refused = reply.refused or refused
        return untimed(reply.whole(ended(response, reply)))
    except AskFailedError as error:
        return error
    except ValueError as error:
        return reply.broken(f"an answer that cannot be read: {error}")


@contextmanager
def _errors(model: str = "", *, sending: bool = False) -> Iterator[None]:
    import httpx2
    import openai

    reply = Reply(_NAME, 0)
    try:
        yield
    except openai.APIStatusError as error:
        told = api_error(error, reply, _NAME, model)
        raise unsure(told, error.status_code) if sending else told from error
    except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
        raise reply.broken(message_of(error), sent=sending and not never_sent(error)) from error
