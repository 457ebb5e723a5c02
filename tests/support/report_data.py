"""Runs for the tests of reports: built from records, counted by the real `tally`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.attempts import by_attempt
from core.confinement import Confinement
from core.types import (
    Call,
    Cause,
    Difficulty,
    Dropped,
    DropReason,
    Link,
    Outcome,
    Patch,
    Probe,
    StatementSource,
    Stop,
    Task,
    Verdict,
)
from reports.tally import Facts

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HEAD = "4f1c9a2be07d5b6c8e3a91f0d2c47b5e6a8f9013"
RULE = "closing keyword in the commit message"
FICTION = "written by hand to show what a report looks like"

TITLES = (
    "Totals ignore the discount of the last line",
    "parse_range() accepts an end before the start",
    "Cache key forgets the locale",
    "Unicode names are sorted by code point",
    "Retry-After given as a date crashes the client",
    "Empty CSV file raises IndexError",
    "Rounding of half cents differs between invoice and statement",
    "Time zone is lost when a meeting is copied",
    "--quiet still prints the banner",
    "Nested includes are resolved against the wrong folder",
    "Deleting a tag leaves its aliases behind",
    "Deadlock when two exports finish at once",
    "Relative redirects drop the query string",
    "Migration 0042 fails on an empty table",
)
CODES = {
    "P": (Outcome.PASSED, None),
    "F": (Outcome.FAILED, Cause.MODEL),
    "R": (Outcome.REGRESSED, Cause.MODEL),
    "N": (Outcome.NO_PATCH, Cause.MODEL),
    "A": (Outcome.DOES_NOT_APPLY, Cause.MODEL),
    "T": (Outcome.TIMED_OUT, Cause.MODEL),
    "E": (Outcome.ENVIRONMENT_BROKEN, Cause.ENVIRONMENT),
    "X": (Outcome.ENVIRONMENT_BROKEN, Cause.TASK),
    "V": (Outcome.PROVIDER_FAILED, Cause.PROVIDER),
    "B": (Outcome.OVER_BUDGET, Cause.PATCHMARK),
}
_STOPS = {
    "N": Stop.REFUSED,
    "A": Stop.MISPLACED,
    "V": Stop.PROVIDER_FAILED,
    "B": Stop.OVER_BUDGET,
}


def sha(*parts: object) -> str:
    """A commit id made from words."""
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()


def diff(path: str, old: str, new: str) -> str:
    """A small git diff."""
    return (
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -10,5 +10,5 @@ def run():\n"
        f"     items = load()\n-    {old}\n+    {new}\n     return items\n"
    )


def task(number: int, title: str | None = None, **changes: object) -> Task:
    """One proven task."""
    words = title if title is not None else TITLES[number % len(TITLES)]
    fix = sha("fix", number)
    values: dict[str, object] = {
        "id": fix[:12],
        "base_commit": sha("base", number),
        "fix_commit": fix,
        "committed_at": START - timedelta(days=9 * number + 3),
        "title": words,
        "statement": f"{words}.\n\nSeen with version 2.{number}:\n\n    shop report --all\n\n"
        "Expected the documented result, got something else.",
        "statement_source": StatementSource.ISSUE if number % 3 else StatementSource.COMMIT_MESSAGE,
        "links": (Link(issue=100 + number, rule=RULE),) if number % 3 else (),
        "pull_request": 200 + number if number % 2 else None,
        "labels": ("bug", "area: shop") if number % 3 else (),
        "leak": 0.125 if number % 4 == 0 else 0.0,
        "vagueness": 0.35,
        "difficulty": Difficulty(files=1, hunks=1, lines=2, languages=("python",), distance=2),
        "runner_files": ("tests/conftest.py",) if number % 5 == 0 else (),
        "gold_patch": diff(f"shop/part_{number}.py", "total = sum(items)", "total = net(items)"),
        "test_patch": diff(
            f"tests/test_part_{number}.py", "assert run() == 1", "assert run() == 2"
        ),
        "source_files": (f"shop/part_{number}.py",),
        "test_files": (f"tests/test_part_{number}.py",),
        "fail_to_pass": (f"tests/test_part_{number}.py::test_the_bug",),
        "pass_to_pass": tuple(f"tests/test_part_{number}.py::test_{n}" for n in range(12)),
        "image": "sha256:" + "0" * 64,
        "test_command": "python -m pytest",
        "results": "lines",
        "environment": {"recipe": "files", "toolchain": "Python 3.11.2", "cpus": 1.0},
        "key": "k",
    }
    return Task.model_validate(values | changes)


def patch(of: Task, entrant: str, attempt: int = 1, **changes: object) -> Patch:
    """One answer of a model: a small diff for a cent and a bit."""
    values: dict[str, object] = {
        "task_id": of.id,
        "entrant": entrant,
        "attempt": attempt,
        "diff": diff(
            of.source_files[0], "total = sum(items)", f"total = fixed(items)  # {entrant}"
        ),
        "stop": Stop.ANSWERED,
        "cost_usd": Decimal("0.0123"),
        "usage": None,
        "seconds": 12.5,
        "first_token_seconds": 0.8,
        "requested_model": entrant,
        "served_model": entrant,
    }
    return Patch.model_validate(values | changes)


def verdict(of: Task, entrant: str, letter: str, attempt: int = 1, **changes: object) -> Verdict:
    """One judgement; `letter` is a key of CODES."""
    outcome, cause = CODES[letter]
    file = of.test_files[0]
    values: dict[str, object] = {
        "task_id": of.id,
        "entrant": entrant,
        "attempt": attempt,
        "key": "k",
        "outcome": outcome,
        "cause": cause,
        "not_fixed": of.fail_to_pass if letter == "F" else (),
        "broken": (f"{file}::test_3", f"{file}::test_4") if letter == "R" else (),
        "detail": {"N": "the model refused", "A": "shop/total.py: no such place"}.get(letter, ""),
    }
    return Verdict.model_validate(values | changes)


def probe(of: Task, entrant: str, **changes: object) -> Probe:
    """One probe for a cent, answered with a diff that has nothing of the fix."""
    values: dict[str, object] = {
        "task_id": of.id,
        "entrant": entrant,
        "stop": Stop.ANSWERED,
        "similarity": 0.0,
        "cost_usd": Decimal("0.01"),
        "usage": None,
    }
    return Probe.model_validate(values | changes)


Adjust = Callable[[Patch], Patch]


def facts(
    results: dict[str, str], *, tasks: Sequence[Task] | None = None, adjust: Adjust | None = None
) -> Facts:
    """A run from one string an entrant, a letter a task (see CODES); `.` = never judged."""
    count = max((len(letters) for letters in results.values()), default=0)
    all_tasks = list(tasks) if tasks is not None else [task(n) for n in range(count)]
    patches, verdicts = [], []
    for name, letters in results.items():
        for one, letter in zip(all_tasks, letters, strict=True):
            if letter == ".":
                continue
            answer = patch(one, name, stop=_STOPS.get(letter, Stop.ANSWERED))
            if letter in _STOPS:
                answer = answer.model_copy(update={"diff": ""})
            if name in ("reference", "empty"):
                text = one.gold_patch if name == "reference" else ""
                free = {"cost_usd": Decimal(0), "seconds": None, "first_token_seconds": None}
                answer = answer.model_copy(update={"diff": text, **free})
            patches.append(adjust(answer) if adjust else answer)
            verdicts.append(verdict(one, name, letter))
    return Facts(
        repository="example/shop",
        head=HEAD,
        version="0.1.0",
        made_at=START,
        commits_seen=412,
        candidates=31,
        entrants=list(results),
        attempts=1,
        tasks=all_tasks,
        patches=by_attempt(patches),
        verdicts=by_attempt(verdicts),
        dropped=DROPPED,
        limits=LIMITS,
        sandbox=HELD,
    )


def drop(number: int, reason: DropReason, stage: str, title: str) -> Dropped:
    """One commit that is no task."""
    return Dropped.model_validate(
        {"commit": sha("drop", number), "title": title, "stage": stage, "reason": reason}
    )


DROPPED = (
    *(drop(n, DropReason.NO_TESTS, "mine", f"Tidy up module {n}") for n in range(214)),
    *(drop(300 + n, DropReason.BOT, "mine", f"Bump library to 1.{n}") for n in range(97)),
    *(drop(400 + n, DropReason.DOCUMENTATION, "mine", f"Describe option {n}") for n in range(70)),
    *(
        drop(n, DropReason.NO_FAIL_TO_PASS, "validate", f"Rename helper {n}")
        for n in range(600, 611)
    ),
    *(drop(n, DropReason.FLAKY, "validate", f"Wait for the queue ({n})") for n in range(700, 704)),
    *(drop(n, DropReason.TIMED_OUT, "validate", f"Faster import {n}") for n in range(800, 802)),
)
LIMITS = (
    "Only fixes that come with tests can become tasks; other work is not measured.",
    "The fixes are public; a model may have seen them while it was trained.",
)
HELD = Confinement(
    seconds=600, idle_seconds=300, memory_mib=4096, cpus=2, processes=512, disk_mib=4096,
    output_mib=256, network="none", user="10001", runtime="runc",
)  # fmt: skip

DEMO = {
    "reference": "PPPPPPPPPPPPPP",
    "empty": "FFFFFFFFFFFFFF",
    "replay:careful": "PPPPPFPPRPPFBP",
    "replay:hasty": "PFPRPFPPNPAFPP",
}


def demo(**changes: object) -> Facts:
    """The invented run that the goldens show: 14 tasks, two baselines, two models."""

    def adjust(answer: Patch) -> Patch:
        if answer.entrant in ("reference", "empty"):
            return answer
        number = int(answer.task_id[:4], 16)
        careful = answer.entrant.endswith("careful")
        cost = Decimal(number % 900 + 300) / Decimal(20_000 if careful else 70_000)
        if answer.stop is Stop.OVER_BUDGET:
            cost = Decimal(0)
        seconds = (number % 70 + 25) / (1 if careful else 9)
        call = Call(
            seconds=seconds, first_token_seconds=seconds / 8, output_tokens=number % 900 + 400
        )
        update = {
            "cost_usd": cost,
            "seconds": seconds,
            "first_token_seconds": seconds / 8,
            "calls": (call,),
            "failed_requests": int(careful and number % 5 == 0),
            "backoff_seconds": 1.5 if careful and number % 5 == 0 else 0.0,
            "queued_seconds": 0.4 if careful else 0.0,
            "replayed": True,
            "fiction": FICTION,
            "requested_model": None,
            "served_model": None,
        }
        return answer.model_copy(update=update)

    return replace(facts(DEMO, adjust=adjust), **changes)  # type: ignore[arg-type]
