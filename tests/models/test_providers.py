"""All providers under their real SDKs, against servers that speak the real wire format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_google import FakeGoogle
from support.fake_openai import FakeChat, FakeResponses
from support.loopback import Behaviour, Loopback, in_order

from core.errors import UsageError
from core.types import Usage
from models.anthropic import AnthropicProvider
from models.google import GoogleProvider
from models.openai import ChatProvider, ResponsesProvider
from models.provider import Answer, AskFailedError, Connection, Provider, Request

Make = Callable[[Connection], Provider]


def responses(connection: Connection) -> Provider:
    return ResponsesProvider("openai", connection)


def chat(connection: Connection) -> Provider:
    return ChatProvider("server", connection)


EACH = pytest.mark.parametrize(
    ("fake", "make"),
    [
        (FakeAnthropic, AnthropicProvider),
        (FakeGoogle, GoogleProvider),
        (FakeResponses, responses),
        (FakeChat, chat),
    ],
)


def ask(fake: type[Loopback], make: Make, behaviour: Behaviour, seconds: float = 20) -> Answer:
    with fake(in_order(behaviour)) as server:
        provider = make(Connection(api_key="key-1", base_url=server.url, timeout_seconds=seconds))
        answer = provider.ask(question(provider))
        assert len(server.asked) == 1
        return answer


def question(provider: Provider) -> Request:
    return Request(
        provider=provider.name,
        model="model-1",
        system="be good",
        user="fix it",
        max_output_tokens=99,
    )


def failure(fake: type[Loopback], make: Make, behaviour: Behaviour) -> AskFailedError:
    with pytest.raises(AskFailedError) as caught:
        ask(fake, make, behaviour)
    return caught.value


@EACH
def test_text_counts_and_times_of_an_answer(fake: type[Loopback], make: Make) -> None:
    behaviour = Behaviour(
        text="one two three",
        model="model-1-2026",
        input_tokens=1000,
        cached_tokens=100,
        output_tokens=200,
        thinking_tokens=50,
        seconds=0.1,
    )
    answer = ask(fake, make, behaviour)
    assert (answer.text, answer.finish) == ("one two three", "stop")
    assert answer.usage == Usage(
        input_tokens=1000, cache_read_tokens=100, output_tokens=200, reasoning_tokens=50
    )
    assert answer.served_model == "model-1-2026"
    assert answer.first_token_seconds is not None
    assert answer.seconds is not None
    assert 0 < answer.first_token_seconds <= answer.seconds
    assert answer.seconds >= 0.1
    assert answer.raw_usage


def test_what_anthropic_is_sent() -> None:
    with FakeAnthropic() as server:
        provider = AnthropicProvider(Connection(api_key="key-1", base_url=server.url))
        provider.ask(question(provider))
    (asked,) = server.asked
    assert asked.headers["authorization"] == "Bearer key-1"
    assert asked.body == {
        "model": "model-1",
        "max_tokens": 99,
        "system": "be good",
        "messages": [{"role": "user", "content": "fix it"}],
        "stream": True,
    }


def test_what_google_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment decides which service is asked, or with which key."""
    monkeypatch.setenv("GOOGLE_GENAI_USE_ENTERPRISE", "true")
    monkeypatch.setenv("GOOGLE_API_KEY", "another")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://203.0.113.1")
    with FakeGoogle() as server:
        provider = GoogleProvider(Connection(api_key="key-1", base_url=server.url))
        provider.ask(question(provider))
    (asked,) = server.asked
    assert asked.headers["x-goog-api-key"] == "key-1"
    assert asked.headers["x-server-timeout"] == "600"
    assert asked.body["contents"] == [{"parts": [{"text": "fix it"}], "role": "user"}]
    assert asked.body["systemInstruction"]["parts"] == [{"text": "be good"}]
    assert asked.body["generationConfig"] == {"maxOutputTokens": 99}


@pytest.mark.parametrize(
    ("fake", "make", "reason", "finish"),
    [
        (FakeAnthropic, AnthropicProvider, "stop_sequence", "stop"),
        (FakeAnthropic, AnthropicProvider, "max_tokens", "length"),
        (FakeAnthropic, AnthropicProvider, "model_context_window_exceeded", "length"),
        (FakeAnthropic, AnthropicProvider, "refusal", "refusal"),
        (FakeGoogle, GoogleProvider, "MAX_TOKENS", "length"),
        (FakeGoogle, GoogleProvider, "SAFETY", "safety"),
        (FakeGoogle, GoogleProvider, "RECITATION", "safety"),
        (FakeGoogle, GoogleProvider, "OTHER", "stop"),
        (FakeGoogle, GoogleProvider, "blocked_prompt", "safety"),
        (FakeResponses, responses, "max_output_tokens", "length"),
        (FakeResponses, responses, "content_filter", "safety"),
        (FakeResponses, responses, "refusal", "refusal"),
        (FakeChat, chat, "length", "length"),
        (FakeChat, chat, "content_filter", "safety"),
        (FakeChat, chat, "refusal", "refusal"),
    ],
)
def test_why_an_answer_ended(fake: type[Loopback], make: Make, reason: str, finish: str) -> None:
    assert ask(fake, make, Behaviour(finish=reason)).finish == finish


@EACH
@pytest.mark.parametrize("kind", ["cut", "reset", "half_event", "overload_in_stream"])
def test_a_broken_stream_is_a_retriable_failure_that_was_billed(
    fake: type[Loopback], make: Make, kind: str
) -> None:
    error = failure(fake, make, Behaviour(kind=kind, text="one two three"))  # type: ignore[arg-type]
    assert error.retriable
    assert error.maybe_billed
    # OpenAI counts at the end of a stream only, the others as they go.
    known = fake not in (FakeResponses, FakeChat)
    assert known is (error.partial.usage is not None)
    assert error.partial.usage is None or error.partial.usage.input_tokens == 1000


@EACH
@pytest.mark.parametrize(
    ("status", "retriable", "hopeless"),
    [
        (400, False, False),
        (401, False, True),
        (402, False, False),
        (403, False, True),
        (404, False, True),
        (408, True, False),
        (413, False, False),
        (429, True, False),
        (500, True, False),
        (503, True, False),
        (529, True, False),
    ],
)
def test_error_statuses(
    fake: type[Loopback], make: Make, status: int, retriable: bool, hopeless: bool
) -> None:
    error_type = "invalid_request_error" if status < 500 else "api_error"
    behaviour = Behaviour(kind="error", status=status, error_type=error_type, message="because")
    error = failure(fake, make, behaviour)
    assert (error.retriable, error.hopeless) == (retriable, hopeless)
    assert not error.maybe_billed
    assert "because" in str(error)
    assert str(status) in str(error)


@EACH
def test_retry_after_is_passed_on(fake: type[Loopback], make: Make) -> None:
    wait = (("retry-after", "7"),)
    assert failure(fake, make, Behaviour(kind="error", status=429, headers=wait)).retry_after == 7


def test_google_says_how_long_to_wait_in_the_body() -> None:
    details = ({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13s"},)
    behaviour = Behaviour(kind="error", status=429, details=details)
    assert failure(FakeGoogle, GoogleProvider, behaviour).retry_after == 13


def test_an_exhausted_daily_quota_is_not_asked_again() -> None:
    details = ({"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]},)
    behaviour = Behaviour(kind="error", status=429, details=details)
    assert not failure(FakeGoogle, GoogleProvider, behaviour).retriable


def test_anthropic_may_say_that_retrying_is_useless() -> None:
    behaviour = Behaviour(kind="error", status=429, headers=(("x-should-retry", "false"),))
    assert not failure(FakeAnthropic, AnthropicProvider, behaviour).retriable


def test_google_rejects_keys_with_status_400() -> None:
    details = ({"reason": "API_KEY_INVALID", "domain": "googleapis.com"},)
    error = failure(
        FakeGoogle, GoogleProvider, Behaviour(kind="error", status=400, details=details)
    )
    assert error.hopeless
    assert "GEMINI_API_KEY" in str(error)


@EACH
def test_a_server_that_is_not_there_bills_nothing(fake: type[Loopback], make: Make) -> None:
    with fake() as server:
        url = server.url
    provider = make(Connection(api_key="k", base_url=url))
    with pytest.raises(AskFailedError) as caught:
        provider.ask(question(provider))
    assert caught.value.retriable
    assert not caught.value.maybe_billed


@EACH
def test_silence_ends_in_a_failure_of_unknown_cost(fake: type[Loopback], make: Make) -> None:
    with pytest.raises(AskFailedError) as caught:
        ask(fake, make, Behaviour(seconds=1.0), seconds=0.2)
    assert caught.value.retriable
    assert caught.value.maybe_billed


@pytest.mark.parametrize(("fake", "make"), [(FakeGoogle, GoogleProvider), (FakeChat, chat)])
def test_an_answer_without_counts(fake: type[Loopback], make: Make) -> None:
    assert ask(fake, make, Behaviour(kind="no_usage")).usage is None


@EACH
def test_counts_that_contradict_each_other(fake: type[Loopback], make: Make) -> None:
    """Bug: a server that lied about tokens turned a paid answer into a failure, asked again."""
    answer = ask(
        fake,
        make,
        Behaviour(
            input_tokens=-7 if fake is FakeAnthropic else 10,
            cached_tokens=999 if fake is not FakeAnthropic else 0,
        ),
    )
    assert (answer.text, answer.usage) == ("fine", None)
    assert answer.raw_usage


@EACH
def test_a_bundle_without_certificates_is_named(
    fake: type[Loopback], make: Make, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("nothing\n")
    with pytest.raises(UsageError, match=r"ca\.pem"):
        make(Connection(api_key="k", ca_bundle=tmp_path / "ca.pem"))
