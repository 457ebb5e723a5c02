"""Anthropic's Message Batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from models.anthropic import FINISH, client, count, status_error, words
from models.anthropic_dialog import parameters
from models.batch import Batch, Found, Questions, Results, State, unsure, untimed
from models.provider import Answer, AskFailedError, Connection
from models.reply import Reply, never_sent

if TYPE_CHECKING:
    from anthropic.types import Message
    from anthropic.types.messages import MessageBatchIndividualResponse

_NAME = "anthropic"
_CLOCKS = timedelta(hours=1)
"""How far their clock and ours may differ."""


class AnthropicBatches:
    """A batch here has no name: one that was never noted is told by the ids of its questions,
    which can be read once it has ended.
    """

    most_bytes = 200_000_000
    most_items = 100_000

    def __init__(self, connection: Connection):
        self._client = client(connection)

    def send(self, name: str, model: str, questions: Questions) -> str:  # noqa: ARG002
        """Hand in a batch."""
        requests = [
            {"custom_id": number, "params": parameters(request)} for number, request in questions
        ]
        with _errors(model, sending=True):
            return self._client.messages.batches.create(requests=requests).id  # type: ignore[arg-type]

    def find(self, batch: Batch, known: Iterable[str]) -> Found:
        """Look for a batch whose id was never noted."""
        unclear = False
        with _errors():
            for other in self._client.messages.batches.list(limit=100):
                if other.created_at < batch.made_at - _CLOCKS:
                    break  # newest first
                counts = other.request_counts.model_dump()
                if other.id in known or sum(map(int, counts.values())) != len(batch.items):
                    continue
                if other.processing_status != "ended":
                    unclear = True
                elif other.results_url and self._holds(other.id, batch):
                    return Found(remote=other.id)
        return Found(unclear=unclear)

    def _holds(self, remote: str, batch: Batch) -> bool:
        """All or nothing: the first of its questions tells."""
        ids = {item.id for item in batch.items}
        return any(one.custom_id in ids for one in self._client.messages.batches.results(remote))

    def look(self, remote: str) -> State:
        """How far it is."""
        import anthropic

        with _errors():
            try:
                found = self._client.messages.batches.retrieve(remote)
            except anthropic.NotFoundError:
                return "gone"
        if found.processing_status != "ended":
            return "running"
        return "ended" if found.archived_at is None else "gone"

    def results(self, remote: str) -> Results:
        """What came of each question."""
        with _errors():
            for one in self._client.messages.batches.results(remote):
                yield one.custom_id, _result(one)


def _result(one: MessageBatchIndividualResponse) -> Answer | AskFailedError:
    result = one.result
    if result.type == "succeeded":
        try:
            return _answer(result.message)
        except AskFailedError as error:
            return error
    what = f"its turn in the batch ended as {result.type}"
    if result.type == "errored":
        why = result.error.error
        what = f"{what}: {why.type}: {why.message}"
    return AskFailedError(f"{_NAME}: {what}")


def _answer(message: Message) -> Answer:
    reply = Reply(_NAME, 0)
    reply.served_model = message.model
    count(message.usage, reply)
    for block in message.content:
        if block.type == "text":
            reply.token(block.text)
    reason = message.stop_reason
    return untimed(reply.whole(None if reason is None else FINISH.get(reason, "stop")))


@contextmanager
def _errors(model: str = "", *, sending: bool = False) -> Iterator[None]:
    import anthropic
    import httpx2

    reply = Reply(_NAME, 0)
    try:
        yield
    except anthropic.APIStatusError as error:
        told = status_error(error, reply, model)
        raise unsure(told, error.status_code) if sending else told from error
    except (anthropic.AnthropicError, httpx2.HTTPError, ValueError) as error:
        raise reply.broken(words(error), sent=sending and not never_sent(error)) from error
