"""TAP as tape writes it: a comment names a test, and the points after it are its assertions."""

from __future__ import annotations

from sandbox.readers.collected import Collected
from sandbox.readers.tap import PLAN, POINT, status
from sandbox.results import Status, SuiteRun

_SKIPPED = "SKIP "


def read(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read a stream; the id of a test is its name, and its worst assertion is its result."""
    found = Collected()
    name, planned, seen = "unnamed", None, 0
    for line in report.decode("utf-8", "replace").splitlines():
        if plan := PLAN.match(line):
            planned = int(plan.group(1))
            # Comments behind it are the sums.
            break
        if line.startswith("# "):
            name = line[2:].strip()
            if name.startswith(_SKIPPED):
                found.add(name.removeprefix(_SKIPPED), Status.SKIPPED)
        elif (point := POINT.match(line)) and not point["indent"]:
            seen += 1
            found.add(name, status(point))
    return found.run(exit_code, complete=planned == seen)
