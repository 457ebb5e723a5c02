"""The live trial over all its pull requests so far: one report, and at its end a decision.

The numbers are pooled attempt by attempt and reckoned as those of any run, by the same rules.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.live import LiveCell, LiveResult
from core.report import Cell, DropRow, EntrantRow, Report, TaskRow
from core.types import Outcome, StatementSource
from reports.advice import advice, against_anchor, recommended, too_early
from reports.analysis import MARGIN, analyse
from reports.counting import row_of, total
from reports.decision import decide
from reports.latency import p50
from reports.numbers import counted

_EXAMPLES = 5
_DECIDED = "Decision of the live trial, which ended on"
_UNDECIDED = "The live trial ended on"
_METHOD = (
    "Each task is one pull request, with its own tests, tried when it was merged or labelled.",
    "A pull request counts once, with the first attempts that could be scored.",
    "Pull requests without a change to both source and tests are no tasks, and in no count here.",
)


@dataclass(frozen=True)
class Term:
    """When the trial is."""

    begin: datetime | None = None
    end: datetime | None = None
    """The first moment that is too late; None = it has no end."""

    def over(self, now: datetime) -> bool:
        """Whether nothing is tried any more."""
        return self.end is not None and now >= self.end

    def holds(self, result: LiveResult) -> bool:
        """Whether a result is of the trial. What began in time may end late."""
        return self.begin is None or result.made_at >= self.begin

    @property
    def last_day(self) -> str:
        """For people."""
        return f"{self.end - timedelta(seconds=1):%Y-%m-%d}" if self.end else ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a summary is made for."""

    repository: str
    version: str
    now: datetime
    term: Term
    current: str | None = None
    margin: float = MARGIN


def count_once(results: Iterable[LiveResult]) -> list[LiveResult]:
    """One result a pull request, the oldest first.

    Of several tries the first that was measured counts; later ones at the same commit bring only
    entrants that it could not score. Where none was measured, the latest says why.
    """
    ordered = sorted(results, key=lambda one: one.made_at)
    # From a terminal without a token, the same commit is tried under no number.
    numbers: dict[str, object] = {one.head: one.pull_request for one in ordered if one.pull_request}
    tries: dict[object, list[LiveResult]] = defaultdict(list)
    for one in ordered:
        tries[one.pull_request or numbers.get(one.head, one.head)].append(one)
    return sorted(map(_counts, tries.values()), key=lambda one: one.made_at)


def pooled(results: Sequence[LiveResult], asked: Asked) -> Report:
    """All that counts as the report of one run; its verdict says how far the trial is."""
    ones = count_once(one for one in results if asked.term.holds(one))
    tasks = [one for one in ones if one.unmeasured is None]
    names = dict.fromkeys(cell.entrant for one in tasks for cell in one.cells)
    rows = tuple(_entrant(name, [c for one in tasks for c in one.cells]) for name in names)
    report = Report(
        repository=asked.repository,
        head=ones[-1].head if ones else "0" * 40,
        made_at=asked.now,
        patchmark_version=asked.version,
        verdict="",
        tasks_broken=False,
        replayed=any(row.replayed for row in rows),
        fiction=any(row.fiction is not None for row in rows),
        commits_seen=len(ones),
        candidates=len(ones),
        entrants=rows,
        tasks=tuple(_task(one) for one in reversed(tasks)),
        dropped=_unmeasured(ones),
        limits=_METHOD,
    )
    analysis = analyse(report, current=asked.current, margin=asked.margin)
    report = report.model_copy(update={"analysis": analysis})
    return report.model_copy(update={"verdict": _verdict(report, asked, len(tasks))})


def decided(report: Report) -> bool:
    """Whether the numbers say what to do."""
    analysis = report.analysis
    if analysis is None or not report.tasks:
        return False
    if analysis.current:
        return advice(analysis) is not None
    best_beats_all = bool(against_anchor(analysis)) and not too_early(analysis)
    return best_beats_all or recommended(analysis, "") is not None


def ended(report: Report) -> bool:
    """Whether a summary was made after the end."""
    return report.verdict.startswith((_DECIDED, _UNDECIDED))


def _verdict(report: Report, asked: Asked, tasks: int) -> str:
    said, term = decide(report), asked.term
    if term.over(asked.now):
        if decided(report):
            return f"{_DECIDED} {term.last_day}: {said}"
        return f"{_UNDECIDED} {term.last_day} without a decision. {said}"
    so_far = f"Live so far, {counted(tasks, 'task')}"
    if term.end is None:
        return f"{so_far}: {said}"
    left = max(1, math.ceil((term.end - asked.now) / timedelta(days=1)))
    return f"{so_far}, {counted(left, 'day')} left until {term.last_day}: {said}"


def _counts(tries: Sequence[LiveResult]) -> LiveResult:
    measured = [one for one in tries if one.measured]
    if not measured:
        return tries[-1]
    first = measured[0]
    cells = list(first.cells)
    for later in measured[1:]:
        if later.head != first.head:
            continue
        scored = {cell.entrant for cell in cells if cell.outcome.scored}
        fresh = {cell.entrant for cell in later.cells if cell.outcome.scored} - scored
        cells = [cell for cell in cells if cell.entrant not in fresh]
        cells += [cell for cell in later.cells if cell.entrant in fresh]
    return first.model_copy(update={"cells": tuple(cells)})


def _task(one: LiveResult) -> TaskRow:
    return TaskRow(
        id=one.task_id or one.head[:12],
        title=f"#{one.pull_request} {one.title}" if one.pull_request else one.title,
        committed_at=one.made_at,
        statement="",
        statement_source=one.statement_source or StatementSource.COMMIT_MESSAGE,
        issue=None,
        fix_commit=one.head,
        source_files=(),
        gold_patch="",
        fail_to_pass=one.fail_to_pass,
        pass_to_pass=0,
        cells=tuple(_cell(cell) for cell in one.cells),
        pull_request=one.pull_request,
    )


def _cell(cell: LiveCell) -> Cell:
    return Cell(
        entrant=cell.entrant,
        attempt=cell.attempt,
        outcome=cell.outcome,
        cause=cell.cause,
        stop=None,
        detail=cell.why,
        not_fixed=(),
        broken=(),
        dropped_edits=(),
        cost_usd=cell.cost_usd,
        seconds=cell.seconds,
        diff="",
    )


def _entrant(name: str, cells: Sequence[LiveCell]) -> EntrantRow:
    mine = [cell for cell in cells if cell.entrant == name]
    # One that was never asked cost nothing, whatever else is not known.
    costs = [cell.cost_usd for cell in mine if cell.outcome is not Outcome.CANCELLED]
    invented = any(cell.fiction for cell in mine)
    return row_of(name, (cell.outcome for cell in mine), total(costs)).model_copy(
        update={
            "seconds_p50": p50(cell.seconds for cell in mine),
            "replayed": any(cell.replayed for cell in mine),
            "fiction": "answers of the trial are invented" if invented else None,
        }
    )


def _unmeasured(ones: Sequence[LiveResult]) -> tuple[DropRow, ...]:
    """Why some were no tasks, the most frequent reason first."""
    groups: dict[str, list[LiveResult]] = defaultdict(list)
    for one in ones:
        if one.unmeasured is not None:
            groups[one.unmeasured.reason].append(one)
    rows = [
        DropRow(
            reason=reason,
            stage="validate",
            count=len(found),
            examples=tuple(
                f"#{one.pull_request} {one.title}" if one.pull_request else one.title
                for one in found[-_EXAMPLES:]
            ),
        )
        for reason, found in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.count, row.reason)))
