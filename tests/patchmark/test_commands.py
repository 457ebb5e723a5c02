"""Coding agents of others through the whole program: real containers, a loopback server."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.command_line import patchmark
from support.fake_whole import WholeAnthropic, WholeChat
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


def install() -> str:
    return f"mkdir -p /opt/agent && cat > /opt/agent/tiny.py <<'EOF'\n{AGENT}\nEOF"


def fixing(tasks: Path, answer: Any) -> Plan:
    """A model that looks around, makes the real fix, and says that it is done."""

    def plan(asked: Asked, _: int) -> Behaviour:
        known = [json.loads(line) for line in tasks.read_text().splitlines()]
        (task,) = [task for task in known if json.dumps(task["title"])[1:-1] in asked.text]
        said = sum(message["role"] == "assistant" for message in asked.body["messages"])
        fix = f"git apply <<'EOF'\n{task['gold_patch']}\nEOF\n"
        found: Behaviour = answer((LOOKS, fix)[said] if said < 2 else None)
        return found

    return plan


def ours(command: str | None) -> Behaviour:
    return Behaviour(text=command or "DONE", output_tokens=100)


def theirs(command: str | None) -> Behaviour:
    said = json.dumps({"command": command or "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"})
    return Behaviour(text="so", calls=(("bash", said),), output_tokens=100)


def test_a_teams_own_agent_and_a_real_one(tmp_path: Path) -> None:
    """mini-swe-agent as its preset installs it, on chat completions; ours on Anthropic's API."""
    repository, out = sample(tmp_path), tmp_path / "out"
    configured(repository)
    models = "anthropic:claude-opus-4-8+command=tiny,server:qwen+command=mini-swe-agent"

    def run(to: Path, *more: str | Path, **env: str) -> list[dict[str, Any]]:
        done = patchmark(
            tmp_path, "run", "--repo", repository, "--out", to, "--issues", ISSUES, "--models",
            models, "--max-tasks", "1", "--json", *more, timeout=280, **env,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)["entrants"]
        return found

    known = out / "tasks.jsonl"
    with (
        WholeAnthropic(fixing(known, ours)) as anthropic,
        WholeChat(fixing(known, theirs)) as chat,
    ):
        found = run(
            out, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=anthropic.url,
            PATCHMARK_SERVER_URL=chat.url, PATCHMARK_SERVER_KEY=KEY,
        )  # fmt: skip
    offline = run(tmp_path / "again", "--replay", out)
    for one, other in zip(found, offline, strict=True):
        assert (one["passed"], one["scored"]) == (other["passed"], other["scored"]) == (1, 1)
        assert one["cost_usd"] == other["cost_usd"]
        assert other["replayed"]
    assert Decimal(found[0]["cost_usd"]) == 3 * Decimal("0.0075")
    assert (len(anthropic.asked), len(chat.asked)) == (3, 3)
    for asked in (*anthropic.asked, *chat.asked):
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in asked.text
    seen = (anthropic.asked[1].body["messages"][2], chat.asked[1].body["messages"][-1])
    for told in (message["content"].replace("\\n", "\n") for message in seen):
        assert " passed" in told
        assert "looked" in told
        assert "\n1\n" in told  # no route
        keys = re.findall("KEY=([^\n]*)", told)
        assert set(keys) == {"patchmark"}
    for path in out.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
