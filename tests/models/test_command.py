"""Coding agents of others: what their questions become on the way out, and what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.fake_whole import WholeAnthropic, WholeChat, WholeGoogle, WholeResponses
from support.local_bench import LocalOpenBenches
from support.loopback import Asked, Behaviour, Loopback, Plan, in_order
from support.tasks import CALC, make_task

from core.errors import UsageError
from core.outlet import Command
from core.redact import Redactor
from core.types import Patch, Stop, Usage
from models.agent import AgentLimits
from models.budget import Budget
from models.command import CommandLine
from models.command_presets import COMMANDS
from models.desk import Desk
from models.estimate import Estimate, estimate
from models.pricing import Price
from models.registry import build

FILES = {path: text for path, text in CALC.contents.items() if text}
AGENT = (Path(__file__).parents[1] / "support/tiny_agent.py").read_text("utf-8")
KEY = "sk-secret-key-0001"
FIX = Behaviour(text="sed -i 's/return a - b/return a + b/' src/calc.py; echo fixed")
DONE = Behaviour(text="DONE")
WIRES: dict[str, tuple[type[Loopback], str]] = {
    "messages": (WholeAnthropic, "anthropic:claude-opus-4-8"),
    "chat": (WholeChat, "server:qwen"),
    "responses": (WholeResponses, "openai:gpt-5.4-mini"),
    "generate": (WholeGoogle, "google:gemini-3.5-flash"),
}
PRICE = Price(input_usd_per_mtok=Decimal(5), output_usd_per_mtok=Decimal(25))


@dataclass
class Bench:
    """The tiny agent on a loopback server, in a folder."""

    folder: Path
    asked: list[Asked] = field(default_factory=list)
    billed: list[tuple[int, int]] = field(default_factory=list)

    def entrant(self, wire: str, url: str, variables: Mapping[str, str], **desk: Any) -> Any:
        model = WIRES[wire][1]
        service = model.partition(":")[0]
        run = f"python3 -I - <<'EOF'\n{AGENT}\nEOF\n"
        given = {"WIRE": wire, **variables}
        known: dict[str, Any] = {
            "exchanges": self.folder / "exchanges",
            "budget": Budget(None),
            "redactor": Redactor([KEY]),
            "keys": {service: KEY},
            "base_urls": {service: url},
            "prices": {model: PRICE},
            "timeout_seconds": 20,
            "commands": {"tiny": Command(install=("true",), run=run, variables=given)},
            "open_benches": LocalOpenBenches(self.folder / "benches", FILES),
        }
        return build(f"{model}+command=tiny", Desk(**{**known, **desk}))

    def solve(
        self, *plan: Behaviour, wire: str = "messages", script: Plan | None = None, **more: Any
    ) -> Patch:
        variables = {name: str(more.pop(name)) for name in list(more) if name.isupper()}
        self.folder.joinpath("benches").mkdir(exist_ok=True)
        for old in self.folder.joinpath("benches").iterdir():
            old.rename(self.folder / f"{old.name}-{len(list(self.folder.iterdir()))}")
        with WIRES[wire][0](script or in_order(*plan)) as server:
            try:
                entrant = self.entrant(wire, server.url, variables, **more)
                patch: Patch = entrant.solve(make_task(), CALC, 1)
            finally:
                self.asked, self.billed = server.asked, server.billed
        return patch

    def kept(self, name: str) -> dict[str, Any]:
        (path,) = self.folder.glob(f"exchanges/*/*.{name}.json")
        found: dict[str, Any] = json.loads(path.read_text())
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("stream", ["0", "1"])
@pytest.mark.parametrize("wire", WIRES)
def test_each_wire_format_is_let_out_counted_and_kept(bench: Bench, wire: str, stream: str) -> None:
    counts = {"input_tokens": 1000, "output_tokens": 200, "cached_tokens": 400}
    if wire in ("chat", "responses", "generate"):
        counts["thinking_tokens"] = 50
    fix = Behaviour(text=FIX.text, **counts)  # type: ignore[arg-type]
    patch = bench.solve(fix, DONE, wire=wire, STREAM=stream, ASKS_FOR="another")
    assert (patch.stop, patch.detail) == (Stop.ANSWERED, "asked for another as well")
    assert "+    return a + b" in patch.diff
    thought = counts.get("thinking_tokens", 0)
    assert patch.usage == Usage(
        input_tokens=2000, cache_read_tokens=400, output_tokens=400, reasoning_tokens=thought
    )
    assert patch.cost_usd == Decimal("0.02")
    model = WIRES[wire][1].partition(":")[2]
    assert patch.served_model == model
    for asked in bench.asked:
        assert model in f"{asked.path}{asked.body.get('model')}"
        assert "another" not in f"{asked.path}{asked.text}"
        assert KEY in f"{asked.headers.get('authorization')}{asked.headers.get('x-goog-api-key')}"
        assert "patchmark" not in str(asked.headers.get("x-api-key"))
    first, second = bench.kept("1.1"), bench.kept("1.2")
    assert first["text"] == FIX.text
    assert second["text"] == "DONE"
    assert "add() is wrong" in first["request"]["user"]
    assert "fixed" in bench.kept("1.2.request")["request"]["raw"]


@pytest.mark.parametrize("wire", WIRES)
def test_equal_questions_are_not_paid_again(bench: Bench, wire: str, tmp_path: Path) -> None:
    first = bench.solve(FIX, DONE, wire=wire, STREAM="1")
    assert len(bench.asked) == 2
    again = bench.solve(Behaviour(kind="error"), wire=wire, STREAM="1")
    assert bench.asked == []
    replayed = bench.solve(
        Behaviour(kind="error"), wire=wire, STREAM="1", replay=tmp_path / "exchanges",
        exchanges=tmp_path / "other", keys={},
    )  # fmt: skip
    assert bench.asked == []
    for other in (again, replayed):
        assert (other.diff, other.cost_usd, other.usage) == (
            first.diff, first.cost_usd, first.usage,
        )  # fmt: skip
        assert len(other.exchanges) == 2
    assert replayed.replayed


def test_what_an_agent_names_anew_is_not_paid_again(bench: Bench) -> None:
    """Codex and Gemini CLI name things anew in each run, and all was asked and paid again."""
    bench.solve(FIX, DONE, wire="responses", MORE='{"prompt_cache_key": "first"}')
    patch = bench.solve(FIX, DONE, wire="responses", MORE='{"prompt_cache_key": "second"}')
    assert (patch.stop, bench.asked) == (Stop.ANSWERED, [])


def test_a_run_that_goes_on_pays_for_what_is_new_alone(bench: Bench) -> None:
    """The second question differs, as one with a time in it does: it is a new turn."""
    bench.solve(Behaviour(text="echo one"), DONE)
    plan = in_order(FIX, DONE)
    changed = bench.folder / "exchanges"
    (request,) = changed.glob("*/*.1.2.json")
    kept = json.loads(request.read_text())
    request.write_text(json.dumps({**kept, "request_sha256": "0" * 64}))
    (sent,) = changed.glob("*/*.1.2.request.json")
    sent.write_text(json.dumps({**json.loads(sent.read_text()), "request_sha256": "0" * 64}))
    patch = bench.solve(script=plan)
    assert len(bench.asked) == 2
    assert patch.stop is Stop.ANSWERED
    assert patch.cost_usd == 4 * Decimal("0.01")  # the turn that led nowhere was paid as well


def test_what_was_under_way_when_a_run_was_killed(bench: Bench) -> None:
    bench.solve(FIX, DONE)
    for lost in bench.folder.glob("exchanges/*/*.1.2.json"):
        lost.unlink()
    patch = bench.solve(DONE)
    assert (len(bench.asked), patch.stop, patch.cost_usd) == (1, Stop.ANSWERED, None)
    assert "the run ended while the answer was awaited" in patch.detail


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        *((wire, "cut") for wire in WIRES),
        *((wire, "overload_in_stream") for wire in WIRES),
        ("messages", "reset"),
        ("messages", "error"),
    ],
)
def test_failures_are_passed_on_counted_and_asked_again_by_the_agent(
    bench: Bench, wire: str, kind: Any
) -> None:
    """An agent would take a stream that ends politely for an answer: it is broken off instead."""
    broken = Behaviour(kind=kind, status=529)
    patch = bench.solve(broken, FIX, DONE, wire=wire, STREAM="1", TRIES=2)
    assert patch.stop is Stop.ANSWERED
    failure = bench.kept("1.1.failed-1")
    assert (failure["cost_usd"] == "0") is (kind == "error")
    assert ("verloaded" in failure["error"]) is (kind == "overload_in_stream")
    assert bench.kept("1.1")["text"] == FIX.text
    assert len(bench.asked) == 3


def test_what_fails_for_good_is_the_providers(bench: Bench) -> None:
    patch = bench.solve(Behaviour(kind="error", status=503, message="sorry"), TRIES=2)
    assert (patch.stop, patch.cost_usd) == (Stop.PROVIDER_FAILED, Decimal(0))
    assert "503" in patch.detail
    assert "sorry" in patch.detail


def test_a_rejected_key_ends_the_run(bench: Bench) -> None:
    with pytest.raises(UsageError, match="401"):
        bench.solve(Behaviour(kind="error", status=401, message=f"bad key {KEY}"))
    assert KEY not in str(bench.kept("1.1.failed-1"))


def test_limits_are_held_on_the_way_out(bench: Bench) -> None:
    patch = bench.solve(FIX, agent_limits=AgentLimits(steps=1))
    assert (patch.stop, patch.detail) == (Stop.ANSWERED, "stopped after 1 steps")
    assert len(bench.asked) == 1
    dear = AgentLimits(usd=Decimal("0.005"))
    other = bench.solve(FIX, agent_limits=dear, exchanges=bench.folder / "other")
    assert (other.stop, other.detail) == (Stop.ANSWERED, "stopped after $0.0100")


def test_the_budget_is_held_on_the_way_out(bench: Bench) -> None:
    patch = bench.solve(FIX, budget=Budget(Decimal("0.005")))
    assert patch.stop is Stop.OVER_BUDGET
    assert bench.asked == []


def test_a_question_may_be_written_to_a_cache_at_worst(bench: Bench) -> None:
    """What was set aside left out that writing to a cache costs more than reading anew."""
    prices = {WIRES["messages"][1]: replace(PRICE, cache_write_usd_per_mtok=Decimal(5000))}
    patch = bench.solve(FIX, budget=Budget(Decimal("0.5")), prices=prices)
    assert (patch.stop, bench.asked) == (Stop.OVER_BUDGET, [])


def test_a_secret_in_an_answer_does_not_come_in(bench: Bench) -> None:
    plan = (Behaviour(text=f"echo '{KEY}' > leaked"), DONE)
    patch = bench.solve(*plan, STREAM="0")
    assert "+***" in patch.diff
    assert KEY not in bench.asked[1].text


NOT_LET_OUT: list[tuple[str, dict[str, Any], str]] = [
    ("messages", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search"),
    ("messages", {"mcp_servers": [{"url": "https://x"}], "speed": "fast"}, "mcp_servers"),
    ("chat", {"web_search_options": {}, "n": 5}, "web_search"),
    ("responses", {"tools": [{"type": "web_search"}], "previous_response_id": "r"}, "previous"),
    ("responses", {"background": True, "service_tier": "priority"}, "priority"),
    ("generate", {"tools": [{"googleSearch": {}}], "cachedContent": "c"}, "googleSearch"),
]


@pytest.mark.parametrize(("wire", "more", "word"), NOT_LET_OUT)
def test_what_is_not_let_out(bench: Bench, wire: str, more: dict[str, Any], word: str) -> None:
    """A model that searches the web finds the fix: a container without network had one."""
    patch = bench.solve(FIX, DONE, wire=wire, MORE=json.dumps(more))
    assert patch.stop is Stop.ANSWERED
    for asked in bench.asked:
        assert word not in asked.text
        assert not set(more) & set(asked.body)


IMAGE = {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "http"}}]}
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("messages", {"messages": [IMAGE]}),
    ("chat", {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "http"}}]}]}),
    ("responses", {"input": [{"content": [{"type": "input_file", "file_url": "http"}]}]}),
    ("responses", {"input": [{"type": "item_reference", "id": "x"}]}),
    ("generate", {"contents": [{"parts": [{"fileData": {"fileUri": "http"}}]}]}),
    ("messages", {"max_tokens": "many"}),
]


@pytest.mark.parametrize(("wire", "more"), REFUSED)
def test_what_is_refused(bench: Bench, wire: str, more: dict[str, Any]) -> None:
    patch = bench.solve(FIX, DONE, wire=wire, MORE=json.dumps(more))
    assert patch.stop is Stop.ENVIRONMENT_BROKEN
    assert "HTTPError" in patch.detail
    assert bench.asked == []


def test_a_command_that_is_not_there(bench: Bench) -> None:
    commands = {"tiny": Command(run="no-such-agent")}
    patch = bench.solve(FIX, commands=commands)
    assert patch.stop is Stop.ENVIRONMENT_BROKEN
    assert "127" in patch.detail
    with pytest.raises(UsageError, match=r"no \[commands.tiny\] in the settings; known: other"):
        bench.solve(FIX, commands={"other": Command(run="x")})


def test_an_agent_and_a_service_that_do_not_understand_each_other(bench: Bench) -> None:
    """It was installed and started, to find out that nothing it asks is let out."""
    words = "tiny speaks OpenAI's Responses alone, and anthropic does not"
    with pytest.raises(UsageError, match=words):
        bench.entrant("messages", "http://127.0.0.1:9", {}, commands={"tiny": COMMANDS["codex"]})


def test_the_estimate_is_a_bound(bench: Bench) -> None:
    entrant = bench.entrant("messages", "http://127.0.0.1:9", {}, agent_limits=AgentLimits(steps=2))
    assert isinstance(entrant, CommandLine)
    step = Decimal(5) + 16_000 * Decimal(25) / 1_000_000  # a window of a million tokens
    assert estimate(entrant, make_task(), CALC) == Estimate(Decimal(0), 2 * step)
    unknown = bench.entrant("chat", "http://127.0.0.1:9", {})
    assert estimate(unknown, make_task(), CALC) is None
