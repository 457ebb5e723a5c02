"""What one run of a suite reported: node id → status, and whether it came to its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


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
    finished: bool
    """The runner reached its end and reported it."""
    exit_code: int | None

    def status(self, test: str) -> Status:
        """A test's status, MISSING where nothing was reported."""
        return self.statuses.get(test, Status.MISSING)

    @property
    def ran(self) -> bool:
        """Positive proof that tests ran: some were reported, and the end was reached.

        pytest exits with 0 (all passed), 1 (some failed) or 2 (some files not imported);
        3 to 5 are its own troubles. The two ways of telling must agree.
        """
        if not self.finished or self.exit_code not in (0, 1, 2) or not self.statuses:
            return False
        bad = {Status.FAILED, Status.ERROR} & set(self.statuses.values())
        return (self.exit_code == 0) == (not bad and not self.uncollected)


def parse(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read the plugin's lines; lines that are none of its own are passed over."""
    statuses: dict[str, Status] = {}
    uncollected: set[str] = set()
    finished = False
    for raw in report.splitlines():
        try:
            line = json.loads(raw)
            kind, name = line["kind"], str(line.get("id", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        if kind == "test":
            statuses[name] = _worst(statuses.get(name), _status(line.get("when"), line["outcome"]))
        elif kind == "collect":
            uncollected.add(name)
        elif kind == "end":
            finished = True
    return SuiteRun(statuses, frozenset(uncollected), finished, exit_code)


_ORDER = (
    Status.PASSED,
    Status.XPASSED,
    Status.XFAILED,
    Status.SKIPPED,
    Status.FAILED,
    Status.ERROR,
)


def _status(when: object, outcome: str) -> Status:
    if outcome == "failed":
        return Status.FAILED if when == "call" else Status.ERROR
    return Status(outcome) if outcome in set(Status) else Status.ERROR


def _worst(before: Status | None, now: Status) -> Status:
    if before is None:
        return now
    return max(before, now, key=_ORDER.index)
