"""From a report to its digest, and a digest as text that hides in a comment.

The text comes back out of GitHub, where people may have edited it: it is read as a stranger's.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Literal

from pydantic import ValidationError

from core.digest import Digest, DigestRow
from core.report import Cell, EntrantRow, Report
from core.types import Outcome

LARGEST = 4_000_000
"""Bytes of a digest, unpacked: what 5,000 tasks × 30 entrants take."""
_NAME = 200
_SEAL = r"^<!-- patchmark:{} v1 ([A-Za-z0-9+/=]+) -->\r?$"
Kind = Literal["digest", "before"]


def digest_of(report: Report) -> Digest:
    """The numbers of a report; tasks kept apart are in none."""
    cells: dict[str, dict[str, list[Cell]]] = {}
    for task in report.tasks:
        for cell in task.cells:
            cells.setdefault(cell.entrant, {}).setdefault(task.id, []).append(cell)
    return Digest(
        repository=report.repository[:_NAME],
        head=report.head,
        made_at=report.made_at,
        patchmark_version=report.patchmark_version,
        rows=tuple(_row(row, cells.get(row.name, {})) for row in report.entrants),
    )


def without_tasks(digest: Digest) -> Digest:
    """The same with totals alone, where there is no room for more."""
    rows = tuple(row.model_copy(update={"results": {}}) for row in digest.rows)
    return digest.model_copy(update={"rows": rows})


def same_numbers(first: Digest, second: Digest) -> bool:
    """Whether two digests tell of one run, however often its report was written."""
    later = {"made_at": second.made_at, "patchmark_version": second.patchmark_version}
    return first.model_copy(update=later) == second


def seal(digest: Digest, kind: Kind = "digest") -> str:
    """One line that GitHub shows to nobody; no text in it is readable, so none can break out."""
    packed = zlib.compress(digest.model_dump_json().encode(), 9)
    return f"<!-- patchmark:{kind} v1 {base64.b64encode(packed).decode()} -->"


def unseal(text: str, kind: Kind = "digest") -> Digest | None:
    """The digest in a comment of ours; None where there is none that can be read."""
    found = re.search(_SEAL.format(kind), text, re.MULTILINE)
    if found is None:
        return None
    try:
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(base64.b64decode(found[1], validate=True), LARGEST)
        return None if unpacking.unconsumed_tail else Digest.model_validate_json(content)
    except (binascii.Error, zlib.error, ValidationError):
        return None


def run_before(report: Report, comment: str) -> Digest | None:
    """The run before this one, as the comment that is to be replaced tells it.

    Where that comment is about this very run, it is the one that was before it already.
    """
    last = unseal(comment)
    if last is not None and same_numbers(last, digest_of(report)):
        return unseal(comment, "before")
    return last


def _row(row: EntrantRow, cells: dict[str, list[Cell]]) -> DigestRow:
    results = {}
    for task, attempts in cells.items():
        scored = [cell for cell in attempts if cell.outcome.scored]
        if scored:
            passed = sum(cell.outcome is Outcome.PASSED for cell in scored)
            results[task] = (passed, len(scored))
    return DigestRow(
        name=row.name[:_NAME],
        baseline=row.baseline,
        tasks=row.tasks,
        scored=row.scored,
        passed=row.passed,
        cost_usd=row.cost_usd,
        cost_per_solve_usd=row.cost_per_solve_usd,
        seconds_p50=row.seconds_p50,
        served_models=tuple(name[:_NAME] for name in row.served_models),
        results=results,
    )
