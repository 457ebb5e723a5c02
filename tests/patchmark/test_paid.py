"""Paid models through the whole program, against loopback servers under the real SDKs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.command_line import patchmark
from support.fake_anthropic import FakeAnthropic
from support.fake_google import FakeGoogle
from support.loopback import Asked, Behaviour, Plan
from support.sample import EXCHANGES, ISSUES, sample

pytestmark = pytest.mark.docker
OPUS, FLASH = "anthropic:claude-opus-4-8+repair=off", "google:gemini-3.5-flash+repair=off"
SOLVED, FAILED = "eb6941e4e6e6", "8b050132daca"
"""What the recorded `careful` answer to the task came to."""


def as_recorded(asked: Asked, _: int) -> Behaviour:
    """Answer like the recording of the task that the prompt is about."""
    task = SOLVED if "prints tracebacks" in asked.text else FAILED
    if "Round what max_units" in asked.text:
        task = "b4af4ddfb058"
    recorded = json.loads((EXCHANGES / "careful" / f"{task}.1.1.json").read_text())
    return Behaviour(text=recorded["text"], input_tokens=4000, output_tokens=1000)


@pytest.fixture
def servers() -> Iterator[tuple[FakeAnthropic, FakeGoogle]]:
    with FakeAnthropic(as_recorded) as anthropic, FakeGoogle(as_recorded) as google:
        yield anthropic, google


class Team:
    """Someone with keys who runs two models on the sample repository."""

    def __init__(self, tmp_path: Path, servers: tuple[FakeAnthropic, FakeGoogle], proofs: Path):
        self.folder = tmp_path
        self.proofs = proofs
        self.repository = sample(tmp_path)
        self.servers = servers

    def run(self, *more: str | Path, out: str = "out", code: int = 0) -> dict[str, Any]:
        done = patchmark(
            self.folder, "run", "--repo", self.repository, "--out", out, "--issues", ISSUES,
            "--models", f"{OPUS},{FLASH}", "--max-tasks", "3", "--json", *more,
            ANTHROPIC_API_KEY="sk-ant-secret-1", GEMINI_API_KEY="secret-key-2",
            ANTHROPIC_BASE_URL=self.servers[0].url, GOOGLE_GEMINI_BASE_URL=self.servers[1].url,
            XDG_CACHE_HOME=str(self.proofs),
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        report = json.loads(done.stdout)
        return {entrant["name"]: entrant for entrant in report["entrants"]}

    def dry_run(self, *more: str) -> dict[str, Any]:
        done = patchmark(
            self.folder, "run", "--repo", self.repository, "--out", "out", "--issues", ISSUES,
            "--models", f"{OPUS},{FLASH}", "--max-tasks", "3", "--dry-run", "--json", *more,
            ANTHROPIC_API_KEY="sk-ant-secret-1", GEMINI_API_KEY="secret-key-2",
            ANTHROPIC_BASE_URL=self.servers[0].url, GOOGLE_GEMINI_BASE_URL=self.servers[1].url,
            XDG_CACHE_HOME=str(self.proofs),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return {row["entrant"]: row for row in json.loads(done.stdout)}

    @property
    def calls(self) -> int:
        return sum(len(server.asked) for server in self.servers)


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that all share: the tasks are the same, and proven once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def team(tmp_path: Path, servers: tuple[FakeAnthropic, FakeGoogle], proofs: Path) -> Team:
    return Team(tmp_path, servers, proofs)


def after_the_others(verdicts: Path) -> Plan:
    """A service that answers nothing before all of another's patches are judged."""

    def plan(asked: Asked, number: int) -> Behaviour:
        deadline = time.monotonic() + 300
        while not verdicts.exists() or len(verdicts.read_text().splitlines()) < 3:
            assert time.monotonic() < deadline, "one service waits for another, or judges for both"
            time.sleep(0.05)
        return as_recorded(asked, number)

    return plan


def test_two_models_are_asked_once_judged_and_priced(team: Team) -> None:
    team.servers[1].plan = after_the_others(team.folder / "out" / "verdicts.jsonl")
    before = team.dry_run()
    assert team.calls == 0
    found = team.run()
    assert team.calls == 6
    for name, row in before.items():
        assert (row["to_ask"], row["likely_usd"], row["so_far_usd"]) == (3, None, "0")
        # The server here counts fewer tokens than the prompt has, so it tells of the cap alone.
        assert 0 < Decimal(row["least_usd"]) < Decimal(row["most_usd"])
        assert Decimal(found[name]["cost_usd"]) < Decimal(row["most_usd"])
    after = team.dry_run("--max-tasks", "4")
    assert {row["to_ask"] for row in after.values()} == {1}
    assert Decimal(after[OPUS]["likely_usd"]) == Decimal("0.045")
    assert team.calls == 6
    for name, price in ((OPUS, "0.045"), (FLASH, "0.015")):
        # $5 and $25, $1.50 and $9 per million tokens, 4,000 in and 1,000 out, three tasks.
        assert Decimal(found[name]["cost_usd"]) == 3 * Decimal(price)
        assert (found[name]["passed"], found[name]["scored"]) == (1, 3)
        assert found[name]["seconds_p50"] > 0
        assert not found[name]["replayed"]
    # A second run pays nothing; neither does one that lost its records but not its exchanges.
    team.run()
    (team.folder / "out" / "patches.jsonl").unlink()
    again = team.run()
    assert team.calls == 6
    assert again[OPUS]["cost_usd"] == found[OPUS]["cost_usd"]


def test_old_answers_are_judged_again_from_a_replay(team: Team) -> None:
    first = team.run("--record", team.folder / "kept")
    second = team.run("--replay", team.folder / "kept", out="out-2")
    assert team.calls == 6
    assert second[OPUS]["replayed"]
    assert second[OPUS]["passed"] == first[OPUS]["passed"]
    assert second[OPUS]["cost_usd"] == first[OPUS]["cost_usd"]


def rewriting(asked: Asked, number: int) -> Behaviour:
    """Write any statement anew, and solve as recorded."""
    if "Rewrite the material below" not in asked.text:
        return as_recorded(asked, number)
    text = "Dates go wrong\n\n`sundial` gives 3 days where 4 are expected."
    return Behaviour(text=text, input_tokens=4000, output_tokens=1000)


def test_statements_are_rewritten_once_and_their_cost_is_told(team: Team) -> None:
    team.servers[1].plan = rewriting
    team.run("--rewrite-with", FLASH)
    report = json.loads((team.folder / "out" / "report.json").read_text())
    assert (report["rewriter"], Decimal(report["rewriting_usd"])) == (FLASH, 3 * Decimal("0.015"))
    assert {task["statement_source"] for task in report["tasks"]} == {"rewritten"}
    assert {task["title"] for task in report["tasks"]} == {"Dates go wrong"}
    assert team.calls == 9
    assert all("Dates go wrong" in asked.text for asked in team.servers[0].asked)
    team.run("--rewrite-with", FLASH)
    assert team.calls == 9
    # Without it the originals are asked about, which nobody has answered yet.
    team.run()
    report = json.loads((team.folder / "out" / "report.json").read_text())
    assert (report["rewriter"], team.calls) == (None, 15)
    assert "rewritten" not in {task["statement_source"] for task in report["tasks"]}


def test_what_is_kept_apart_is_asked_for_and_told_apart(team: Team) -> None:
    """With limits that nothing meets, every task is apart: none is run unless that is asked for."""
    (team.repository / "patchmark.toml").write_text("[mine]\nmax-vagueness = 0\n")
    asked = ("--since", "2025-08-01")
    found = team.run(*asked, code=0)
    tasks = found[OPUS]["tasks"]
    before = team.calls
    assert before == 2 * tasks
    report = json.loads((team.folder / "out" / "report.json").read_text())
    apart = len(report["apart"])
    assert apart
    assert report["apart_entrants"] == []
    team.run(*asked, "--include-apart")
    report = json.loads((team.folder / "out" / "report.json").read_text())
    rows = {row["name"]: row["tasks"] for row in report["apart_entrants"]}
    assert 0 < rows[OPUS] <= apart
    assert team.calls == before + 2 * rows[OPUS]
    assert {row["name"]: row["tasks"] for row in report["entrants"]}[OPUS] == tasks


def test_the_cap_ends_the_run_in_order(team: Team) -> None:
    """One opus call may cost 0.40 $ and more at worst, so that 0.30 $ pays for none."""
    found = team.run("--budget-usd", "0.30")
    assert found[OPUS]["outcomes"]["over_budget"] == 3
    assert found[OPUS]["scored"] == 0
    assert sum(Decimal(row["cost_usd"]) for row in found.values()) <= Decimal("0.30")
    assert not team.servers[0].asked
    # With more money only what is missing is asked for.
    before = team.calls
    richer = team.run("--budget-usd", "20")
    assert richer[OPUS]["scored"] == 3
    assert team.calls == before + sum(
        row["outcomes"].get("over_budget", 0) for row in found.values()
    )


def test_a_provider_that_is_down_is_not_the_models_fault(team: Team) -> None:
    team.servers[0].plan = lambda *_: Behaviour(kind="error", status=529)
    found = team.run()
    assert found[OPUS]["outcomes"] == {"provider_failed": 3}
    assert found[OPUS]["pass_rate"] is None
    assert found[FLASH]["scored"] == 3
    team.servers[0].plan = as_recorded
    assert team.run()[OPUS]["scored"] == 3


def test_a_rejected_key_stops_the_run_and_is_not_printed(team: Team) -> None:
    team.servers[0].plan = lambda *_: Behaviour(kind="error", status=401)
    done = patchmark(
        team.folder, "run", "--repo", team.repository, "--models", OPUS, "--max-tasks", "3",
        ANTHROPIC_API_KEY="sk-ant-secret-1", ANTHROPIC_BASE_URL=team.servers[0].url,
    )  # fmt: skip
    assert done.returncode == 2
    assert "ANTHROPIC_API_KEY" in done.stderr or "key" in done.stderr
    assert "Traceback" not in done.stderr
    for path in (team.folder / "patchmark-run").rglob("*"):
        assert path.is_dir() or b"sk-ant-secret-1" not in path.read_bytes()
