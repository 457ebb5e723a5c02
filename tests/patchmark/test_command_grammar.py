"""What may be said in a comment, and how everything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UsageError
from patchmark.command_grammar import MOST_MODELS, Command, is_for_us, parse


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/patchmark run", Command(verb="run")),
        ("/patchmark run\r\n--out=/etc", Command(verb="run")),
        ("/patchmark", Command(verb="help")),
        ("/patchmark help  ", Command(verb="help")),
        ("/patchmark stop\nplease", Command(verb="stop")),
        ("/patchmark run --tasks 12", Command(verb="run", tasks=12)),
        ("/patchmark run empty, --tasks=3", Command(verb="run", models=("empty",), tasks=3)),
        (
            "/patchmark run anthropic:claude-opus-4-8,openai:gpt-5.4+effort=high",
            Command(
                verb="run",
                models=(
                    "reference",
                    "empty",
                    "anthropic:claude-opus-4-8",
                    "openai:gpt-5.4+effort=high",
                ),
            ),
        ),
        (
            "/patchmark run reference google:x,google:x",
            Command(verb="run", models=("reference", "google:x")),
        ),
    ],
)
def test_what_is_understood(body: str, command: Command) -> None:
    assert is_for_us(body)
    assert parse(body) == command


@pytest.mark.parametrize(
    "body",
    [
        "",
        " /patchmark run",
        "> /patchmark run",
        "/patchmarks run",
        "hi\n/patchmark run",
        "`/patchmark",
    ],
)
def test_what_is_not_for_us(body: str) -> None:
    assert not is_for_us(body)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("run $(id)", "'$(id)' holds a character"),
        ("run `id`", "holds a character"),
        ("run a;rm", "holds a character"),
        ("run ${{secrets.X}}", "holds a character"),
        ("run x\u202eeman", "holds a character"),
        ("run —tasks 3", "holds a character"),
        ("run x\x00y", "holds a character"),
        ("run --out=/etc/passwd", "the only option is `--tasks N`"),
        ("run -h", "the only option"),
        ("run --config x --tasks 3", "the only option"),
        ("run --budget-usd=9999", "the only option"),
        ("run --tasks", "a number from 1 to 200, not ''"),
        ("run --tasks 0", "not '0'"),
        ("run --tasks -5", "not '-5'"),
        ("run --tasks 201", "not '201'"),
        ("run --tasks 99999999999999999999", "a number from 1 to 200"),
        ("run --tasks 1e3", "not '1e3'"),
        ("run --tasks 3 --tasks 4", "more than once"),
        ("run gogle:gemini", "did you mean google"),
        ("run reference:x", "unknown entrant"),
        ("run replay:careful", "recordings"),
        ("run ../../etc", "unknown entrant"),
        ("run " + ",".join(f"google:{n}" for n in range(MOST_MODELS + 1)), "at most 12 models"),
        ("run " + "x" * 2000, "at most 1000 characters"),
        ("deploy", "'deploy' is no command"),
        ("RUN", "'RUN' is no command"),
        ("stop now", "`stop` takes nothing"),
        ("help --tasks 3", "`help` takes nothing"),
    ],
)
def test_what_is_refused_with_words(words: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(f"/patchmark {words}")
    assert why in str(refused.value)


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_whatever_is_written_is_understood_or_refused(words: str) -> None:
    """What comes out is of a few harmless characters, whatever went in."""
    try:
        command = parse(f"/patchmark run {words}")
    except UsageError:
        return
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+=-")
    assert all(set(name) <= allowed and not name.startswith("-") for name in command.models)
    assert command.tasks is None or 1 <= command.tasks <= 200
