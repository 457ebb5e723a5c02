"""The order of the stages, and what a finished run means for the shell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from core.errors import InfrastructureError, UsageError
from core.report import Report
from core.types import Dropped, DropReason, Task
from patchmark.batches import awaited
from patchmark.mining import mine_stage
from patchmark.probing import probe_stage
from patchmark.reporting import report_stage
from patchmark.reviewing import review_stage
from patchmark.run import Run
from patchmark.solving import solve_and_judge, solve_stage
from patchmark.stages import rewrite_stage, validate_stage

AWAITING = 4
"""No error: answers are awaited, and the same command goes on."""
GATE_NOT_MET = 1
GATE_OPEN = 5
"""Whether a gate is met cannot be told; that is not the same as met."""


@dataclass(frozen=True)
class Finished:
    """A report, where it was written, and the exit code it stands for."""

    report: Report
    files: list[Path]
    exit_code: int


def run_all(run: Run) -> Finished:
    """All stages, one after the other; solving and judging side by side."""
    # Made first: a missing key is said before minutes are spent on tasks.
    if not run.entrants:
        raise UsageError("--models: name at least one entrant")
    _ = run.rewriter, run.probers, run.reviewer
    mine_stage(run)
    validate_stage(run)
    rewrite_stage(run)
    solve_and_judge(run)
    probe_stage(run)
    review_stage(run)
    return finish(run)


def solve_all(run: Run) -> None:
    """Everything that asks models."""
    rewrite_stage(run)
    solve_stage(run)
    probe_stage(run)


def finish(run: Run) -> Finished:
    """Write the report and tell what it means: 3 for broken tasks, 4 where answers are awaited
    from batches, 1 for a gate not met, 5 for one of which that cannot be told.

    Raises UsageError or InfrastructureError, after writing the report, when no task could
    be made, and the drops say whose doing that is.
    """
    report, files = report_stage(run)
    if not report.tasks:
        raise _no_tasks(run)
    code = _exit_code(report)
    waits = code in (0, GATE_NOT_MET, GATE_OPEN) and awaited(run)
    return Finished(report, files, AWAITING if waits else code)


def _exit_code(report: Report) -> int:
    if report.tasks_broken:
        return 3
    states = {gate.state for gate in report.gates}
    if "not met" in states:
        return GATE_NOT_MET
    return GATE_OPEN if "cannot be told" in states else 0


def _no_tasks(run: Run) -> UsageError | InfrastructureError:
    drops = [d for d in run.folder.read(Dropped) if not any(run.folder.read(Task))]
    counts = Counter(drop.reason for drop in drops)
    what = ", ".join(f"{reason} {count}" for reason, count in counts.most_common())
    message = f"no task could be made of {run.settings.repo}; commits dropped: {what or 'none'}"
    broken = [d for d in drops if d.reason is DropReason.ENVIRONMENT_BROKEN]
    if broken:
        detail = f"{message}. The first environment that broke: {broken[0].detail}"
        return InfrastructureError(f"{detail}. Build logs: {run.folder.logs}")
    return UsageError(f"{message}. A task needs a commit that changes source and tests together")
