"""What agents of others ask in the wire formats of the services: what of it is let out.

Let out is what a model is asked with, by a list of what is known. What would make the provider
look things up, fetch an address, keep anything or charge another price is left out or refused: a
container without network has none by way of its model either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.outlet import Sent
from models.services import Api

Wire = Literal["messages", "chat", "responses", "generate"]
OFFERED: dict[Api, tuple[Wire, ...]] = {
    "anthropic": ("messages",),
    "gemini": ("generate",),
    "responses": ("responses", "chat"),
    "chat": ("chat",),
}
"""What a service understands; Vertex AI, which takes no key, is not among them."""
WIRES: dict[str, str] = {
    "messages": "Anthropic's Messages",
    "chat": "chat completions",
    "responses": "OpenAI's Responses",
    "generate": "Gemini's API",
}
"""What people call them."""
_PATHS: dict[Wire, re.Pattern[str]] = {
    "messages": re.compile(r"(?:/v1)?/messages"),
    "chat": re.compile(r"(?:/v1)?/chat/completions"),
    "responses": re.compile(r"(?:/v1)?/responses"),
    "generate": re.compile(
        r"/(?:v1|v1beta|v1alpha)/models/[^/:]+:(?:generateContent|streamGenerateContent)"
    ),
}
_UPSTREAM = {
    "messages": "/v1/messages",
    "chat": "/chat/completions",
    "responses": "/responses",
}
_FIELDS: dict[Wire, str] = {
    "messages": "model messages system tools tool_choice max_tokens thinking temperature top_p "
    "top_k stop_sequences stream output_config context_management cache_control",
    "chat": "model messages tools tool_choice parallel_tool_calls functions function_call "
    "max_tokens max_completion_tokens temperature top_p stop stream stream_options "
    "reasoning_effort response_format seed presence_penalty frequency_penalty verbosity "
    "prompt_cache_key",
    "responses": "model input instructions tools tool_choice parallel_tool_calls "
    "max_output_tokens temperature top_p stream reasoning text include store truncation "
    "prompt_cache_key",
    "generate": "contents systemInstruction system_instruction tools toolConfig tool_config "
    "generationConfig generation_config safetySettings safety_settings",
}
_TOOLS: dict[Wire, re.Pattern[str]] = {
    "messages": re.compile(r"|custom|(bash|text_editor|computer|memory)_\d+"),
    "chat": re.compile(r"function|custom"),
    "responses": re.compile(r"function|custom|local_shell|apply_patch"),
}
"""Kinds that the agent itself carries out."""
_DECLARED = ("functionDeclarations", "function_declarations")
_MOST_TOKENS: dict[Wire, tuple[str, ...]] = {
    "messages": ("max_tokens",),
    "chat": ("max_tokens", "max_completion_tokens"),
    "responses": ("max_output_tokens",),
    "generate": ("maxOutputTokens", "max_output_tokens"),
}
_NO_CONTENT = frozenset({"tools", "args", "response"})
"""Fields in which an address, or an id, is only words."""
_IDS = frozenset({"id", "call_id", "tool_use_id", "tool_call_id", "prompt_cache_key"})


class RefusedError(Exception):
    """A request that is not let out."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is let out of one request."""

    wire: Wire
    path: str
    """Behind the service's address."""
    raw: str
    """The body."""
    alike: str
    """The body without the ids in it: equal questions have equal ones."""
    max_output_tokens: int
    other_model: str
    """Another model than the entrant's that was asked for; "" = none."""


def wire_of(path: str) -> Wire | None:
    """The format that a path belongs to; None for any other."""
    return next((wire for wire, form in _PATHS.items() if form.fullmatch(path)), None)


def question(sent: Sent, api: Api, model: str, max_output_tokens: int) -> Question:
    """Read a request of an agent, whose answer is at most so long. Raises RefusedError."""
    try:
        return _question(sent, api, model, max_output_tokens)
    except RecursionError as error:
        raise RefusedError(400, "the body is nested too deeply") from error


def _question(sent: Sent, api: Api, model: str, max_output_tokens: int) -> Question:
    path, _, query = sent.path.partition("?")
    wire = wire_of(path)
    if sent.method != "POST" or wire is None or wire not in OFFERED[api]:
        raise RefusedError(404, f"{sent.method} {path[:100]} is not let out")
    if (packed := sent.headers.get("content-encoding", "identity")) != "identity":
        raise RefusedError(415, f"the body is packed ({packed[:20]}): send it as it is")
    body = _let_out(sent.body, wire)
    _tools(wire, body)
    if wire == "generate":
        asked, upstream = _generate(path, query, model)
    else:
        asked, upstream = str(body.get("model", "")), _UPSTREAM[wire]
        body["model"] = model
    if wire == "responses":
        body["store"] = False
    if wire == "chat" and body.get("stream"):
        body["stream_options"] = {"include_usage": True}
    most = _most_tokens(wire, body, max_output_tokens)
    _thought_within(most, body)
    raw, alike = _written(body), _written(_numbered(body, {}))
    return Question(
        wire=wire,
        path=upstream,
        raw=raw,
        alike=alike,
        max_output_tokens=most,
        other_model="" if asked == model else asked[:100],
    )


def _written(body: object) -> str:
    raw = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # Half of a surrogate pair is JSON, and no text.
    return raw.encode("utf-8", "replace").decode()


def _numbered(value: Any, seen: dict[str, int]) -> Any:
    """The same with a number for each id: agents make them anew whenever they run."""
    if isinstance(value, list):
        return [_numbered(part, seen) for part in value]
    if not isinstance(value, dict):
        return value
    numbered = {}
    for name, part in sorted(value.items()):
        if name in _IDS and isinstance(part, str):
            numbered[name] = seen.setdefault(part, len(seen))
        elif name in _NO_CONTENT or (name == "input" and isinstance(part, dict)):
            numbered[name] = part
        else:
            numbered[name] = _numbered(part, seen)
    return numbered


def refusal(wire: Wire | None, status: int, message: str) -> bytes:
    """The body of an error status, in the words of a format."""
    kind = {403: "permission_error", 404: "not_found_error", 502: "api_error"}
    told = {"type": kind.get(status, "invalid_request_error"), "message": f"patchmark: {message}"}
    if wire == "messages":
        return json.dumps({"type": "error", "error": told}).encode()
    if wire == "generate":
        words = {403: "PERMISSION_DENIED", 404: "NOT_FOUND", 502: "UNAVAILABLE"}
        said = words.get(status, "INVALID_ARGUMENT")
        error = {"code": status, "message": told["message"], "status": said}
        return json.dumps({"error": error}).encode()
    return json.dumps({"error": {**told, "code": told["type"], "param": None}}).encode()


def _let_out(content: bytes, wire: Wire) -> dict[str, Any]:
    """The known fields of a body. Raises RefusedError."""
    try:
        given = json.loads(content)
    except ValueError as error:
        raise RefusedError(400, "the body is no JSON") from error
    if not isinstance(given, dict):
        raise RefusedError(400, "the body is no JSON object")
    if _fetches(given):
        raise RefusedError(400, "addresses and stored files are not fetched: send what they hold")
    known = _FIELDS[wire].split()
    found = {name: given[name] for name in given if name in known}
    # What can be read can be too deep to be written again.
    json.dumps(found)
    return found


def _generate(path: str, query: str, model: str) -> tuple[str, str]:
    """The model that a path asks for, and the path that asks for ours."""
    version, rest = path.removeprefix("/").split("/models/")
    asked, method = rest.split(":")
    streamed = "?alt=sse" if "alt=sse" in query.split("&") else ""
    return asked, f"/{version}/models/{model}:{method}{streamed}"


def _tools(wire: Wire, body: dict[str, Any]) -> None:
    """Leave in only tools that the agent itself carries out."""
    tools = _dicts(body.get("tools"))
    if wire == "generate":
        kept = [{n: tool[n] for n in _DECLARED if n in tool} for tool in tools]
    else:
        kept = [t for t in tools if _own(wire, t)]
    body["tools"] = [tool for tool in kept if tool]
    if not body["tools"]:
        for name in ("tools", "tool_choice", "toolConfig", "tool_config"):
            body.pop(name, None)


def _dicts(given: object) -> list[dict[str, Any]]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _own(wire: Wire, tool: Mapping[str, Any]) -> bool:
    """Whether the agent itself carries a tool out, or each of a group of them."""
    kind = str(tool.get("type") or "")
    if wire == "responses" and kind == "namespace":
        return all(one.get("type") in ("function", "custom") for one in _dicts(tool.get("tools")))
    if wire == "responses" and kind == "tool_search":
        return tool.get("execution") == "client"
    return bool(_TOOLS[wire].fullmatch(kind))


def _most_tokens(wire: Wire, body: dict[str, Any], allowed: int) -> int:
    """How long the answer may get; said to the provider in any case. Raises RefusedError.

    No longer than is allowed: budgets and estimates go by that.
    """
    place = body
    if wire == "generate":
        name = "generation_config" if "generation_config" in body else "generationConfig"
        place = body.setdefault(name, {})
        if not isinstance(place, dict):
            raise RefusedError(400, f"{name} is no object")
        for several in ("candidateCount", "candidate_count"):
            place.pop(several, None)
    names = _MOST_TOKENS[wire]
    said = [place[name] for name in names if place.get(name) is not None]
    if any(not isinstance(most, int) or most < 1 for most in said):
        raise RefusedError(400, f"{' or '.join(names)}: not a number of tokens")
    most: int = min([*said, allowed])
    for name in [name for name in names if place.get(name) is not None] or names[:1]:
        place[name] = most
    return most


def _thought_within(most: int, body: dict[str, Any]) -> None:
    """Keep what Anthropic's models may think below the answer's length, as their API demands."""
    thinking = body.get("thinking")
    if isinstance(thinking, dict) and isinstance(budget := thinking.get("budget_tokens"), int):
        thinking["budget_tokens"] = min(budget, most - 1)


def _fetches(value: Any) -> bool:
    """Whether a provider would fetch something to answer this."""
    if isinstance(value, list):
        return any(map(_fetches, value))
    if not isinstance(value, dict) or value.get("type") == "tool_use":
        return False
    if _is_reference(value):
        return True
    return any(_fetches(part) for name, part in value.items() if name not in _NO_CONTENT)


def _is_reference(block: Mapping[str, Any]) -> bool:
    kind, source = block.get("type"), block.get("source")
    if kind in ("image", "document") and isinstance(source, dict):
        return source.get("type") not in ("base64", "text", "content")
    if isinstance(block.get("fileData", block.get("file_data")), dict):
        return True
    if kind not in ("image_url", "input_image", "input_file", "file", "item_reference"):
        return False
    inner = block.get("file", block.get("image_url", block))
    found = inner if isinstance(inner, dict) else {"url": inner}
    address = str(found.get("url") or found.get("image_url") or "")
    stored = {"file_id", "file_url"} & set(found) or kind == "item_reference"
    return bool(stored) or bool(address and not address.startswith("data:"))
