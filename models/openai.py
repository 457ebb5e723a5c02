"""GPT models, and every server that speaks OpenAI's wire formats, through OpenAI's SDK.

Responses is what OpenAI and Azure answer best; chat completions is what all others speak.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.types import Usage
from models import openai_dialog as dialog
from models.provider import Answer, AskFailedError, Connection, Finish, Request
from models.reply import Reply, counted, hooks, never_sent, no_reuse, tls
from models.retry import OVERLOADED, seconds_of

if TYPE_CHECKING:
    from openai import APIError, OpenAI
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletionChunk
    from openai.types.responses import Response, ResponseStreamEvent, ResponseUsage

_RETRIABLE_WORDS = frozenset(
    {"server_error", "rate_limit_exceeded", "overloaded", "timeout", "server_overloaded"}
)
_BUSY = frozenset({"rate_limit_exceeded", "overloaded", "server_overloaded"})
_RETRIABLE_CODES = frozenset({408, 409, 429})
_EXHAUSTED = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_CHAT_FINISH: dict[str, Finish] = {"length": "length", "content_filter": "safety"}
_INCOMPLETE: dict[str, Finish] = {"max_output_tokens": "length", "content_filter": "safety"}
_REFUSED = frozenset({"invalid_prompt", "bio_policy", "misalignment_policy_violation"})


class _OpenAI:
    """What both wire formats share."""

    def __init__(self, name: str, connection: Connection):
        self.name = name
        self._client = client(connection)
        self._timeout = connection.timeout_seconds

    def ask(self, request: Request) -> Answer:
        """Send one request and read the stream to its end. Raises AskFailedError."""
        import httpx2
        import openai

        # The SDK imports much when it is first used for a question, which is nobody's latency.
        _ = self._client.responses, self._client.chat.completions
        reply = Reply(self.name, self._timeout)
        finish: Finish | None = None
        try:
            # Closed here: its connection would else stay open until the error is forgotten.
            with self._stream(request) as stream:
                for event in stream:
                    reply.check_time()
                    finish = self._read(event, reply) or finish
        except openai.APIConnectionError as error:
            raise reply.broken(message_of(error), sent=not never_sent(error)) from error
        except openai.APIError as error:
            raise api_error(error, reply, self.name, request.model) from error
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            # ValueError: an event that was cut off within its JSON.
            raise reply.broken(message_of(error), sent=not never_sent(error)) from error
        return reply.whole(finish)

    def _stream(self, request: Request) -> Any:
        raise NotImplementedError

    def _read(self, event: Any, reply: Reply) -> Finish | None:
        raise NotImplementedError


class ResponsesProvider(_OpenAI):
    """The Responses API of OpenAI and Azure; nothing is stored there."""

    def _stream(self, request: Request) -> Any:
        return self._client.responses.create(stream=True, **dialog.responses(request))

    def _read(self, event: ResponseStreamEvent, reply: Reply) -> Finish | None:
        """Take one event; returns why the answer ended where the event says so."""
        if event.type == "response.output_text.delta":
            reply.token(event.delta)
        elif event.type.startswith("response.reasoning") and event.type.endswith(".delta"):
            reply.token("")
        elif event.type == "response.refusal.delta":
            reply.token(event.delta)
            reply.refused = True
        elif event.type == "error":
            retriable = (event.code or "") not in _EXHAUSTED
            what, busy = f"{event.code or 'error'}: {event.message}", event.code in _BUSY
            raise reply.broken(what, retriable=retriable, overloaded=busy)
        elif event.type in ("response.completed", "response.incomplete", "response.failed"):
            return ended(event.response, reply)
        return None


class ChatProvider(_OpenAI):
    """Chat completions: OpenRouter, Ollama, vLLM, llama.cpp and gateways."""

    def _stream(self, request: Request) -> Any:
        return self._client.chat.completions.create(
            model=request.model,
            messages=dialog.messages(request),
            max_tokens=request.max_output_tokens,
            stream=True,
            stream_options={"include_usage": True},
            **dialog.chat_settings(request),
        )

    def _read(self, event: ChatCompletionChunk, reply: Reply) -> Finish | None:
        """Take one chunk; the counts come in one of their own, where they come at all."""
        reply.served_model = event.model or reply.served_model
        if event.usage is not None:
            _count_chat(event.usage, reply)
        if not event.choices:
            return None
        choice = event.choices[0]
        if choice.delta is not None:
            thought = getattr(choice.delta, "reasoning_content", None)
            if choice.delta.content or choice.delta.refusal or thought:
                reply.token(choice.delta.content or choice.delta.refusal or "")
            reply.refused = reply.refused or bool(choice.delta.refusal)
            dialog.take_chat(choice.delta, reply)
        reason = choice.finish_reason
        return None if reason is None else _CHAT_FINISH.get(reason, "stop")


def client(connection: Connection) -> OpenAI:
    """The SDK's client, told all that it would else look for; nothing is sent yet."""
    import openai

    timeout = openai.Timeout(connection.timeout_seconds, connect=10.0)
    return openai.OpenAI(
        # Servers of one's own often take none, but the SDK does not start without.
        api_key=connection.api_key or "none",
        base_url=connection.base_url,
        timeout=timeout,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(
            timeout=timeout,
            verify=tls(connection.ca_bundle),
            limits=no_reuse(),
            event_hooks=hooks(connection),
        ),
    )


def ended(response: Response, reply: Reply) -> Finish:
    """Why an answer ended. Raises AskFailedError where it failed."""
    reply.served_model = response.model or reply.served_model
    if response.usage is not None:
        _count(response.usage, reply)
    dialog.take_response(response, reply)
    if response.status == "failed" or response.error is not None:
        code = response.error.code if response.error else "failed"
        if code in _REFUSED:
            return "refusal"
        words = response.error.message if response.error else "no reason given"
        retriable, busy = code in _RETRIABLE_WORDS, code in _BUSY
        raise reply.broken(f"{code}: {words}", retriable=retriable, overloaded=busy)
    if response.status == "incomplete":
        details = response.incomplete_details
        return _INCOMPLETE.get((details.reason if details else None) or "", "length")
    return "stop"


def _count(raw: ResponseUsage, reply: Reply) -> None:
    reply.raw_usage = raw.model_dump(mode="json", exclude_none=True, warnings=False)
    into, out = _details(reply, "input_tokens_details"), _details(reply, "output_tokens_details")
    reply.usage = _counted(raw.input_tokens, into, raw.output_tokens, out)


def _count_chat(raw: CompletionUsage, reply: Reply) -> None:
    reply.raw_usage = raw.model_dump(mode="json", exclude_none=True, warnings=False)
    into = _details(reply, "prompt_tokens_details")
    out = _details(reply, "completion_tokens_details")
    reply.usage = _counted(raw.prompt_tokens, into, raw.completion_tokens, out)


def _counted(
    given: object, into: Mapping[str, object], made: object, out: Mapping[str, object]
) -> Usage | None:
    return counted(
        given=given,
        read=into.get("cached_tokens"),
        write=into.get("cache_write_tokens"),
        made=made,
        thought=out.get("reasoning_tokens"),
    )


def _details(reply: Reply, name: str) -> Mapping[str, object]:
    found = (reply.raw_usage or {}).get(name)
    return found if isinstance(found, dict) else {}


def api_error(error: APIError, reply: Reply, service: str, model: str) -> AskFailedError:
    """The kind of failure: a status, or an error within a stream that had begun well."""
    import openai

    words = {str(error.code or ""), str(error.type or "")}
    status = error.status_code if isinstance(error, openai.APIStatusError) else 0
    headers = error.response.headers if isinstance(error, openai.APIStatusError) else {}
    what = " ".join(filter(None, (str(status or ""), error.code or error.type or "error")))
    what = f"{what}: {message_of(error)}"
    hopeless = {
        401: f"{service} rejected the API key",
        403: f"{service} does not let this API key ask {model!r}",
        404: f"{service} knows no model {model!r}, or its address is not {_address(error)}",
    }.get(status)
    if hopeless is not None:
        return AskFailedError(f"{hopeless} ({what})", hopeless=True)
    retriable = (
        not status or status in _RETRIABLE_CODES or status >= 500 or bool(words & _RETRIABLE_WORDS)
    )
    if words & _EXHAUSTED or headers.get("x-should-retry") == "false":
        retriable = False
    wait = seconds_of(headers.get("retry-after"))
    sent = reply.begun or not status
    busy = status in OVERLOADED or bool(words & _BUSY)
    return reply.broken(
        what, retriable=retriable, retry_after=wait, sent=sent, overloaded=busy and retriable
    )


def _address(error: APIError) -> str:
    """The address that was asked, without what could be a secret in it."""
    return str(error.request.url.copy_with(userinfo=b"", query=None))


def message_of(error: Exception) -> str:
    """The API's own message where there is one."""
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or str(error) or type(error).__name__)
