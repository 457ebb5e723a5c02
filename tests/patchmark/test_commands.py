"""Coding agents of others through the whole program: real containers, a loopback server."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.command_line import patchmark
from support.fake_whole import WholeAnthropic
from support.loopback import Asked, Behaviour, Plan
from support.sample import ISSUES, sample

pytestmark = pytest.mark.docker
AGENT = (Path(__file__).parents[1] / "support/tiny_agent.py").read_text("utf-8")
KEY = "sk-ant-secret-1"
LOOKS = (
    "python -m pytest -q 2>&1 | tail -1; cat /proc/net/route | wc -l;"
    "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -i 'key=' | sort -u;"
    "grep -rls 'sk-ant-[s]ecret' /repo /tmp /home /patchmark /etc /opt/agent; echo looked"
)


def configured(repository: Path) -> None:
    """The tiny agent as a team's own."""
    lines = ["[commands.tiny]", f"install = [{json.dumps(install())}]"]
    lines += ['run = "python3 -I /opt/agent/tiny.py"', 'variables = { WIRE = "messages" }']
    (repository / "patchmark.toml").write_text("\n".join(lines) + "\n")


BAD = {
    "missing": "no-such-agent",
    "failing": "python3 -I /opt/agent/tiny.py; exit 3",
    "slow": "python3 -I /opt/agent/tiny.py; echo 1 > made.txt; sleep 600",
    "filling": "python3 -I /opt/agent/tiny.py; head -c 200M /dev/zero > /tmp/big; sleep 600",
    "reaching": "python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 443), 5)'",
    "elsewhere": "python3 -c 'import os, urllib.request as u; "
    'u.urlopen(os.environ["ANTHROPIC_BASE_URL"] + "/v1/files")\'',
}
ENDS = {
    "missing": ("environment_broken", r"ended with 127: .*no-such-agent: not found", 0),
    "failing": ("empty", r"ended with 3; nothing changed", 1),
    "slow": ("answered", r"stopped after 12 s", 1),
    "filling": ("empty", r"workbench was ended: it .*64 MiB", 1),
    "reaching": ("environment_broken", r"ended with 1: .*Network is unreachable", 0),
    "elsewhere": ("environment_broken", r"404.*; GET /v1/files is not let out", 0),
}
"""How each of them ends, in which words, and after how many questions that are paid."""


def test_bad_agents_end_each_in_its_own_words(tmp_path: Path) -> None:
    """One that was told what it asks is not let out was said to have asked nothing."""
    repository, out = sample(tmp_path), tmp_path / "out"
    lines = ["[limits]", "disk-mib = 64", "validation-runs = 1", "[agent]", "seconds = 12"]
    for name, command in BAD.items():
        lines += [f"[commands.{name}]", f"install = [{json.dumps(install())}]"]
        lines += [f"run = {json.dumps(command)}", 'variables = { WIRE = "messages" }']
    (repository / "patchmark.toml").write_text("\n".join(lines) + "\n")
    models = [f"anthropic:claude-opus-4-8+command={name}" for name in BAD]
    with WholeAnthropic(lambda *_: ours(None)) as server:
        done = patchmark(
            tmp_path, "run", "--repo", repository, "--out", out, "--issues", ISSUES, "--models",
            ",".join(models), "--max-tasks", "1", "--json", "--budget-usd", "5",
            ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=server.url,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kept = [json.loads(line) for line in (out / "patches.jsonl").read_text().splitlines()]
    patches = {patch["entrant"].rpartition("=")[2]: patch for patch in kept}
    for name, (stop, words, asked) in ENDS.items():
        patch = patches[name]
        assert (patch["stop"], Decimal(patch["cost_usd"])) == (stop, asked * Decimal("0.0075"))
        assert re.search(words, patch["detail"]), patch["detail"]
    assert len(server.asked) == 3


def install() -> str:
    return f"mkdir -p /opt/agent && cat > /opt/agent/tiny.py <<'EOF'\n{AGENT}\nEOF"


def fixing(tasks: Path) -> Plan:
    """A model that looks around, makes the real fix, and says that it is done."""

    def plan(asked: Asked, _: int) -> Behaviour:
        known = [json.loads(line) for line in tasks.read_text().splitlines()]
        (task,) = [task for task in known if json.dumps(task["title"])[1:-1] in asked.text]
        said = sum(message["role"] == "assistant" for message in asked.body["messages"])
        fix = f"git apply <<'EOF'\n{task['gold_patch']}\nEOF\n"
        return ours((LOOKS, fix)[said] if said < 2 else None)

    return plan


def ours(command: str | None) -> Behaviour:
    return Behaviour(text=command or "DONE", output_tokens=100)


def test_an_agent_of_others(tmp_path: Path) -> None:
    repository, out = sample(tmp_path), tmp_path / "out"
    configured(repository)

    def run(to: Path, *more: str | Path, **env: str) -> dict[str, Any]:
        done = patchmark(
            tmp_path, "run", "--repo", repository, "--out", to, "--issues", ISSUES, "--models",
            "anthropic:claude-opus-4-8+command=tiny", "--max-tasks", "1", "--json", *more,
            timeout=580, **env,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (found,) = json.loads(done.stdout)["entrants"]
        return dict(found)

    with WholeAnthropic(fixing(out / "tasks.jsonl")) as server:
        found = run(out, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=server.url)
    offline = run(tmp_path / "again", "--replay", out)
    assert (found["passed"], found["scored"]) == (1, 1)
    assert (offline["passed"], offline["cost_usd"]) == (1, found["cost_usd"])
    assert offline["replayed"]
    assert Decimal(found["cost_usd"]) == 3 * Decimal("0.0075")
    assert len(server.asked) == 3
    for asked in server.asked:
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in asked.text
    told = server.asked[1].body["messages"][-1]["content"].replace("\\n", "\n")
    assert " passed" in told
    assert "looked" in told
    assert "\n1\n" in told  # no route
    assert set(re.findall("KEY=([^\n]*)", told)) == {"patchmark"}
    for path in out.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
