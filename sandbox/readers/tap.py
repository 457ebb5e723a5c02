"""TAP (Test Anything Protocol) versions 12 to 14, with subtests indented by four blanks.

Several documents in a row are one.
https://testanything.org/tap-version-14-specification.html
"""

from __future__ import annotations

import re

from sandbox.readers.collected import Collected
from sandbox.results import Status, SuiteRun

POINT = re.compile(r"^(?P<indent> *)(?P<not>not )?ok\b(?: +\d+)?(?: *-)? *(?P<rest>.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")
_SUBTEST = re.compile(r"^(?P<indent> *)# Subtest: (?P<name>.*)$")
# What tap says of a test's duration, which is another in each run.
_TIME = re.compile(r"\s+# time=[\d.]+m?s\s*(\{)?$")
_DIRECTIVE = re.compile(r"(?<!\\)#\s*(?P<word>skip|todo)\S*.*$", re.IGNORECASE)


def read(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read a stream; the id of a test is its description after those of the tests around it.

    A test with subtests counts by itself as well: what fails outside of them is its own.
    """
    found = Collected()
    around: dict[int, str] = {}
    planned: int | None = None
    seen, bailed = 0, False
    for line in report.decode("utf-8", "replace").splitlines():
        if subtest := _SUBTEST.match(line):
            # Node announces at the level of the test, the specification one level deeper.
            around[len(subtest["indent"])] = subtest["name"].strip()
        elif point := POINT.match(line):
            depth = len(point["indent"])
            seen += depth == 0
            path = [name for level, name in sorted(around.items()) if level < depth]
            found.add("::".join([*path, _name(point)]), status(point))
            around = {level: name for level, name in around.items() if level < depth}
        elif plan := PLAN.match(line):
            planned = (planned or 0) + int(plan.group(1))
        elif line.startswith("Bail out!"):
            bailed = True
    complete = planned is not None and seen == planned and not bailed
    return found.run(exit_code, complete=complete)


def _name(point: re.Match[str]) -> str:
    return _TIME.sub("", _DIRECTIVE.sub("", point["rest"])).strip() or "unnamed"


def status(point: re.Match[str]) -> Status:
    """What a point says, its directive included."""
    directive = _DIRECTIVE.search(point["rest"])
    word = directive["word"].lower() if directive else ""
    if word == "skip":
        return Status.SKIPPED
    if word == "todo":
        return Status.XFAILED if point["not"] else Status.XPASSED
    return Status.FAILED if point["not"] else Status.PASSED
