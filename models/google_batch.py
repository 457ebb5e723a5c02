"""The batch mode of the Gemini API for developers, with its questions inlined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from models.batch import Batch, Found, Questions, Results, State, unsure, untimed
from models.google import api_error, client, config, read
from models.google_dialog import contents
from models.provider import Answer, AskFailedError, Connection
from models.reply import Reply, never_sent

if TYPE_CHECKING:
    from google.genai.types import InlinedResponse

_NAME = "google"
_STATES: dict[str, State] = {
    "JOB_STATE_SUCCEEDED": "ended",
    "JOB_STATE_PARTIALLY_SUCCEEDED": "ended",
    "JOB_STATE_FAILED": "failed",
    "JOB_STATE_CANCELLED": "failed",
    "JOB_STATE_EXPIRED": "failed",
}


class GoogleBatches:
    """A batch has a name that we choose, and each question and answer the id that we gave it."""

    most_bytes = 15_000_000
    """The API takes 20 MB; what is not English counts more there than here."""
    most_items = 10_000

    def __init__(self, connection: Connection):
        self._client = client(connection)

    def send(self, name: str, model: str, questions: Questions) -> str:
        """Hand in a batch."""
        from google.genai import types

        inlined = [
            types.InlinedRequest(
                model=model,
                contents=contents(request),
                config=config(request),
                metadata={"key": number},
            )
            for number, request in questions
        ]
        named = types.CreateBatchJobConfig(display_name=name)
        with _errors(model, sending=True):
            made = self._client.batches.create(model=model, src=inlined, config=named)
        if made.name is None:
            raise AskFailedError(f"{_NAME}: a batch without a name came back", maybe_billed=True)
        return made.name

    def find(self, batch: Batch, known: Iterable[str]) -> Found:  # noqa: ARG002
        """Look for a batch whose id was never noted."""
        with _errors():
            for other in self._client.batches.list(config={"page_size": 100}):
                if other.display_name == batch.name:
                    return Found(remote=other.name)
        return Found()

    def look(self, remote: str) -> State:
        """How far it is."""
        from google.genai import errors

        with _errors():
            try:
                found = self._client.batches.get(name=remote)
            except errors.ClientError as error:
                if error.code == 404:
                    return "gone"
                raise
        return _STATES.get(found.state.value if found.state else "", "running")

    def results(self, remote: str) -> Results:
        """What came of each question."""
        with _errors():
            found = self._client.batches.get(name=remote)
        inlined = (found.dest.inlined_responses if found.dest else None) or []
        for one in inlined:
            yield (one.metadata or {}).get("key", ""), _result(one)


def _result(one: InlinedResponse) -> Answer | AskFailedError:
    if one.response is None:
        error = one.error
        what = f"{error.code}: {error.message}" if error else "no answer and no reason"
        return AskFailedError(f"{_NAME}: its turn in the batch failed: {what}")
    reply = Reply(_NAME, 0)
    try:
        return untimed(reply.whole(read(one.response, reply)))
    except AskFailedError as error:
        return error


@contextmanager
def _errors(model: str = "", *, sending: bool = False) -> Iterator[None]:
    import httpx2
    from google.genai import errors

    reply = Reply(_NAME, 0)
    try:
        yield
    except errors.APIError as error:
        told = api_error(error, reply, model)
        raise unsure(told, error.code) if sending else told from error
    except (httpx2.HTTPError, ValueError) as error:
        what = str(error) or type(error).__name__
        raise reply.broken(what, sent=sending and not never_sent(error)) from error
