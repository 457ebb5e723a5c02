"""The whole repository in one question, and what it says to coding agents: given or withheld."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_openai import FakeChat
from support.local_bench import LocalBenches
from support.loopback import Asked, Behaviour, Loopback, Plan, in_order
from support.tasks import CALC, FIX, Folder, make_task

from core.errors import UsageError
from core.redact import NOTHING
from core.types import Patch, Stop
from models.budget import Budget
from models.desk import Desk
from models.long_context import whole_repository
from models.registry import build
from models.spec import parse
from models.window import window

CLAUDE = "anthropic:claude-opus-4-8"
TOLD = Folder({**CALC.contents, "AGENTS.md": "Sing.\n", "src/CLAUDE.md": "Dance.\n"})


def solve(
    folder: Path,
    name: str,
    plan: Plan | None = None,
    files: Folder = TOLD,
    fake: type[Loopback] = FakeAnthropic,
    **task: Any,
) -> tuple[Patch, list[Asked]]:
    service = name.partition(":")[0]
    text = {path: text for path, text in files.contents.items() if text}
    with fake(plan or in_order(Behaviour(text=FIX))) as server:
        desk = Desk(
            exchanges=folder / "exchanges", budget=Budget(None), redactor=NOTHING,
            keys={service: "k"}, base_urls={service: server.url}, timeout_seconds=20,
            benches=LocalBenches(folder, text),
        )  # fmt: skip
        return build(name, desk).solve(make_task(**task), files, 1), server.asked


def test_the_repository_comes_first_and_is_the_same_for_each_task(tmp_path: Path) -> None:
    name = f"{CLAUDE}+long-context"
    patch, one = solve(tmp_path, name)
    _, two = solve(tmp_path, name, number=2, statement="`sub(1, 2)` returns 3.")
    assert patch.stop is Stop.ANSWERED
    (first, told), (second, other) = (
        asked[0].body["messages"][0]["content"] for asked in (one, two)
    )
    assert first == second
    assert first["cache_control"] == {"type": "ephemeral"}
    assert told["text"] != other["text"]
    assert "def clean(text)" in first["text"]
    assert "`add(1, 2)` returns -1" in told["text"]
    assert "The repository stands above." in told["text"]
    assert first["text"].index("src/util.py") < first["text"].index("tests/test_calc.py")


def test_what_has_no_room_is_counted(tmp_path: Path) -> None:
    big = {f"src/m{n}.py": f"# {n}\n" + "x = 1\n" * 500 for n in range(9)}
    whole = whole_repository(Folder({**big, "logo.png": "x", "tests/test_m.py": "1\n"}), 10_000)
    assert len(whole.text) < 10_020
    assert whole.left_out == 6
    assert "tests/test_m.py" in whole.text  # small enough for what is left
    assert "logo.png" not in whole.text
    many = Folder({f"src/m{n:03}.py": "x = 1\n" * 8000 for n in range(99)})
    _, asked = solve(tmp_path, "server:qwen+long-context+window=120000", files=many, fake=FakeChat)
    text = asked[0].body["messages"][1]["content"]
    assert "without 97 files that there was no room for" in text
    assert len(text) < 120_000 * 2.5


def test_how_much_a_model_takes() -> None:
    assert window(parse("gemini-3.5-flash+effort=low")) == 1_048_576
    assert window(parse("anthropic:claude-haiku-5-5")) == 1_000_000  # from the price list
    assert window(parse("server:qwen")) is None
    assert window(parse("server:qwen+window=32000")) == 32_000


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("server:qwen+long-context", r"say \+window=TOKENS"),
        ("server:qwen+long-context+window=32000", "too small for long-context"),
        ("server:qwen+long-context+agent", "one of oneshot, long-context, agent, not"),
    ],
)
def test_names_that_cannot_be(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        solve(tmp_path, name, fake=FakeChat)


@pytest.mark.parametrize("strategy", ["", "+long-context"])
def test_words_to_agents_are_given_or_withheld(tmp_path: Path, strategy: str) -> None:
    def asked(setting: str) -> str:
        _, (only,) = solve(tmp_path / setting, f"{CLAUDE}{strategy}{setting}")
        return only.text

    given = asked("+instructions=on")
    assert "What the repository says to coding agents" in given
    assert given.index("Sing.") < given.index("Dance.")
    assert (given.count("Sing."), given.count("Dance.")) == (1, 1)
    withheld = asked("+instructions=off")
    assert "Sing." not in withheld
    assert "AGENTS.md" not in withheld
    # Else they are files like any other.
    plain = asked("")
    assert "AGENTS.md" in plain
    assert "What the repository says to coding agents" not in plain


def works(asked: Asked, _: int) -> Behaviour:
    """Says what is there, changes something, submits."""
    steps: tuple[tuple[str, dict[str, str]], ...] = (
        ("shell", {"command": "ls; ls src; echo '# x' >> src/util.py"}),
        ("submit", {}),
    )
    tool, arguments = steps[len(asked.body["messages"]) // 2]
    return Behaviour(calls=((tool, json.dumps(arguments)),))


@pytest.mark.parametrize("setting", ["on", "off"])
def test_an_agent_finds_them_or_not(tmp_path: Path, setting: str) -> None:
    """Files that are hidden must not look deleted in the agent's diff."""
    patch, asked = solve(tmp_path, f"{CLAUDE}+agent+instructions={setting}", works)
    assert patch.stop is Stop.ANSWERED
    assert patch.diff.count("diff --git") == 1
    assert ("Sing." in asked[0].text) is (setting == "on")
    (result,) = asked[1].body["messages"][-1]["content"]
    assert ("AGENTS.md" in result["content"]) is (setting == "on")
    assert ("CLAUDE.md" in result["content"]) is (setting == "on")
