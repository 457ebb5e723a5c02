"""What one run of a suite reported: node id → status, and whether it came to its end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """A test's result; where its phases differ the worst one counts."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    MISSING = "missing"
    """Not reported at all: deselected, never collected, or the run ended before it."""


@dataclass(frozen=True)
class SuiteRun:
    """One run of the suite."""

    statuses: Mapping[str, Status]
    uncollected: frozenset[str]
    """Files or folders that could not be imported."""
    told_exit: str | None
    """The exit code that the runner announced at its end; None where it never got there."""
    exit_code: int | None
    """The one its process ended with."""
    habits: frozenset[str] = frozenset()
    """What the suite does to its own runner, as `patchmark_guard.py` words it."""

    def status(self, test: str) -> Status:
        """A test's status, MISSING where nothing was reported."""
        return self.statuses.get(test, Status.MISSING)

    @property
    def ended(self) -> bool:
        """The runner came to its end and had something to tell: tests, or files it could not read.

        pytest exits with 0 (all passed), 1 (not all well) or 2 (files not imported); 3 to 5
        are its own troubles.
        """
        as_announced = self.exit_code in (0, 1, 2) and self.told_exit == str(self.exit_code)
        return as_announced and bool(self.statuses or self.uncollected)

    @property
    def ran(self) -> bool:
        """Positive proof that tests ran: some were reported, and the end was reached.

        Exit code 0 with a failure is a lie. The other way round it is none: plugins end with
        1 for reasons of their own, such as too little coverage.
        """
        bad = {Status.FAILED, Status.ERROR} & set(self.statuses.values())
        said_well = self.exit_code == 0
        return self.ended and bool(self.statuses) and not (said_well and (bad or self.uncollected))


def parse(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read the plugin's lines; lines that are none of its own are passed over."""
    statuses: dict[str, Status] = {}
    uncollected: set[str] = set()
    told_exit: str | None = None
    habits: set[str] = set()
    for line in _lines(report):
        if line.kind == "test":
            now = _status(line.when, line.outcome)
            if now is not None:
                statuses[line.id] = worst(statuses.get(line.id), now)
        elif line.kind == "collect":
            uncollected.add(line.id)
        elif line.kind == "habit":
            habits.add(line.id)
        elif line.kind == "end":
            told_exit = line.exit
    return SuiteRun(statuses, frozenset(uncollected), told_exit, exit_code, frozenset(habits))


@dataclass(frozen=True)
class _Line:
    kind: str
    id: str
    when: str
    outcome: str
    exit: str


def json_lines(report: bytes) -> Iterator[dict[str, Any]]:
    """The JSON objects among a report's lines."""
    for raw in report.splitlines():
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def _lines(report: bytes) -> Iterator[_Line]:
    for found in json_lines(report):
        if "kind" in found:
            yield _Line(*(_text(found.get(name, "")) for name in _Line.__annotations__))


def _text(value: object) -> str:
    # A lone surrogate, which JSON can spell, could not be written to any file of ours.
    return str(value).encode("utf-8", "replace").decode()


_ORDER = (
    Status.PASSED,
    Status.XPASSED,
    Status.XFAILED,
    Status.SKIPPED,
    Status.FAILED,
    Status.ERROR,
)


def _status(when: str, outcome: str) -> Status | None:
    """What a phase says about its test; None where a set-up or a teardown went well.

    Only the call proves a test: one that ends the whole run leaves its set-up behind, passed.
    """
    if outcome == "failed":
        return Status.FAILED if when == "call" else Status.ERROR
    if outcome == "passed":
        return Status.PASSED if when == "call" else None
    return Status(outcome) if outcome in set(_ORDER) else Status.ERROR


def worst(before: Status | None, now: Status) -> Status:
    """The result of a test that was reported more than once."""
    if before is None:
        return now
    return max(before, now, key=_ORDER.index)
