"""Coding agents of others through the whole program: real containers, a loopback server."""

from __future__ import annotations

import json
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
        (task,) = [task for task in known if task["title"] in asked.text]
        said = sum(message["role"] == "assistant" for message in asked.body["messages"])
        fix = f"git apply <<'EOF'\n{task['gold_patch']}\nEOF\n"
        found: Behaviour = answer((LOOKS, fix)[said] if said < 2 else None)
        return found

    return plan


def run(
    tmp_path: Path, repository: Path, out: Path, name: str, *more: str | Path, **env: str
) -> dict[str, Any]:
    done = patchmark(
        tmp_path, "run", "--repo", repository, "--out", out, "--issues", ISSUES, "--models", name,
        "--max-tasks", "1", "--json", *more, timeout=280, **env,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (entrant,) = json.loads(done.stdout)["entrants"]
    found: dict[str, Any] = entrant
    return found


def test_a_teams_own_agent(tmp_path: Path) -> None:
    repository, out = sample(tmp_path), tmp_path / "out"
    configured(repository)
    name = "anthropic:claude-opus-4-8+command=tiny"

    def answer(command: str | None) -> Behaviour:
        return Behaviour(text=command or "DONE", output_tokens=100)

    with WholeAnthropic(fixing(out / "tasks.jsonl", answer)) as server:
        env = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url}
        found = run(tmp_path, repository, out, name, **env)
        again = run(tmp_path, repository, out, name, **env)
    assert len(server.asked) == 3
    assert (found["passed"], found["scored"]) == (1, 1)
    assert Decimal(found["cost_usd"]) == 3 * Decimal("0.0075")
    told = server.asked[1].body["messages"][2]["content"]
    assert " passed" in told
    assert told.endswith("looked\n.")
    assert KEY not in server.asked[1].text
    keys = {line.partition("=")[2] for line in told.splitlines() if "KEY=" in line}
    assert keys == {"patchmark"}
    assert "\n1\n" in told  # no route
    offline = run(
        tmp_path, repository, tmp_path / "again", name, "--replay", out,
        ANTHROPIC_BASE_URL="http://127.0.0.1:9",
    )  # fmt: skip
    for other in (again, offline):
        assert (other["passed"], other["cost_usd"]) == (found["passed"], found["cost_usd"])
    assert offline["replayed"]
    for path in out.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()


def test_a_real_agent(tmp_path: Path) -> None:
    """mini-swe-agent as its preset installs it, on a server that speaks chat completions."""
    repository, out = sample(tmp_path), tmp_path / "out"

    def answer(command: str | None) -> Behaviour:
        said = json.dumps({"command": command or "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"})
        return Behaviour(text="so", calls=(("bash", said),), output_tokens=100)

    with WholeChat(fixing(out / "tasks.jsonl", answer)) as server:
        found = run(
            tmp_path, repository, out, "server:qwen+command=mini-swe-agent",
            PATCHMARK_SERVER_URL=server.url, PATCHMARK_SERVER_KEY=KEY,
        )  # fmt: skip
    assert (found["passed"], found["scored"]) == (1, 1)
    assert len(server.asked) == 3
    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    assert all(asked.body["model"] == "qwen" for asked in server.asked)
    assert "looked" in server.asked[1].text
    assert KEY not in server.asked[1].text
