"""Claude models through Anthropic's SDK, one streamed request an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.anthropic_dialog import Blocks, parameters
from models.provider import Answer, AskFailedError, Connection, Finish, Request
from models.reply import Reply, counted, hooks, never_sent, no_reuse, number, tls
from models.retry import OVERLOADED, seconds_of
from models.services import SERVICES

if TYPE_CHECKING:
    from anthropic import Anthropic, APIStatusError
    from anthropic.types import MessageDeltaUsage, RawMessageStreamEvent
    from anthropic.types import Usage as RawUsage

FINISH: dict[str, Finish] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}
_RETRIABLE_TYPES = frozenset({"overloaded_error", "rate_limit_error", "api_error", "timeout_error"})
_RETRIABLE_CODES = frozenset({408, 409, 429})
_HOPELESS = {
    401: "anthropic rejected the API key; check ANTHROPIC_API_KEY",
    403: "anthropic does not let this API key ask {model!r}",
    404: "anthropic knows no model {model!r}",
}


class AnthropicProvider:
    """Anthropic's Messages API, or a gateway that speaks it."""

    name = "anthropic"

    def __init__(self, connection: Connection):
        self._client = client(connection)
        self._timeout = connection.timeout_seconds

    def ask(self, request: Request) -> Answer:
        """Send one request and read the stream to its end. Raises AskFailedError."""
        import anthropic
        import httpx2

        reply = Reply(self.name, self._timeout)
        blocks = Blocks()
        finish: Finish | None = None
        try:
            with self._client.messages.create(stream=True, **parameters(request)) as stream:
                for event in stream:
                    reply.check_time()
                    finish = _read(event, reply) or finish
                    blocks.take(event, reply)
        except anthropic.APIStatusError as error:
            raise status_error(error, reply, request.model) from error
        except (anthropic.AnthropicError, httpx2.HTTPError, ValueError) as error:
            # ValueError: an event that was cut off within its JSON.
            raise reply.broken(words(error), sent=not never_sent(error)) from error
        if request.tools:
            reply.said = blocks.said()
        return reply.whole(finish)


def client(connection: Connection) -> Anthropic:
    """The SDK's client, told all that it would else look for; nothing is sent yet."""
    import anthropic

    timeout = anthropic.Timeout(connection.timeout_seconds, connect=10.0)
    # Key and address are passed even where they are the usual ones: the SDK would otherwise
    # look for profiles and settings of the machine it runs on.
    return anthropic.Anthropic(
        api_key=connection.api_key,
        base_url=connection.base_url or SERVICES["anthropic"].url,
        timeout=timeout,
        max_retries=0,
        http_client=anthropic.DefaultHttpxClient(
            timeout=timeout,
            verify=tls(connection.ca_bundle),
            limits=no_reuse(),
            event_hooks=hooks(connection),
        ),
    )


def _read(event: RawMessageStreamEvent, reply: Reply) -> Finish | None:
    """Take one event; returns why the answer ended where the event says so."""
    if event.type == "message_start":
        reply.served_model = event.message.model
        count(event.message.usage, reply)
    elif event.type == "content_block_delta":
        reply.token(event.delta.text if event.delta.type == "text_delta" else "")
    elif event.type == "message_delta":
        count(event.usage, reply)
        if event.delta.stop_reason is not None:
            return FINISH.get(event.delta.stop_reason, "stop")
    return None


def count(raw: RawUsage | MessageDeltaUsage | None, reply: Reply) -> None:
    """Take over counts; later events repeat those that changed, cumulatively."""
    if raw is None:
        return
    seen = {**(reply.raw_usage or {}), **raw.model_dump(mode="json", exclude_none=True)}
    read = number(seen.get("cache_read_input_tokens"))
    write = number(seen.get("cache_creation_input_tokens"))
    details = seen.get("output_tokens_details")
    reply.raw_usage = seen
    reply.usage = counted(
        given=number(seen.get("input_tokens")) + read + write,
        read=read,
        write=write,
        made=seen.get("output_tokens"),
        thought=details.get("thinking_tokens") if isinstance(details, dict) else 0,
    )


def status_error(error: APIStatusError, reply: Reply, model: str) -> AskFailedError:
    """What a status means, or an error within a stream."""
    code, kind, headers = error.status_code, error.type, error.response.headers
    what = f"{code} {kind or 'error'}: {words(error)}"
    if code in _HOPELESS:
        return AskFailedError(f"{_HOPELESS[code].format(model=model)} ({what})", hopeless=True)
    # An error within a stream that had begun well carries the stream's status, 200.
    retriable = (
        kind in _RETRIABLE_TYPES or code in _RETRIABLE_CODES or code >= 500
    ) and headers.get("x-should-retry") != "false"
    wait = seconds_of(headers.get("retry-after"))
    busy = code in OVERLOADED or kind in ("overloaded_error", "rate_limit_error")
    return reply.broken(
        what, retriable=retriable, retry_after=wait, sent=reply.begun, overloaded=busy and retriable
    )


def words(error: Exception) -> str:
    """The API's own message where there is one."""
    body = getattr(error, "body", None)
    inner = body.get("error") if isinstance(body, dict) else None
    message = inner.get("message") if isinstance(inner, dict) else None
    return str(message or str(error) or type(error).__name__)
