"""The JSON report of jest, which vitest writes too; several in a row are one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sandbox.readers.collected import Collected
from sandbox.results import Status, SuiteRun

_BLANK = re.compile(r"\s*")
_STATUSES = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "pending": Status.SKIPPED,
    "skipped": Status.SKIPPED,
    "disabled": Status.SKIPPED,
    "todo": Status.SKIPPED,
}


def read(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read the report; the id of a test is `path::full name`."""
    found = Collected()
    try:
        documents = list(_documents(report.decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return found.run(exit_code, complete=False)
    for top in documents:
        files = top.get("testResults") if isinstance(top, dict) else None
        for file in files if isinstance(files, list) else []:
            if isinstance(file, dict):
                _file(found, file)
    known = bool(found.statuses or found.uncollected)
    return found.run(exit_code, complete=known)


def _documents(text: str) -> Iterator[Any]:
    """JSON values, one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while (start := _BLANK.match(text, at)) and (at := start.end()) < len(text):
        top, at = decoder.raw_decode(text, at)
        yield top


def _file(found: Collected, file: dict[str, Any]) -> None:
    path = str(file.get("name", "")).removeprefix("/repo/")
    tests = file.get("assertionResults")
    for test in tests if isinstance(tests, list) else []:
        if isinstance(test, dict):
            titles = test.get("ancestorTitles")
            parts = [*(titles if isinstance(titles, list) else []), test.get("title", "")]
            name = " > ".join(str(part) for part in parts if part)
            found.add(f"{path}::{name}", _STATUSES.get(str(test.get("status")), Status.ERROR))
    if not tests and file.get("status") == "failed":
        found.uncollected.add(path)
