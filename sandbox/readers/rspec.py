"""RSpec's JSON formatter."""

from __future__ import annotations

import json

from sandbox.readers.collected import Collected
from sandbox.results import Status, SuiteRun

_STATUSES = {"passed": Status.PASSED, "failed": Status.FAILED, "pending": Status.SKIPPED}


def read(report: bytes, exit_code: int | None) -> SuiteRun:
    """Read the report; the id of an example is `path::full description`."""
    found = Collected()
    try:
        top = json.loads(report)
    except (ValueError, RecursionError):
        return found.run(exit_code, complete=False)
    top = top if isinstance(top, dict) else {}
    examples = top.get("examples")
    for example in examples if isinstance(examples, list) else []:
        if isinstance(example, dict):
            path = str(example.get("file_path", "")).removeprefix("./")
            status = _STATUSES.get(str(example.get("status")), Status.ERROR)
            found.add(f"{path}::{example.get('full_description', '')}", status)
    summary = top.get("summary")
    outside = summary.get("errors_outside_of_examples_count") if isinstance(summary, dict) else None
    if outside:
        found.uncollected.add(".")
    return found.run(exit_code, complete=isinstance(summary, dict))
