"""What agents and services of others may send to break who reads it."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from core.outlet import Sent
from models.passing import Upstream
from models.provider import Connection
from models.reply import Reply
from models.services import SERVICES, Api
from models.wire import Question, RefusedError, Wire, question
from models.wire_answers import Tally, data_of

NESTED = b'{"a":' * 990 + b"1" + b"}" * 990


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b"", True),
        (b"[]", True),
        (b"\xff", True),
        (b'{"a": ' + b"[" * 200_000, True),
        (b'{"messages": ' + b"[" * 900 + b"]" * 900 + b"}", None),
        (b'{"tools": [' + NESTED + b"]}", None),
    ],
)
def test_bodies_that_are_none(body: bytes, refused: bool | None) -> None:
    """What is written to break who reads it is refused, or at most let out as it is."""
    sent = Sent(method="POST", path="/v1/messages", headers={}, body=body)
    status = 0
    try:
        question(sent, "anthropic", "m", 1)
    except RefusedError as error:
        status = error.status
    assert status in ((400,) if refused else (0, 400))


ODD: tuple[Any, ...] = (None, 7, "x", [], [7], [{}], {}, {"usage": 7, "model": []})


def test_answers_that_are_none() -> None:
    assert data_of(b"data: " + b"[" * 200_000) == []
    assert data_of(b"data: 7\ndata: x") == []
    for wire in get_args(Wire):
        tally = Tally(wire, Reply("x", 1))
        for name in ("message", "usage", "choices", "delta", "candidates", "response", "output"):
            for value in ODD:
                tally.take({"type": "message", name: value})
        assert tally.finish is None


def test_headers_of_an_agent_cannot_break_a_request() -> None:
    upstream = Upstream(SERVICES["anthropic"], Connection(api_key="sk-secret"))
    headers = upstream.headers({"anthropic-beta": "a\r\nx-api-key: b", "authorization": "mine"})
    assert headers["authorization"] == "Bearer sk-secret"
    assert "anthropic-beta" not in headers
    assert upstream.headers({"anthropic-beta": "a-1,b"})["anthropic-beta"] == "a-1,b"
    assert "sk-secret" not in repr(upstream)


CLAUDE: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 32000,
    "stream": True,
    "thinking": {"type": "enabled", "budget_tokens": 31999},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"},
    "metadata": {"user_id": "somebody"},
    "system": [{"type": "text", "text": "You", "cache_control": {"type": "ephemeral"}}],
    "tools": [{"name": "Bash", "input_schema": {}}, {"type": "web_search_20250305", "name": "w"}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Fix it"}]},
        {"role": "system", "content": [{"type": "text", "text": "Platform: linux"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "", "signature": "s"},
                {"type": "tool_use", "id": "toolu_a", "name": "Bash", "input": {"id": "kept"}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_a", "content": "ok"}],
        },
    ],
}
CODEX: dict[str, Any] = {
    "model": "gpt-5.5",
    "stream": True,
    "store": False,
    "prompt_cache_key": "uuid-a",
    "include": ["reasoning.encrypted_content"],
    "reasoning": {"effort": "medium", "summary": "auto"},
    "text": {"verbosity": "low"},
    "client_metadata": {"session_id": "uuid-a"},
    "tools": [
        {"type": "function", "name": "exec_command"},
        {"type": "custom", "name": "apply_patch", "format": {"type": "grammar"}},
        {"type": "namespace", "name": "agents", "tools": [{"type": "function", "name": "spawn"}]},
        {"type": "namespace", "name": "theirs", "tools": [{"type": "web_search"}]},
        {"type": "tool_search", "execution": "client"},
        {"type": "tool_search", "execution": "server"},
        {"type": "web_search", "external_web_access": True},
    ],
    "input": [
        {"type": "message", "role": "user", "id": "msg_a", "content": []},
        {"type": "function_call", "id": "fc_a", "call_id": "call_a", "arguments": "{}"},
        {"type": "function_call_output", "id": "fco_a", "call_id": "call_a", "output": "ok"},
    ],
}
GEMINI: dict[str, Any] = {
    "generationConfig": {"temperature": 1, "thinkingConfig": {"thinkingLevel": "HIGH"}},
    "systemInstruction": {"parts": [{"text": "You"}], "role": "user"},
    "tools": [{"functionDeclarations": [{"name": "run_shell_command"}]}, {"googleSearch": {}}],
    "contents": [
        {"role": "user", "parts": [{"text": "Fix it"}]},
        {
            "role": "model",
            "parts": [{"functionCall": {"id": "run_a", "name": "r", "args": {"id": "kept"}}}],
        },
        {"role": "user", "parts": [{"functionResponse": {"id": "run_a", "response": {}}}]},
    ],
}
SHAPES: dict[str, tuple[str, dict[str, Any], Api]] = {
    "claude-code": ("/v1/messages?beta=true", CLAUDE, "anthropic"),
    "codex": ("/v1/responses", CODEX, "responses"),
    "gemini-cli": (
        "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse", GEMINI, "gemini",
    ),
}  # fmt: skip


def asks(agent: str, old: str = "", new: str = "", **headers: str) -> Question:
    """What is let out of a question shaped as an agent was seen to ask it."""
    path, body, api = SHAPES[agent]
    content = json.dumps(body).replace(old, new).encode()
    sent = Sent(method="POST", path=path, headers=headers, body=content)
    return question(sent, api, "the-model", 16_000)


def test_what_claude_code_asks() -> None:
    """It asked for answers of 64,000 tokens, whatever `max-output-tokens` said."""
    asked = asks("claude-code")
    body = json.loads(asked.raw)
    assert (asked.path, asked.other_model) == ("/v1/messages", "claude-opus-4-8")
    assert (asked.max_output_tokens, body["max_tokens"]) == (16_000, 16_000)
    assert body["thinking"]["budget_tokens"] == 15_999
    assert [tool["name"] for tool in body["tools"]] == ["Bash"]
    assert body["messages"] == CLAUDE["messages"]
    assert set(CLAUDE) - set(body) == {"metadata"}


def test_what_codex_asks() -> None:
    """Its groups of tools were left out, and the tool by which it finds others."""
    body = json.loads(asks("codex").raw)
    assert body["tools"] == [CODEX["tools"][place] for place in (0, 1, 2, 4)]
    assert body["max_output_tokens"] == 16_000
    assert body["input"] == CODEX["input"]
    assert set(CODEX) - set(body) == {"client_metadata"}


def test_what_gemini_cli_asks() -> None:
    asked = asks("gemini-cli")
    body = json.loads(asked.raw)
    assert asked.path == "/v1beta/models/the-model:streamGenerateContent?alt=sse"
    assert asked.other_model == "gemini-3.8-flash"
    assert body["tools"] == GEMINI["tools"][:1]
    assert body["generationConfig"]["maxOutputTokens"] == 16_000
    assert body["contents"] == GEMINI["contents"]


@pytest.mark.parametrize("agent", SHAPES)
def test_ids_of_a_run_make_no_other_question(agent: str) -> None:
    """Agents name calls and messages anew in each run: all was asked, and paid, again."""
    first, again = asks(agent), asks(agent, '_a"', '_b"')
    assert first.raw != again.raw
    assert first.alike == again.alike
    assert first.alike != asks(agent, '"kept"' if agent != "codex" else '"ok"', '"other"').alike


def test_a_packed_body_is_refused_in_words() -> None:
    with pytest.raises(RefusedError, match=r"packed \(zstd\)"):
        asks("codex", **{"content-encoding": "zstd"})
