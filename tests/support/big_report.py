"""A report of the size that the page is promised for: hundreds of tasks, patches and transcripts
as long as real ones. Invented throughout, and the same each time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from support.report_data import START, TITLES, facts, task

from core.report import Report
from core.types import Difficulty, Patch, Task
from reports.tally import tally
from reports.trail import AttemptTrail, Key, Spoken, Trail
from reports.trends import Trend

_MODELS = (
    "anthropic:claude-opus-4-8",
    "anthropic:claude-haiku-4-8",
    "google:gemini-3.5-pro",
    "google:gemini-3.5-flash",
    "openai:gpt-5.5+effort=high",
    "server:qwen3-coder-30b+agent",
)
_RATES = (0.71, 0.55, 0.66, 0.58, 0.73, 0.41)
_COSTS = (0.19, 0.021, 0.11, 0.013, 0.27, 0.0021)
_TEXT = """
account batch cache client column config cursor date default entry error field filter format group
handler header index item key label limit line lock merge message name node number offset order
owner page parser path price query range record region reply request result row scope session size
source stamp state store stream table target total unit user value window
"""
_WORDS = tuple(_TEXT.split())
_LINES = (
    "    {0} = self.{1}.get({2}, None)",
    "    if {0} is None or not {1}:",
    '        raise ValueError(f"unknown {0}: {{{1}}}")',
    "    for {0}, {1} in enumerate({2}):",
    "        {0}.append({1}[{2}])  # keeps the {1} as it came",
    "    return {0}.{1}({2}, {1}=42)",
    'def {0}_{1}({2}: str, {1}: int = 0) -> "Result":',
    "    with self.{0}_{1}() as {2}:",
    '        log.debug("%s of %s", {0}, {1}.{2})',
    "",
)


class Writer:
    """Invents code and prose; a pool, because a report of this size needs much of it."""

    def __init__(self, seed: int):
        self.random = Random(seed)  # noqa: S311 - no secret
        self._code = [self._line() for _ in range(4_000)]
        self._prose = " ".join(self.random.choices(_WORDS, k=20_000))

    def _line(self) -> str:
        return self.random.choice(_LINES).format(*self.random.sample(_WORDS, 3))

    def code(self, lines: int) -> list[str]:
        start = self.random.randrange(len(self._code) - lines)
        return self._code[start : start + lines]

    def prose(self, characters: int) -> str:
        start = self.random.randrange(len(self._prose) - characters)
        return self._prose[start : start + characters]

    def patch(self, files: tuple[str, ...]) -> str:
        return "".join(map(self._file, files))

    def _file(self, path: str) -> str:
        hunks = []
        for start in range(10, 10 + 60 * self.random.randint(1, 4), 60):
            before, after = self.code(3), self.code(3)
            old = self.code(self.random.randint(1, 6))
            new = [line.replace("self.", "self._") for line in old]
            new += self.code(self.random.randint(0, 5))
            lines = [f" {x}" for x in before] + [f"-{x}" for x in old]
            lines += [f"+{x}" for x in new] + [f" {x}" for x in after]
            sizes = f"-{start},{6 + len(old)} +{start},{6 + len(new)}"
            hunks.append(f"@@ {sizes} @@ class Store:\n" + "\n".join(lines) + "\n")
        return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{''.join(hunks)}"


def big(tasks: int = 300, entrants: int = 6) -> tuple[Report, Trail, list[Trend]]:
    """So many tasks × so many models, besides both baselines."""
    writer = Writer(7)
    names = [_MODELS[n] if n < len(_MODELS) else f"server:model-{n}" for n in range(entrants)]
    every = [task_of(number, writer) for number in range(tasks)]
    results = {"reference": "P" * tasks, "empty": "F" * tasks}
    for at, name in enumerate(names):
        weights = (100 * _RATES[at % 6], 22, 5, 3, 2, 1)
        results[name] = "".join(writer.random.choices("PFRNAV", weights, k=tasks))
    paths = {one.id: one.source_files for one in every}

    def adjust(patch: Patch) -> Patch:
        if patch.entrant not in names:
            return patch
        at = names.index(patch.entrant) % 6
        spread = writer.random.uniform(0.4, 2.2)
        text = writer.patch(paths[patch.task_id]) if patch.diff else ""
        cost, seconds = Decimal(f"{_COSTS[at] * spread:.5f}"), (40 + 30 * at) * spread
        return patch.model_copy(update={"diff": text, "cost_usd": cost, "seconds": seconds})

    run = facts(results, tasks=every, adjust=adjust)
    report = tally(replace(run, commits_seen=8 * tasks, candidates=2 * tasks))
    return report, _trail(run.tasks, [*run.patches.values()], names, writer), _trends(names, writer)


def task_of(number: int, writer: Writer) -> Task:
    title = f"{TITLES[number % len(TITLES)]} ({writer.prose(24)})"
    words = [writer.prose(writer.random.randint(60, 700)) for _ in range(3)]
    files = tuple(
        f"shop/{writer.random.choice(_WORDS)}/{writer.random.choice(_WORDS)}_{n}.py"
        for n in range(writer.random.randint(1, 3))
    )
    tests = tuple(f"tests/test_part_{number}.py::test_{w}" for w in writer.prose(60).split()[1:5])
    return task(
        number,
        title=title,
        statement="\n\n".join([title, *words, "    " + "\n    ".join(writer.code(8))]),
        gold_patch=writer.patch(files),
        source_files=files,
        fail_to_pass=tuple(dict.fromkeys(tests)),
        committed_at=START - timedelta(days=2 * number + 3),
        difficulty=Difficulty(
            files=len(files), hunks=4, lines=9 + number % 60, languages=("python",)
        ),
    )


def _trail(tasks: object, patches: object, names: list[str], writer: Writer) -> Trail:
    assert isinstance(tasks, list)
    assert isinstance(patches, list)
    attempts: dict[Key, AttemptTrail] = {}
    for patch in patches:
        if patch.entrant in names:
            calls = writer.random.randint(8, 20) if "agent" in patch.entrant else 1
            most = max(2_000, min(40_000, 12_000_000 // (len(tasks) * len(names))))
            room = most // calls // 2
            key = (patch.task_id, patch.entrant, patch.attempt)
            attempts[key] = AttemptTrail(
                calls=tuple(_call(n, calls, room, patch, writer) for n in range(calls)),
                test_seconds=writer.random.uniform(2, 40),
                applied="exact",
            )
    return Trail(fail_to_pass={one.id: one.fail_to_pass for one in tasks}, attempts=attempts)


def _call(number: int, calls: int, room: int, patch: Patch, writer: Writer) -> Spoken:
    seconds = (patch.seconds or 20) / calls
    return Spoken(
        asked=writer.prose(room),
        answered="\n".join(writer.code(max(2, room // 38))),
        left_out=4_000,
        waited=0.4 if number % 3 == 0 else 0,
        worked=1.5 if number else 0,
        first_token=seconds / 8,
        seconds=seconds,
        input_tokens=9_000 + 900 * number,
        output_tokens=700,
        cost_usd=patch.cost_usd / calls if patch.cost_usd is not None else None,
        file=f"exchanges/{patch.entrant.replace(':', '@')}/{patch.task_id}.1.{number + 1}.json",
    )


def _trends(names: list[str], writer: Writer) -> list[Trend]:
    found = []
    for week in range(8, 0, -1):
        for at, name in enumerate(names):
            share = min(0.97, max(0.03, _RATES[at % 6] + writer.random.uniform(-0.06, 0.06)))
            found.append(
                Trend(
                    made_at=START - timedelta(weeks=week),
                    head=f"{week:040x}",
                    entrant=name,
                    scored=100,
                    passed=round(100 * share),
                    low=max(0.0, share - 0.1),
                    high=min(1.0, share + 0.1),
                    cost_per_solve_usd=None,
                )
            )
    return found
