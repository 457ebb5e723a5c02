"""Agents through the whole program: real containers, a loopback server under the real SDK."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.command_line import patchmark
from support.fake_anthropic import FakeAnthropic
from support.loopback import Asked, Behaviour, Plan
from support.sample import ISSUES, sample

pytestmark = pytest.mark.docker
AGENT = "anthropic:claude-opus-4-8+agent"
RUNS_TESTS = "python -m pytest -q 2>&1 | tail -1; ls /patchmark; cat /proc/net/route | wc -l"


def call(tool: str, **arguments: Any) -> Behaviour:
    return Behaviour(text="so", calls=((tool, json.dumps(arguments)),), output_tokens=100)


def knows_the_fixes(tasks: Path) -> Plan:
    """A model that runs the tests, makes the real fix, spoils a test as well, and submits."""

    def plan(asked: Asked, _: int) -> Behaviour:
        known = [json.loads(line) for line in tasks.read_text().splitlines()]
        first = asked.body["messages"][0]["content"]
        (task,) = [task for task in known if task["title"] in first]
        spoilt = f"echo 'assert False' >> {task['test_files'][0]}"
        fix = f"git apply <<'EOF'\n{task['gold_patch']}\nEOF\n{spoilt}"
        steps = (call("shell", command=RUNS_TESTS), call("shell", command=fix), call("submit"))
        return steps[len(asked.body["messages"]) // 2]

    return plan


def test_an_agent_works_where_the_tests_can_be_run(tmp_path: Path) -> None:
    repository, out = sample(tmp_path), tmp_path / "out"

    def run(*more: str | Path, url: str, to: Path = out) -> dict[str, Any]:
        done = patchmark(
            tmp_path, "run", "--repo", repository, "--out", to, "--issues", ISSUES, "--models",
            AGENT, "--max-tasks", "1", "--json", *more,
            ANTHROPIC_API_KEY="sk-ant-secret-1", ANTHROPIC_BASE_URL=url,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (entrant,) = json.loads(done.stdout)["entrants"]
        found: dict[str, Any] = entrant
        return found

    with FakeAnthropic(knows_the_fixes(out / "tasks.jsonl")) as server:
        found = run(url=server.url)
        told = [asked.text for asked in server.asked if len(asked.body["messages"]) == 3]
        assert len(server.asked) == 3
        again = run(url=server.url)
        assert len(server.asked) == 3
    assert (found["passed"], found["scored"]) == (1, 1)
    assert Decimal(found["cost_usd"]) == 3 * Decimal("0.0075")
    for text in told:
        assert " passed" in text
        assert "sk-ant-secret-1" not in text
        assert r"git\ngiven\n" in text  # neither tests nor anything else of ours
    verdicts = [json.loads(line) for line in (out / "verdicts.jsonl").read_text().splitlines()]
    assert all(len(verdict["dropped_edits"]) == 1 for verdict in verdicts)
    offline = run("--replay", out, url="http://127.0.0.1:9", to=tmp_path / "again")
    for other in (again, offline):
        assert (other["passed"], other["cost_usd"]) == (found["passed"], found["cost_usd"])
    assert offline["replayed"]
