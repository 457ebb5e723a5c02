"""Dialogs with tools, under the real SDKs: what is asked for, and what is sent back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_google import FakeGoogle
from support.fake_openai import FakeChat, FakeResponses
from support.loopback import Asked, Behaviour, Loopback, in_order

from models.anthropic import AnthropicProvider
from models.dialog import Result, Tool, Turn
from models.google import GoogleProvider
from models.openai import ChatProvider, ResponsesProvider
from models.provider import Answer, Connection, Provider, Request

Make = Callable[[Connection], Provider]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"path": {"type": "string"}},
    "required": ["path"],
}
VIEW = Tool(name="view", description="Show a file.", parameters=SCHEMA)
ASKS = Behaviour(text="Let me look.", calls=(("view", '{"path": "a.py"}'),))


def responses(connection: Connection) -> Provider:
    return ResponsesProvider("openai", connection)


def chat(connection: Connection) -> Provider:
    return ChatProvider("server", connection)


AS_TEXT = [(FakeAnthropic, AnthropicProvider), (FakeResponses, responses), (FakeChat, chat)]
EACH = pytest.mark.parametrize(("fake", "make"), [*AS_TEXT, (FakeGoogle, GoogleProvider)])


def question(*turns: Turn, tools: tuple[Tool, ...] = (VIEW,), prefix: str = "") -> Request:
    return Request(
        provider="p", model="m", system="be good", prefix=prefix, user="fix it", turns=turns,
        tools=tools, max_output_tokens=99,
    )  # fmt: skip


def talk(
    fake: type[Loopback], make: Make, behaviour: Behaviour = ASKS, *, failed: bool = False
) -> tuple[Answer, Asked]:
    """The first answer, and the second request, which brings what came of the first's calls."""
    with fake(in_order(behaviour, Behaviour())) as server:
        provider = make(Connection(api_key="k", base_url=server.url))
        first = provider.ask(question())
        results = tuple(Result(call=c, content="print(1)", failed=failed) for c in first.calls)
        turn = Turn(text=first.text, calls=first.calls, said=first.said, results=results)
        again = Turn.model_validate_json(turn.model_dump_json())  # as it comes from the disk
        assert provider.ask(question(again)).text == "fine"
        return first, server.asked[1]


@EACH
def test_a_tool_is_asked_for(fake: type[Loopback], make: Make) -> None:
    first, _ = talk(fake, make)
    assert (first.text, first.finish) == ("Let me look.", "stop")
    (call,) = first.calls
    assert (call.name, call.arguments, call.unreadable) == ("view", {"path": "a.py"}, "")
    assert call.id


@pytest.mark.parametrize(("fake", "make"), AS_TEXT)
@pytest.mark.parametrize("arguments", ['{"path": "a.p', "[1]", "view a.py"])
def test_arguments_that_are_no_json_object(
    fake: type[Loopback], make: Make, arguments: str
) -> None:
    """The answer was paid for, and the model is told what was wrong with it."""
    first, second = talk(fake, make, Behaviour(calls=(("view", arguments),)), failed=True)
    (call,) = first.calls
    assert (call.arguments, call.unreadable) == ({}, arguments)
    assert "print(1)" in second.text


def test_what_anthropic_is_told_of_a_call() -> None:
    first, second = talk(FakeAnthropic, AnthropicProvider)
    tool = {"name": "view", "description": "Show a file.", "input_schema": SCHEMA}
    assert second.body["tools"] == [tool]
    assert second.body["cache_control"] == {"type": "ephemeral"}
    said, told = second.body["messages"][1:]
    assert said["role"] == "assistant"
    assert said["content"] == [
        {"type": "text", "text": "Let me look."},
        {"type": "thinking", "thinking": "hm", "signature": "sig-1"},
        {"type": "tool_use", "id": "toolu_2", "name": "view", "input": {"path": "a.py"}},
    ]
    assert first.calls[0].id == "toolu_2"
    result = {"type": "tool_result", "tool_use_id": "toolu_2", "content": "print(1)"}
    assert told["content"] == [{**result, "is_error": False}]


def test_what_google_is_told_of_a_call() -> None:
    """A thought's signature has to come back with its call, byte for byte."""
    _, second = talk(FakeGoogle, GoogleProvider)
    assert second.body["tools"][0]["functionDeclarations"][0]["name"] == "view"
    said, told = second.body["contents"][1:]
    (call,) = [part for part in said["parts"] if "functionCall" in part]
    assert call["functionCall"] == {"name": "view", "args": {"path": "a.py"}}
    assert call["thoughtSignature"] == "c2lnLTE="
    answer = {"functionResponse": {"name": "view", "response": {"output": "print(1)"}}}
    assert told == {"parts": [answer], "role": "user"}


def test_what_responses_is_told_of_a_call() -> None:
    _, second = talk(FakeResponses, responses)
    assert second.body["include"] == ["reasoning.encrypted_content"]
    user, thought, call, told = second.body["input"]
    assert user == {"role": "user", "content": "fix it"}
    assert thought["encrypted_content"] == "sig-1"
    assert (call["type"], call["call_id"]) == ("function_call", "call_0")
    assert told == {"type": "function_call_output", "call_id": "call_0", "output": "print(1)"}


def test_what_a_server_of_ones_own_is_told_of_a_call() -> None:
    _, second = talk(FakeChat, chat, failed=True)
    assert second.body["tools"][0]["function"]["parameters"] == SCHEMA
    said, told = second.body["messages"][2:]
    function = {"name": "view", "arguments": '{"path": "a.py"}'}
    assert said["tool_calls"] == [{"id": "call_0", "type": "function", "function": function}]
    assert told == {"role": "tool", "tool_call_id": "call_0", "content": "failed: print(1)"}


@EACH
def test_words_instead_of_tools(fake: type[Loopback], make: Make) -> None:
    with fake() as server:
        provider = make(Connection(api_key="k", base_url=server.url))
        turns = (Turn(text="ls", reply="a.py"), Turn(text="", reply="go on"))
        provider.ask(question(*turns, tools=()))
    (asked,) = server.asked
    places = [asked.text.find(word) for word in ("fix it", '"ls"', "a.py", "(nothing)", "go on")]
    assert -1 not in places
    assert places == sorted(places)
    assert "tools" not in asked.body


@EACH
def test_a_beginning_that_many_questions_share(fake: type[Loopback], make: Make) -> None:
    with fake() as server:
        provider = make(Connection(api_key="k", base_url=server.url))
        provider.ask(question(tools=(), prefix="the whole repository\n"))
    (asked,) = server.asked
    assert 0 < asked.text.find("the whole repository") < asked.text.find("fix it")
    if fake is FakeAnthropic:
        first, second = asked.body["messages"][0]["content"]
        assert first["cache_control"] == {"type": "ephemeral"}
        assert "cache_control" not in second


def test_a_dialog_is_another_question_with_each_turn() -> None:
    said, other = Turn(text="x", reply="y"), Turn(text="x", reply="z")
    asked = [question(tools=()), question(), question(said), question(other), question(said, said)]
    assert len({one.sha256 for one in asked}) == len(asked)
