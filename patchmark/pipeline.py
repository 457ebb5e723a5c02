"""The order of the stages, and what a finished run means for the shell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import InfrastructureError, UsageError
from core.report import Report
from core.types import Dropped, DropReason, Task
from patchmark import partial
from patchmark.batches import awaited
from patchmark.clock import TimeUpError
from patchmark.mining import mine_stage
from patchmark.probing import probe_stage
from patchmark.reporting import report_stage
from patchmark.reviewing import review_stage
from patchmark.run import Run
from patchmark.solving import solve_and_judge, solve_stage
from patchmark.stages import rewrite_stage, validate_stage

AWAITING = 4
"""No error: answers are awaited, and the same command goes on."""
TIME_UP = 6
"""No error either: the time limit was reached, and the same command goes on."""
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
    partial.write(run.folder.path, partial.Partial())
    _in_time(
        run, mine_stage, validate_stage, rewrite_stage, solve_and_judge, probe_stage, review_stage
    )
    return finish(run)


def try_all(run: Run) -> Report:
    """What follows on mining; the report is written whatever came of it."""
    _ = run.entrants, run.rewriter, run.probers, run.reviewer  # a missing key is said first
    partial.write(run.folder.path, partial.Partial())
    _in_time(run, validate_stage, rewrite_stage, solve_and_judge, probe_stage, review_stage)
    return report_stage(run)[0]


def prove_all(run: Run) -> None:
    """Everything that proves tasks."""
    _in_time(run, validate_stage)


def solve_all(run: Run) -> None:
    """Everything that asks models."""
    _in_time(run, rewrite_stage, solve_stage, probe_stage)


def _in_time(run: Run, *stages: Callable[[Run], None]) -> None:
    """Stage after stage, until the run's time, if it has a limit, is up."""
    clock = run.clock

    def work() -> None:
        for stage in stages:
            stage(run)

    try:
        with clock.running(run.lanes.close, run.lanes.longest):
            clock.unless_late(work)
    except TimeUpError:
        run.break_off()
    if clock.late and clock.seconds is not None:
        partial.write(run.folder.path, partial.Partial(minutes=clock.seconds / 60))


def finish(run: Run) -> Finished:
    """Write the report and tell what it means: 3 for broken tasks, 6 where the time was up, 4
    where answers are awaited from batches, 1 for a gate not met, 5 for one of which that cannot
    be told.

    Raises UsageError or InfrastructureError, after writing the report, when no task could
    be made, and the drops say whose doing that is.
    """
    report, files = report_stage(run)
    # What one shard has, or has not, says nothing about all of them.
    if not report.tasks and not run.clock.late and run.settings.shard is None:
        raise _no_tasks(run)
    code = _exit_code(report)
    if run.clock.late and code in (0, GATE_NOT_MET, GATE_OPEN):
        return Finished(report, files, TIME_UP)
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
    if run.repository.is_shallow:
        message += ". The clone is shallow: fetch-depth: 0 in actions/checkout brings the history"
    return UsageError(f"{message}. A task needs a commit that changes source and tests together")
