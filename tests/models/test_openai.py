"""What is peculiar to OpenAI's wire formats, and to the many servers that speak them."""

from __future__ import annotations

import pytest
from support.fake_openai import FakeChat, FakeResponses
from support.loopback import Behaviour, Loopback, in_order

from models.openai import ChatProvider, ResponsesProvider
from models.provider import AskFailedError, Connection, Request
from models.spec import parse

Kind = type[ResponsesProvider | ChatProvider]


def question(name: str) -> Request:
    return parse(name).request("be good", "fix it", 99)


def sent(fake: type[Loopback], kind: Kind, name: str) -> dict[str, object]:
    with fake() as server:
        kind("x", Connection(api_key="key-1", base_url=f"{server.url}/v1")).ask(question(name))
    (asked,) = server.asked
    assert asked.headers["authorization"] == "Bearer key-1"
    return asked.body


def test_what_responses_is_sent() -> None:
    body = sent(FakeResponses, ResponsesProvider, "openai:gpt-5.4-mini")
    assert body == {
        "model": "gpt-5.4-mini",
        "instructions": "be good",
        "input": "fix it",
        "max_output_tokens": 99,
        "store": False,
        "stream": True,
    }
    name = "openai:gpt-5.4-mini+effort=high+temperature=0.5+max-output-tokens=4000"
    more = sent(FakeResponses, ResponsesProvider, name)
    assert more["reasoning"] == {"effort": "high"}
    assert (more["temperature"], more["max_output_tokens"]) == (0.5, 4000)


def test_what_a_server_of_ones_own_is_sent() -> None:
    assert sent(FakeChat, ChatProvider, "server:qwen") == {
        "model": "qwen",
        "messages": [
            {"role": "system", "content": "be good"},
            {"role": "user", "content": "fix it"},
        ],
        "max_tokens": 99,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    more = sent(FakeChat, ChatProvider, "server:qwen+effort=low+temperature=0")
    assert (more["reasoning_effort"], more["temperature"]) == ("low", 0)


def test_a_server_without_a_key_is_asked_all_the_same() -> None:
    with FakeChat() as server:
        ChatProvider("server", Connection(base_url=server.url)).ask(question("server:qwen"))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("fake", "kind"), [(FakeResponses, ResponsesProvider), (FakeChat, ChatProvider)]
)
def test_an_exhausted_quota_is_not_asked_again(fake: type[Loopback], kind: Kind) -> None:
    behaviour = Behaviour(kind="error", status=429, error_type="insufficient_quota")
    with fake(in_order(behaviour)) as server, pytest.raises(AskFailedError) as caught:
        kind("openai", Connection(api_key="k", base_url=server.url)).ask(question("openai:m"))
    assert not caught.value.retriable
    assert "insufficient_quota" in str(caught.value)


def test_an_address_that_lacks_its_end_is_named() -> None:
    """A server that answers 404 may know the model, and be asked at the wrong place."""
    behaviour = Behaviour(kind="error", status=404)
    with FakeChat(in_order(behaviour)) as server, pytest.raises(AskFailedError) as caught:
        ChatProvider("server", Connection(base_url=server.url)).ask(question("server:m"))
    assert f"{server.url}/chat/completions" in str(caught.value)
    assert caught.value.hopeless
