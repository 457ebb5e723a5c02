"""`--probe` through the program, without containers: `solve` and `report` need none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.calc_repo import CALC, CalcRepo, diff
from support.fake_anthropic import FakeAnthropic
from support.loopback import Asked, Behaviour
from support.tasks import FIX

from core.redact import NOTHING
from core.store import RunFolder
from core.types import Candidate, Environment, Task
from patchmark.cli import main

OPUS = "anthropic:claude-opus-4-8"
FIXED = CALC.replace(
    "    return a - b\n",
    "    # Grandma's abacus slides beads upwards.\n    beads = abacus(a).slide(b)\n"
    "    return beads\n",
    1,
)
GOLD = diff({"calc.py": FIXED})
COST = Decimal("0.010")  # 1,000 in at $5 and 200 out at $25 a million
ARGUMENTS = ("--models", f"reference,{OPUS}")


def plan(asked: Asked, _: int) -> Behaviour:
    """Knows the fix by heart, and solves in words of its own."""
    return Behaviour(text=GOLD if "from memory" in asked.text else FIX.replace("src/", ""))


class Team:
    """A run folder with one task that echoes and one that cannot, and a model's API."""

    def __init__(self, folder: Path, server: FakeAnthropic, capsys: pytest.CaptureFixture[str]):
        self.folder, self.server, self._printed = folder, server, capsys
        repo = CalcRepo.make(folder / "repo")
        candidates = [
            repo.candidate({"calc.py": FIXED}),
            repo.candidate(id="d" * 12, fix_commit="d" * 40),
        ]
        with RunFolder(folder / "out", NOTHING) as out:
            for candidate in candidates:
                out.append(candidate)
                out.append(_task(candidate))

    def call(self, command: str, *more: str) -> str:
        """What the command prints; in this process, to load the models' libraries once."""
        where = ("--out", f"{self.folder}/out", "--repo", f"{self.folder}/repo")
        assert main([command, *where, *ARGUMENTS, "--json", *more]) == 0
        return self._printed.readouterr().out

    def report(self) -> dict[str, Any]:
        # Nothing was judged here, which is no reason to trust the tasks less.
        found: dict[str, Any] = json.loads(self.call("report"))
        return found


def _task(candidate: Candidate) -> Task:
    return Task(
        **dict(candidate),
        fail_to_pass=("t",), pass_to_pass=(), image="sha256:0", test_command="pytest",
        results="lines", key="k",
        environment=Environment(recipe="files", toolchain="Python", cpus=1.0),
    )  # fmt: skip


@pytest.fixture
def team(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Team]:
    with FakeAnthropic(plan) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        yield Team(tmp_path, server, capsys)


def test_probes_are_asked_once_kept_and_reported(team: Team) -> None:
    team.call("solve", "--probe")
    assert len(team.server.asked) == 3, "two solutions, and one probe: one fix has no own words"
    kept = (team.folder / "out/probes.jsonl").read_text()
    (probe,) = map(json.loads, kept.splitlines())
    assert (probe["task_id"], probe["entrant"], probe["similarity"]) == ("c" * 12, OPUS, 1.0)
    team.call("solve", "--probe")
    team.call("solve")
    assert (team.folder / "out/probes.jsonl").read_text() == kept
    (team.folder / "out/probes.jsonl").unlink()
    team.call("solve")
    assert len(team.server.asked) == 3
    assert (team.folder / "out/probes.jsonl").read_text() == kept
    report = team.report()
    (row,) = report["memory"]
    assert (row["probed"], row["hits"], row["probes_usd"]) == (1, 1, str(COST))
    assert row["cutoff"]["stated"] == "2026-01"
    assert (row["echoes"], row["echo_median"], row["echo_high"]) == (1, 0.0, 0)
    costs = {row["name"]: Decimal(row["cost_usd"]) for row in report["entrants"]}
    assert costs == {"reference": 0, OPUS: 3 * COST}


def test_without_it_nobody_is_asked_and_a_file_can_ask_for_it(team: Team) -> None:
    team.call("solve")
    assert len(team.server.asked) == 2
    assert not (team.folder / "out/probes.jsonl").exists()
    settings = f'probe = true\n[cutoffs]\n"{OPUS}" = 2024-02-29\n'
    (team.folder / "repo/patchmark.toml").write_text(settings)
    team.call("solve")
    assert len(team.server.asked) == 3
    (row,) = team.report()["memory"]
    assert row["cutoff"] == {
        "day": "2024-02-29", "stated": "2024-02-29", "source": "patchmark.toml", "read_on": None,
    }  # fmt: skip
    assert row["hits"] == 1


def test_a_cap_ends_all_that_asks_in_order(team: Team) -> None:
    """Rewriting, solving and probing share it; with more money only what is missing is asked."""
    asks = ("solve", "--probe", "--rewrite-with", OPUS, "--budget-usd")
    # A worst case is $0.40 and its question, an answer costs $0.01: three are sent, at most.
    team.call(*asks, "0.43")
    before = len(team.server.asked)
    assert 1 <= before <= 3
    assert "over_budget" in stops(team, "patches")
    assert stops(team, "probes") == ["over_budget"]
    assert team.report()["entrants"]
    team.call(*asks, "9")
    assert len(team.server.asked) == 5
    assert stops(team, "patches")[-2:] == ["answered", "answered"]
    assert stops(team, "probes")[-1] == "answered"


def stops(team: Team, name: str) -> list[str]:
    lines = (team.folder / f"out/{name}.jsonl").read_text().splitlines()
    return [row["stop"] for row in map(json.loads, lines) if row["entrant"] == OPUS]
