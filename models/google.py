"""Gemini models through Google's SDK, one streamed request an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from models.google_credentials import credentials
from models.google_dialog import Spoken, contents, tools
from models.provider import Answer, AskFailedError, Connection, Finish, Request
from models.reply import Reply, counted, hooks, never_sent, no_reuse, tls
from models.retry import OVERLOADED, seconds_of
from models.services import SERVICES

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.errors import APIError
    from google.genai.types import (
        GenerateContentConfig,
        GenerateContentResponse,
        GenerateContentResponseUsageMetadata,
    )

_FINISH: dict[str, Finish] = {
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "safety",
    "RECITATION": "safety",
    "BLOCKLIST": "safety",
    "PROHIBITED_CONTENT": "safety",
    "SPII": "safety",
    "MODEL_ARMOR": "safety",
    "LANGUAGE": "refusal",
    "ESCALATION": "refusal",
    "PUP_LIMITED_DISABLED": "refusal",
}
_RETRIABLE_CODES = frozenset({408, 409, 429})
_HOPELESS = {
    401: "google rejected the API key; check GEMINI_API_KEY or GOOGLE_API_KEY",
    403: "google does not let this API key ask {model!r}",
    404: "google knows no model {model!r}",
}
# Quotas that no wait of a minute refills: the day's, and those that are zero.
_EXHAUSTED = re.compile(r"PerDay|limit: 0\b")


class GoogleProvider:
    """The Gemini API for developers, Vertex AI, or a gateway that speaks either."""

    def __init__(self, connection: Connection, name: str = "google"):
        self.name = name
        # Kept: a client that nothing refers to closes its connections under its own request.
        self._client = client(connection)
        self._timeout = connection.timeout_seconds

    def ask(self, request: Request) -> Answer:
        """Send one request and read the stream to its end. Raises AskFailedError."""
        import google.auth.exceptions
        import httpx2
        from google.genai import errors

        reply, spoken = Reply(self.name, self._timeout), Spoken()
        finish: Finish | None = None
        try:
            for chunk in self._client.models.generate_content_stream(
                model=request.model, contents=contents(request), config=config(request)
            ):
                reply.check_time()
                finish = read(chunk, reply) or finish
                spoken.take(chunk, reply)
        except errors.APIError as error:
            raise api_error(error, reply, request.model) from error
        except google.auth.exceptions.GoogleAuthError as error:
            what = f"{self.name} gives no token for these credentials: {error}"
            again = bool(getattr(error, "retryable", False))
            raise AskFailedError(what, retriable=again, hopeless=not again) from error
        except (httpx2.HTTPError, ValueError) as error:
            # ValueError: an event that was cut off within its JSON.
            what = str(error) or type(error).__name__
            raise reply.broken(what, sent=not never_sent(error)) from error
        if request.tools:
            reply.said = spoken.said()
        return reply.whole(finish)


def client(connection: Connection) -> Client:
    """The SDK's client, told all that it would else look for; nothing is sent yet."""
    from google import genai
    from google.genai import types

    # Everything is said explicitly: the SDK would otherwise take the address, and whether
    # to use another service with other prices, from the environment.
    cloud = connection.cloud
    options = types.HttpOptions(
        base_url=connection.base_url or (None if cloud else SERVICES["google"].url),
        timeout=round(connection.timeout_seconds * 1000),
        client_args={
            "verify": tls(connection.ca_bundle),
            "limits": no_reuse(),
            "event_hooks": hooks(connection),
        },
    )
    if cloud is None:
        return genai.Client(api_key=connection.api_key, enterprise=False, http_options=options)
    return genai.Client(
        enterprise=True,
        project=cloud.project,
        location=cloud.location,
        credentials=credentials(cloud.credentials),
        http_options=options,
    )


def config(request: Request) -> GenerateContentConfig:
    """All that is asked for besides the question."""
    from google.genai import types

    level = None if request.effort is None else types.ThinkingLevel(request.effort.upper())
    return types.GenerateContentConfig(
        system_instruction=request.system,
        temperature=request.temperature,
        thinking_config=None if level is None else types.ThinkingConfig(thinking_level=level),
        max_output_tokens=request.max_output_tokens,
        tools=tools(request),
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def read(chunk: GenerateContentResponse, reply: Reply) -> Finish | None:
    """Take one chunk; returns why the answer ended where the chunk says so."""
    reply.served_model = chunk.model_version or reply.served_model
    if chunk.usage_metadata is not None:
        _count(chunk.usage_metadata, reply)
    if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason is not None:
        return "safety"
    if not chunk.candidates:
        return None
    candidate = chunk.candidates[0]
    for part in (candidate.content.parts if candidate.content else None) or []:
        reply.token("" if part.thought else part.text or "")
    reason = candidate.finish_reason
    if reason is None or reason.value == "FINISH_REASON_UNSPECIFIED":
        return None
    return _FINISH.get(reason.value, "stop")


def _count(raw: GenerateContentResponseUsageMetadata, reply: Reply) -> None:
    """Take over counts; each chunk repeats them, cumulatively."""
    thoughts = raw.thoughts_token_count or 0
    reply.raw_usage = raw.model_dump(mode="json", exclude_none=True)
    reply.usage = counted(
        given=(raw.prompt_token_count or 0) + (raw.tool_use_prompt_token_count or 0),
        read=raw.cached_content_token_count,
        made=(raw.candidates_token_count or 0) + thoughts,
        thought=thoughts,
    )


def api_error(error: APIError, reply: Reply, model: str) -> AskFailedError:
    """What a status means, or an error within a stream."""
    details = str(error.details)
    code = 401 if "API_KEY_INVALID" in details else error.code  # which Google sends as 400
    what = f"{error.code} {error.status or 'error'}: {error.message}"
    if code in _HOPELESS:
        return AskFailedError(f"{_HOPELESS[code].format(model=model)} ({what})", hopeless=True)
    retriable = code in _RETRIABLE_CODES or code >= 500
    if code == 429 and _EXHAUSTED.search(details):
        retriable = False
    return reply.broken(
        what,
        retriable=retriable,
        retry_after=_retry_after(error, details),
        sent=reply.begun,
        overloaded=retriable and code in OVERLOADED,
    )


def _retry_after(error: APIError, details: str) -> float | None:
    """Seconds the API asks to wait: a header, or `'retryDelay': '13s'` in the error."""
    headers = getattr(error.response, "headers", None)
    delay = re.search(r"""["']retryDelay["']:\s*["']([\d.]+s)""", details)
    header = headers.get("retry-after") if headers is not None else None
    return seconds_of(header) if header else seconds_of(delay[1]) if delay else None
