"""What `cargo test` prints: the lines of libtest, under a heading for each target."""

from __future__ import annotations

import re

from sandbox.readers.collected import Collected
from sandbox.results import Status, SuiteRun

_TARGET = re.compile(r"^\s*(?:Running (?:unittests )?(?P<path>\S+)|(?P<doc>Doc-tests) (?P<of>\S+))")
_TEST = re.compile(r"^test (?P<name>.+?)(?: - should panic)? \.\.\. (?P<word>ok|FAILED|ignored)\b")
_BROKEN = re.compile(r"^error: could not compile `(?P<name>[^`]+)`")
_STATUSES = {"ok": Status.PASSED, "FAILED": Status.FAILED, "ignored": Status.SKIPPED}


def read(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read the lines; the id of a test is `target::name`, the target as cargo names it."""
    found = Collected()
    target, ended = "", True
    for line in report.decode("utf-8", "replace").splitlines():
        if heading := _TARGET.match(line):
            target, ended = heading["path"] or f"doc-tests {heading['of']}", False
        elif test := _TEST.match(line):
            # A doc test's line numbers move with every edit above it.
            name = re.sub(r" \(line \d+\)", "", test["name"])
            found.add(f"{target}::{name}", _STATUSES[test["word"]])
        elif line.startswith("test result: "):
            ended = True
        elif broken := _BROKEN.match(line):
            found.uncollected.add(broken["name"])
    known = bool(found.statuses or found.uncollected)
    return found.run(exit_code, complete=known and ended)
