"""The coding agents of the presets, as they are installed, on a model that is a loopback server."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from support.command_line import patchmark
from support.fake_whole import WholeAnthropic, WholeChat, WholeGoogle, WholeResponses
from support.loopback import Asked, Behaviour, Loopback, Plan
from support.sample import ISSUES, sample

from models.command_presets import COMMANDS

REAL = pytest.mark.skipif(
    not os.environ.get("PATCHMARK_REAL_AGENTS"),
    reason="installs 4 GB from package indexes: PATCHMARK_REAL_AGENTS=1",
)
KEY = "sk-ant-secret-1"
FAKES: dict[str, tuple[type[Loopback], str]] = {
    "anthropic:claude-opus-4-8": (WholeAnthropic, "ANTHROPIC_BASE_URL"),
    "google:gemini-3.5-flash": (WholeGoogle, "GOOGLE_GEMINI_BASE_URL"),
    "openai:gpt-5.5": (WholeResponses, "OPENAI_BASE_URL"),
    "server:qwen": (WholeChat, "PATCHMARK_SERVER_URL"),
}
TOOLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "claude-code": ("Bash", "command", {"description": "look"}),
    "gemini-cli": ("run_shell_command", "command", {"description": "look"}),
    "codex": ("exec_command", "cmd", {"yield_time_ms": 30_000}),
    "mini-swe-agent": ("bash", "command", {}),
}
"""By which tool each runs a command; aider has none, and takes blocks."""
LAST = {"mini-swe-agent": "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"}
LOOKS = (
    "python -c 'import sundial; print(len(sundial.__name__) * 1000)'; cat /proc/net/route | wc -l; "
    "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -i 'key=' | sort -u; "
    "grep -rls 'sk-ant-[s]ecret' /repo /tmp /home /patchmark /etc /opt/agent; echo looked"
)


def fixing(tasks: Path, agent: str) -> Plan:
    """A model that looks around, makes the real fix, and says that it is done."""

    def plan(asked: Asked, number: int) -> Behaviour:
        (task,) = [json.loads(line) for line in tasks.read_text().splitlines()]
        counts = {"input_tokens": 1000, "cached_tokens": 400, "output_tokens": 100}
        if agent not in TOOLS:
            return Behaviour(text=blocks(task["gold_patch"]), **counts)  # type: ignore[arg-type]
        tool, word, more = TOOLS[agent]
        assert f'"name": "{tool}"' in asked.text
        packed = base64.b64encode(task["gold_patch"].encode()).decode()
        # Gemini CLI refuses what holds backticks, as a diff may.
        fix = f"echo {packed} | base64 -d | git apply"
        command = (LOOKS, fix, LAST.get(agent))[min(number, 3) - 1]
        said = json.dumps({word: command, **more})
        calls = ((tool, said),) if command else ()
        return Behaviour(text="so", calls=calls, **counts)  # type: ignore[arg-type]

    return plan


def blocks(diff: str) -> str:
    """A diff as SEARCH/REPLACE blocks."""
    said = []
    for section in diff.split("diff --git ")[1:]:
        path = section.partition("+++ b/")[2].partition("\n")[0]
        for hunk in re.split(r"(?m)^@@ .*\n", section)[1:]:
            lines = [line or " " for line in hunk.splitlines()]
            old = "".join(line[1:] + "\n" for line in lines if line[0] in " -")
            new = "".join(line[1:] + "\n" for line in lines if line[0] in " +")
            said.append(f"{path}\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n")
    return "\n".join(said)


@REAL
@pytest.mark.docker
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("model", "agent"),
    [
        ("anthropic:claude-opus-4-8", "claude-code"),
        ("google:gemini-3.5-flash", "gemini-cli"),
        ("openai:gpt-5.5", "codex"),
        ("anthropic:claude-opus-4-8", "aider"),
        ("anthropic:claude-opus-4-8", "mini-swe-agent"),
        ("server:qwen", "mini-swe-agent"),
    ],
)
def test_a_preset_makes_a_known_fix(tmp_path: Path, model: str, agent: str) -> None:
    """Gemini CLI did not start, and aider asked what newer models refuse."""
    repository, out = sample(tmp_path), tmp_path / "out"
    fake, variable = FAKES[model]

    def run(to: Path, *more: str | Path, **env: str) -> dict[str, Any]:
        done = patchmark(
            tmp_path, "run", "--repo", repository, "--out", to, "--issues", ISSUES, "--models",
            f"{model}+command={agent}", "--max-tasks", "1", "--json", *more, timeout=580, **env,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (found,) = json.loads(done.stdout)["entrants"]
        return dict(found)

    with fake(fixing(out / "tasks.jsonl", agent)) as server:
        keys = dict.fromkeys(
            ("ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY", "PATCHMARK_SERVER_KEY"), KEY
        )
        found = run(out, **keys, **{variable: server.url})
        count = len(server.asked)
        offline = run(tmp_path / "again", "--replay", out)
    assert (found["passed"], found["scored"]) == (1, 1)
    assert (offline["passed"], offline["cost_usd"]) == (1, found["cost_usd"])
    assert len(server.asked) == count
    (patch,) = [json.loads(line) for line in (out / "patches.jsonl").read_text().splitlines()]
    usage = [patch["usage"][f"{name}_tokens"] for name in ("input", "cache_read", "output")]
    assert usage == [1000 * count, 400 * count, 100 * count]
    for asked in server.asked:
        assert KEY in f"{asked.headers.get('authorization')}{asked.headers.get('x-goog-api-key')}"
        assert KEY not in asked.text
    for path in out.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
    if agent in TOOLS:
        told = re.sub(r"\\+n", "\n", server.asked[1].text)
        assert "7000\n" in told
        assert told.count("looked") > 1  # the command, and what it printed
        assert re.search(r"\n1\n(?!\d)", told)  # no route
        assert set(re.findall("_API_KEY=([^\n]*)", told)) == {"patchmark"}


def test_each_preset_is_tried() -> None:
    """A preset was said to be there that nobody had ever started."""
    assert set(COMMANDS) == {*TOOLS, "aider"}
