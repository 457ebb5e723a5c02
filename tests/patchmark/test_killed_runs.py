"""The whole program killed at random moments, and replayed: every strategy, batches, all opinions.

One run asks in all ways there are, a server counts; what is paid for is found on disk.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.command_line import command, environment
from support.fake_anthropic_batch import FakeAnthropicBatch
from support.fake_batches import Ways
from support.fake_whole import WholeChat
from support.loopback import Asked, Behaviour
from support.sample import EXCHANGES, ISSUES, sample

from core.opinion import CRITERIA

pytestmark = pytest.mark.docker
AGENT = (Path(__file__).parents[1] / "support/tiny_agent.py").read_text("utf-8")
QWEN, BATCHED = "server:qwen", "anthropic:claude-opus-4-8+repair=off"
MODELS = (
    QWEN,
    f"{QWEN}+long-context+window=200000",
    f"{QWEN}+agent+tools=on",
    f"{QWEN}+command=tiny",
    BATCHED,
)
KILLS, SEED = 5, 7
SCORES = dict.fromkeys(CRITERIA, 3)
EVEN = json.dumps({"A": SCORES, "B": SCORES, "better": "tie", "why": "alike"})
Key = tuple[str, str, int]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _recorded(task: str) -> str:
    text: str = json.loads((EXCHANGES / "careful" / f"{task}.1.1.json").read_text())["text"]
    return text


@dataclass
class Team:
    """Someone who compares all strategies on a task of the sample repository."""

    folder: Path
    repository: Path
    server: WholeChat
    batches: FakeAnthropicBatch
    out: Path

    def plan(self, asked: Asked, _: int) -> Behaviour:
        """A model that answers the same to the same, in each of its roles."""
        tasks = {task["id"]: task for task in rows(self.out / "tasks.jsonl")}
        titles = {json.dumps(t["title"], ensure_ascii=False)[1:-1]: t for t in tasks.values()}
        task = next((titles[title] for title in titles if title in asked.text), None)
        if task is None:  # the judge sees the statement alone, as it was written anew
            return Behaviour(text=EVEN, seconds=0.1)
        said = sum(message["role"] == "assistant" for message in asked.body["messages"])
        fix = f"git apply <<'EOF'\n{task['gold_patch']}\nEOF\n"
        text, calls = _recorded(task["id"]), tuple[tuple[str, str], ...]()
        if "# Patch A" in asked.text:
            text = EVEN
        elif "Rewrite the material below" in asked.text:
            text = f"{task['title']}\n\nThe same in other words."
        elif "from memory" in asked.text:
            text = task["gold_patch"]
        elif "tools" in asked.body:
            vain = json.dumps({"command": f"echo '# fixed' >> {task['source_files'][0]}"})
            text, calls = "so", ((("shell", vain), ("submit", "{}"))[said],)
        elif not asked.body.get("stream"):
            text = "DONE" if said else fix
        return Behaviour(text=text, calls=calls, seconds=0.1)

    def words(self, out: Path, *more: str | Path) -> list[str]:
        return command(
            "run", "--repo", self.repository, "--out", out, "--issues", ISSUES, "--models",
            ",".join(MODELS), "--max-tasks", "1", "--batch", "--probe",
            "--batch-wait", "0.02", "--judge-model", QWEN, "--rewrite-with", QWEN, *more,
        )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        return environment(
            self.folder, ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=self.batches.url,
            PATCHMARK_SERVER_URL=self.server.url, PATCHMARK_SERVER_KEY="k",
        )  # fmt: skip

    def start(self, out: Path, *more: str | Path) -> subprocess.Popen[str]:
        self.out = out
        return subprocess.Popen(
            self.words(out, *more), cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, out: Path, *more: str | Path) -> None:
        with self.start(out, *more) as process:
            _, told = process.communicate(timeout=240)
        assert process.returncode == 0, told

    @property
    def asked(self) -> int:
        """All that was paid for so far."""
        return len(self.server.asked) + len(self.batches.questions)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """With a finished run that nothing disturbed, in `first`, recorded in `kept`."""
    folder = tmp_path_factory.mktemp("killed")
    repository = sample(folder)
    run = json.dumps(f"python3 -I - <<'EOF'\n{AGENT}\nEOF\n")
    settings = f'[commands.tiny]\nrun = {run}\nvariables = {{ WIRE = "chat" }}\n[prices."{QWEN}"]\n'
    settings += "input = 5\noutput = 25\n[limits]\nvalidation-runs = 1\n"
    (repository / "patchmark.toml").write_text(settings)
    ways = Ways(text=_recorded("eb6941e4e6e6"), at_once=True, direct=400)
    with ExitStack() as stack:
        server, batches = WholeChat(), FakeAnthropicBatch(ways)
        found = Team(folder, repository, server, batches, folder / "first")
        server.plan = found.plan
        stack.enter_context(server)
        stack.enter_context(batches)
        found.run(folder / "first", "--record", folder / "kept")
        yield found


def patches(out: Path) -> dict[Key, tuple[str, str]]:
    return {key(r): (r["stop"], r["diff"]) for r in rows(out / "patches.jsonl")}


def verdicts(out: Path) -> dict[Key, str]:
    return {key(r): r["outcome"] for r in rows(out / "verdicts.jsonl")}


def key(row: dict[str, Any]) -> Key:
    return row["task_id"], row["entrant"], row["attempt"]


def answers(out: Path) -> dict[str, bytes]:
    """What is paid for, by its place."""
    found = (out / "exchanges").glob("*/*.json")
    kept = (p for p in found if ".request." not in p.name and ".failed-" not in p.name)
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in kept}


def prepared(team: Team, name: str, *more: str) -> Path:
    """A run folder with what mining and proving left in the first, and what else is named."""
    first, out = team.folder / "first", team.folder / name
    out.mkdir()
    for known in ("candidates.jsonl", "dropped.jsonl", *more):
        shutil.copy(first / known, out)
    tasks = [task for task in rows(first / "tasks.jsonl") if not task["original_statement"]]
    (out / "tasks.jsonl").write_text("".join(f"{json.dumps(task)}\n" for task in tasks))
    return out


def under_way(out: Path) -> int:
    """Questions that were asked, or about to be, and have neither answer nor failure on disk."""
    found = 0
    for path in (out / "exchanges").glob("*/*.request.json"):
        sent = json.loads(path.read_text())
        stem = path.name.removesuffix(".request.json")
        ends = (f"{stem}.json", f"{stem}.failed-{sent['number']}.json")
        found += sent["batch"] is None and not any((path.parent / end).exists() for end in ends)
    return found


def an_hour_later(out: Path, batches: FakeAnthropicBatch) -> None:
    """What never arrived is looked for during minutes, which no test can wait for."""
    arrived = {number for batch in batches.batches for number in batch.questions}
    for path in (out / "exchanges").glob("*/*.batch"):
        batch = json.loads(path.read_text())
        if batch["sent_at"] and not arrived & {item["id"] for item in batch["items"]}:
            before = datetime.fromisoformat(batch["sent_at"]) - timedelta(hours=1)
            path.write_text(json.dumps({**batch, "sent_at": before.isoformat()}))


def killed(team: Team, out: Path, chance: random.Random) -> None:
    """Begin a run and kill it some calls and some time later."""
    until = team.asked + chance.randint(1, 2)
    deadline = time.monotonic() + 200
    with team.start(out) as process:
        try:
            while team.asked < until and process.poll() is None:
                assert time.monotonic() < deadline, f"the run stands still; seed {SEED}"
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.1))
        finally:
            process.kill()
    time.sleep(0.3)  # what was on its way arrives


def test_killed_at_random_moments_no_finished_call_is_repeated(team: Team) -> None:
    """And at most what was under way is paid again; verdicts are those of a run in peace."""
    first, out = team.folder / "first", prepared(team, "killed")
    chance, before, batched = random.Random(SEED), team.asked, len(team.batches.questions)  # noqa: S311
    lost, midway, kept = 0, 0, dict[str, bytes]()
    for _ in range(KILLS):
        killed(team, out, chance)
        now = answers(out)
        assert {place: now.get(place) for place in kept} == kept, f"seed {SEED}"
        kept, lost = now, lost + under_way(out)
        midway += len(now) < len(answers(first))
        an_hour_later(out, team.batches)
    team.run(out)
    last = answers(out)
    assert midway >= 2, f"killed too late; seed {SEED}"
    assert {place: last.get(place) for place in kept} == kept, f"seed {SEED}"
    assert last.keys() == answers(first).keys()
    assert len(last) <= team.asked - before <= len(last) + lost, f"seed {SEED}"
    assert len(team.batches.questions) - batched == 1, f"seed {SEED}"
    assert (patches(out), verdicts(out)) == (patches(first), verdicts(first)), f"seed {SEED}"
    costs = {key(row): row["cost_usd"] for row in rows(first / "patches.jsonl")}
    for row in rows(out / "patches.jsonl"):
        failed = any(".failed-" in name for name in row["exchanges"])
        assert row["cost_usd"] == (None if failed else costs[key(row)]), f"seed {SEED}"


def test_what_was_recorded_is_replayed_without_a_call(team: Team) -> None:
    """Each strategy's patch, each rewriting, probe and opinion, to the byte and to the cent."""
    first, asked, direct = team.folder / "first", team.asked, len(team.batches.direct)
    assert sorted(set(verdicts(first).values())) == ["failed", "passed"]
    out = prepared(team, "replayed", "verdicts.jsonl")
    team.run(out, "--replay", team.folder / "kept")
    assert (team.asked, len(team.batches.direct)) == (asked, direct)
    assert answers(out) == answers(first)
    assert patches(out) == patches(first)
    # Judged again is only what differs.
    assert (out / "verdicts.jsonl").read_bytes() == (first / "verdicts.jsonl").read_bytes()
    for name in ("patches", "opinions", "tasks"):
        told = [sorted(map(_what, rows(folder / f"{name}.jsonl"))) for folder in (first, out)]
        assert told[0] == told[1], name
    assert all(row["replayed"] for row in rows(out / "patches.jsonl"))


def _what(row: dict[str, Any]) -> str:
    """A record without what may differ, in an order of its own."""
    return json.dumps({k: v for k, v in row.items() if k not in ("replayed", "seconds")})
