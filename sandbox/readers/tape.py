"""TAP as tape writes it: a comment names a test, and the points after it are its assertions."""

from __future__ import annotations

from sandbox.readers.collected import Collected
from sandbox.readers.tap import PLAN, POINT, status
from sandbox.results import Status, SuiteRun

_SKIPPED = "SKIP "


def read(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read a stream; the id of a test is its name, and its worst assertion is its result.

    Several documents in a row are one.
    """
    found = Collected()
    name, planned, seen, summing = "unnamed", None, 0, False
    for line in report.decode("utf-8", "replace").splitlines():
        if plan := PLAN.match(line):
            planned = (planned or 0) + int(plan.group(1))
            # Comments behind it are the sums.
            summing = True
        elif line.startswith("TAP version"):
            summing = False
        elif line.startswith("# ") and not summing:
            name = line[2:].strip()
            if name.startswith(_SKIPPED):
                found.add(name.removeprefix(_SKIPPED), Status.SKIPPED)
        elif (point := POINT.match(line)) and not point["indent"]:
            seen += 1
            found.add(name, status(point))
    return found.run(exit_code, complete=planned == seen)
