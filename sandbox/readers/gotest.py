"""The events of `go test -json` (`go doc test2json`)."""

from __future__ import annotations

from sandbox.readers.collected import Collected
from sandbox.results import Status, SuiteRun, json_lines

_STATUSES = {"pass": Status.PASSED, "fail": Status.FAILED, "skip": Status.SKIPPED}


def read(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read the events; the id of a test is `package::name`.

    A package that does not compile fails without any test: it could not be collected.
    """
    found = Collected()
    running: set[str] = set()
    failed: set[str] = set()
    for event in json_lines(report):
        package, action = str(event.get("Package", "")), str(event.get("Action", ""))
        if action == "build-fail":
            found.uncollected.add(str(event.get("ImportPath", "")).partition(" ")[0])
        if not package:
            continue
        if action in ("start", "run"):
            running.add(package)
        if action not in _STATUSES:
            continue
        if test := event.get("Test"):
            found.add(f"{package}::{test}", _STATUSES[action])
        else:
            running.discard(package)
            failed |= {package} if action == "fail" else set()
    tested = {test.partition("::")[0] for test in found.statuses}
    found.uncollected |= failed - tested
    known = bool(found.statuses or found.uncollected)
    return found.run(exit_code, complete=known and not running)
