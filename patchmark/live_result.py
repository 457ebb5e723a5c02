"""From the run folder of one pull request to what the live trial keeps of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from pydantic import ValidationError

from core.errors import StoreError
from core.live import APART, BROKEN, NOT_WANTED, TIME_UP, LiveCell, LiveResult, Unmeasured
from core.report import Cell, EntrantRow, Report
from core.types import Candidate, Dropped
from models.exchange_store import write_durably
from patchmark import __version__
from patchmark.live_targets import Target
from patchmark.run import Run

NAME = "live.json"
LARGEST = 4_000_000
"""Bytes of a result's file."""
MOST = 200
"""Results that one job leaves."""


def result_of(run: Run, target: Target, report: Report) -> LiveResult:
    """What came of it; nothing of the environment, or of the task itself, blames a model."""
    unmeasured = _unmeasured(run, report)
    (task,) = report.tasks or (None,)
    rows = {row.name: row for row in report.entrants}
    title = target.title or next((c.title for c in run.folder.read(Candidate)), "")
    result = LiveResult(
        repository=report.repository[:200],
        pull_request=target.pull_request,
        title=title[:200],
        base=target.base,
        head=target.head,
        merged=target.merged,
        made_at=datetime.now(UTC).replace(microsecond=0),
        patchmark_version=__version__,
        task_id=task.id if task else None,
        statement_source=task.statement_source if task else None,
        unmeasured=unmeasured,
        fail_to_pass=task.fail_to_pass if task else 0,
        cost_usd=_billed(report),
        cells=() if task is None or unmeasured else tuple(_cell(c, rows) for c in task.cells),
    )
    return run.settings.redactor.record(result)


def write(folder: Path, result: LiveResult) -> None:
    """Leave it in a run folder; it is on disk when this returns."""
    write_durably(folder / NAME, result.model_dump_json(indent=1).encode() + b"\n")


def read_all(folder: Path) -> list[LiveResult]:
    """All results in the folders below. Raises StoreError, naming the file, for anything else."""
    found = sorted(path for path in folder.glob(f"*/{NAME}") if not path.is_symlink())[:MOST]
    return [_read(path) for path in found]


def _read(path: Path) -> LiveResult:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise StoreError(f"{path}: too large for a result")
        return LiveResult.model_validate_json(content)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise StoreError(f"{path}: no result: {place}: {first['msg']}") from error


def _unmeasured(run: Run, report: Report) -> Unmeasured | None:
    if report.tasks:
        if not report.tasks_broken:
            return None
        return Unmeasured(reason=BROKEN, words=report.verdict[:500])
    if report.apart:
        return Unmeasured(reason=APART, words=report.apart[0].why[:500])
    drops = [*run.folder.read(Dropped)]
    if drops:
        return Unmeasured(reason=str(drops[-1].reason), words=_end(drops[-1].detail))
    return Unmeasured(reason=NOT_WANTED if not run.wanted() else TIME_UP)


def _end(words: str) -> str:
    """The last words say what went wrong."""
    flat = " ".join(words.split())
    return flat if len(flat) <= 300 else f"…{flat[-299:]}"


def _billed(report: Report) -> Decimal | None:
    costs = [row.cost_usd for row in report.entrants]
    costs += [report.rewriting_usd] if report.rewriter else []
    costs += [report.quality.cost_usd] if report.quality else []
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _cell(cell: Cell, rows: dict[str, EntrantRow]) -> LiveCell:
    row = rows[cell.entrant]
    return LiveCell(
        entrant=cell.entrant[:200],
        attempt=cell.attempt,
        outcome=cell.outcome,
        cause=cell.cause,
        why=_why(cell)[:300],
        cost_usd=cell.cost_usd,
        seconds=cell.seconds,
        replayed=row.replayed,
        fiction=row.fiction is not None,
    )


def _why(cell: Cell) -> str:
    """What kept it from passing, in words and by the names of a test or two."""
    parts = [
        f"{label} {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
        for label, names in (("still fails:", cell.not_fixed), ("breaks:", cell.broken))
        if names
    ]
    words = " ".join(cell.detail.split())
    return "; ".join([*parts, *([words] if words and not parts else [])])
