"""The agent: a model with tools, a step at a time, in a workbench."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_openai import FakeChat
from support.local_bench import LocalBenches
from support.loopback import Asked, Behaviour, Loopback, in_order
from support.tasks import CALC, make_task

from core.redact import NOTHING
from core.types import Patch, Stop
from models.agent import AgentLimits
from models.budget import Budget
from models.compaction import compacted
from models.desk import Desk
from models.dialog import Call, Result, Turn
from models.registry import build

CLAUDE = "anthropic:claude-opus-4-8+agent"
QWEN = "server:qwen+agent"
FILES = {path: text for path, text in CALC.contents.items() if text}
STEP_COST = Decimal("0.0075")  # 1,000 in at $5 and 100 out at $25 a million


def step(tool: str, text: str = "", **arguments: Any) -> Behaviour:
    return says(text, ((tool, json.dumps(arguments)),))


def says(text: str, calls: tuple[tuple[str, str], ...] = (), **changes: Any) -> Behaviour:
    return Behaviour(text=text or "so", calls=calls, output_tokens=100, **changes)


EDIT = step("edit", path="src/calc.py", old="def add(a, b):\n    return a - b",
            new="def add(a, b):\n    return a + b")  # fmt: skip
SUBMIT = step("submit")


class Bench:
    """An agent on a loopback server, with folders as workbenches."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.benches = LocalBenches(folder, FILES)
        self.asked: list[Asked] = []

    def solve(
        self,
        *behaviours: Behaviour,
        name: str = CLAUDE,
        fake: type[Loopback] = FakeAnthropic,
        limits: AgentLimits = AgentLimits(),  # noqa: B008
    ) -> Patch:
        with fake(in_order(*behaviours)) as server:
            service = name.partition(":")[0]
            desk = Desk(
                exchanges=self.folder / "exchanges",
                budget=Budget(None),
                redactor=NOTHING,
                keys={service: "k"},
                base_urls={service: server.url},
                timeout_seconds=20,
                benches=self.benches,
                agent_limits=limits,
            )
            patch = build(name, desk).solve(make_task(), CALC, 1)
            self.asked = server.asked
        return patch


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_it_looks_edits_and_submits(bench: Bench) -> None:
    patch = bench.solve(
        step("search", pattern="def add"),
        step("view", path="src/calc.py", first=1, last=2),
        EDIT,
        step("shell", command="cat src/calc.py"),
        SUBMIT,
    )
    assert patch.stop is Stop.ANSWERED
    assert "-    return a - b\n+    return a + b\n" in patch.diff
    assert patch.diff.count("\n+") == 2  # the file's own line and the changed one
    told = [asked.text for asked in bench.asked]
    assert "src/calc.py:1:def add(a, b):" in told[1]
    assert "     1  def add(a, b):" in told[2]
    assert "wrote src/calc.py" in told[3]
    assert "return a + b" in told[4]
    assert patch.cost_usd == 5 * STEP_COST
    assert patch.usage is not None
    assert patch.usage.output_tokens == 500
    assert len(patch.exchanges) == 5
    assert patch.served_model == "claude-opus-4-8"


def test_in_words_where_a_server_takes_no_tools(bench: Bench) -> None:
    edit = (
        "src/calc.py\n<<<<<<< SEARCH\ndef add(a, b):\n    return a - b\n=======\n"
        "def add(a, b):\n    return a + b\n>>>>>>> REPLACE\n"
    )
    new = "src/new.py\n<<<<<<< SEARCH\n=======\nX = 1\n>>>>>>> REPLACE\n"
    patch = bench.solve(
        says("Look:\n\n```sh\ngrep -n add src/calc.py\n```\n"),
        says("I shall fix it now."),
        says("```sh\ntrue\n```\n\n```sh\nfalse\n```\n"),
        says(edit + new),
        says("SUBMIT"),
        name=QWEN,
        fake=FakeChat,
    )
    assert patch.stop is Stop.ANSWERED
    assert "+    return a + b\n" in patch.diff
    assert "+++ b/src/new.py\n@@ -0,0 +1 @@\n+X = 1\n" in patch.diff
    assert all("tools" not in asked.body for asked in bench.asked)
    replies = [asked.body["messages"][-1]["content"] for asked in bench.asked]
    assert "1:def add(a, b):" in replies[1]
    assert "answer with one ```sh block" in replies[2]
    assert "one step at a time" in replies[3]
    assert "wrote src/calc.py" in replies[4]
    assert patch.cost_usd is None  # nobody knows what this server costs


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("dance", "{}"), "no such tool; there are shell, view"),
        (("shell", "{"), "the arguments are no JSON object"),
        (("shell", "{}"), "`command` must be a text"),
        (("view", '{"path": "a", "first": 0}'), "`first` must be a whole number"),
        (("shell", '{"command": "a\\u0000b"}'), "NUL character"),
        (("edit", '{"path": "no.py", "old": "a", "new": "b"}'), "there is no such text file"),
        (("edit", '{"path": "src/calc.py", "old": "z", "new": "b"}'), "is not in the file"),
        (("edit", '{"path": "src/calc.py", "old": "    return a - b", "new": ""}'), "2 times"),
        (("shell", '{"command": "exit 3"}'), "[exit code 3]"),
        (("search", '{"pattern": "nowhere at all"}'), "nothing found"),
        (("view", '{"path": "gone.py"}'), "gone.py"),
    ],
)
def test_what_goes_wrong_is_told(bench: Bench, call: tuple[str, str], words: str) -> None:
    bench.solve(says("", (call,)), SUBMIT)
    (results,) = [bench.asked[1].body["messages"][-1]["content"]]
    assert words in results[0]["content"]
    assert results[0]["is_error"] is (words != "nothing found")


def test_a_marker_within_a_line_is_no_edit(bench: Bench) -> None:
    """Bug: nothing was done, and the model was told that it was done."""
    bench.solve(says("<<<<<<< SEARCH`"), says("SUBMIT"), name=QWEN, fake=FakeChat)
    told = bench.asked[1].body["messages"][-1]["content"]
    assert "Nothing was done: <<<<<<< SEARCH must stand alone" in told


def test_a_long_output_is_shown_from_both_ends(bench: Bench) -> None:
    bench.solve(step("shell", command="seq 1 100000"), SUBMIT)
    (result,) = bench.asked[1].body["messages"][-1]["content"]
    assert result["content"].startswith("1\n2\n")
    assert "characters left out" in result["content"]
    assert result["content"].endswith("100000\n\n[exit code 0]")


def test_a_run_that_goes_on_pays_for_no_step_twice(bench: Bench) -> None:
    """Its commands are done again in a new container, where they may print other things."""
    look = step("shell", command="date +%N; pwd")
    broken = Behaviour(kind="error", status=400, error_type="invalid_request_error")
    first = bench.solve(look, EDIT, broken)
    assert (first.stop, first.diff) == (Stop.PROVIDER_FAILED, "")
    assert first.cost_usd == 2 * STEP_COST
    second = bench.solve(SUBMIT)
    assert len(bench.asked) == 1
    assert "wrote src/calc.py" in bench.asked[0].text
    assert second.stop is Stop.ANSWERED
    assert "+    return a + b\n" in second.diff
    assert second.cost_usd == 3 * STEP_COST
    third = bench.solve(broken)
    assert (bench.asked, third.diff, third.cost_usd) == ([], second.diff, second.cost_usd)


def test_a_shorter_dialog_costs_what_it_cost(bench: Bench) -> None:
    """Bug: what an older, longer dialog had left behind its end was counted as its own."""
    bench.solve(EDIT, SUBMIT, limits=AgentLimits(steps=9))
    patch = bench.solve(SUBMIT, limits=AgentLimits(steps=8))  # which the prompt tells
    assert (len(bench.asked), patch.stop) == (1, Stop.EMPTY)
    assert len(patch.exchanges) == 1


def test_steps_come_to_an_end(bench: Bench) -> None:
    patch = bench.solve(EDIT, step("shell", command="true"), limits=AgentLimits(steps=3))
    assert len(bench.asked) == 3
    assert (patch.stop, patch.detail) == (Stop.ANSWERED, "stopped after 3 steps")
    assert "+    return a + b\n" in patch.diff


def test_money_comes_to_an_end(bench: Bench) -> None:
    limits = AgentLimits(usd=Decimal("0.02"))
    patch = bench.solve(step("shell", command="true"), limits=limits)
    assert len(bench.asked) == 3
    assert (patch.stop, patch.detail) == (Stop.EMPTY, "stopped after $0.0225; nothing changed")


def test_commands_that_hang_come_to_an_end(bench: Bench) -> None:
    limits = AgentLimits(seconds=0)
    patch = bench.solve(EDIT, limits=limits)
    assert patch.detail.startswith("stopped after 0 s")


def test_an_answer_that_was_cut_off_does_nothing(bench: Bench) -> None:
    """Half of a command may be a whole other command."""
    cut = says("", (("shell", '{"command": "echo x > src/calc.py"}'),), finish="max_tokens")
    patch = bench.solve(cut, SUBMIT)
    assert patch.stop is Stop.EMPTY
    assert "cut off at its length limit" in bench.asked[1].text
    assert "tool_use" not in bench.asked[1].text


def test_a_refusal_ends_it(bench: Bench) -> None:
    patch = bench.solve(EDIT, says("I would rather not.", finish="refusal"))
    assert (patch.stop, patch.diff) == (Stop.REFUSED, "")
    assert patch.cost_usd == 2 * STEP_COST


def test_old_results_give_way_when_a_dialog_grows() -> None:
    call = Call(id="1", name="shell")
    turns = [
        Turn(text=f"step {n}", results=(Result(call=call, content="x" * 1000),)) for n in range(20)
    ]
    kept = compacted(turns, 12_000)
    assert sum(len(turn.model_dump_json()) for turn in kept) < 12_000
    assert [turn.text for turn in kept] == [turn.text for turn in turns]
    assert kept[0].results[0].content == "(left out: 1000 characters of an earlier result)"
    assert kept[-4:] == tuple(turns[-4:])
    assert compacted(turns[:5], 12_000) == tuple(turns[:5])
    # The beginning stays the same for some time: a provider's cache holds that long.
    assert compacted(turns[:13], 12_000)[:9] == compacted(turns[:14], 12_000)[:9]
