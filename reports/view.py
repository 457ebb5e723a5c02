"""What all renderings show, put into words once: rows of models, tasks and failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.report import Cell, EntrantRow, Report, TaskRow
from core.types import Outcome, StatementSource
from reports import numbers
from reports.statistics import ALPHA, FEWEST_TASKS
from reports.words import EMPTY, REFERENCE, SIGNS, Sign, gate_words, label, versions_words

_CALLED_BETTER = (
    f"A model is called better only where a paired test on {FEWEST_TASKS} or more tasks says so "
    f"(exact McNemar, with several attempts a permutation within tasks; p < {ALPHA} after Holm's "
    "correction for all pairs), and as good only where it is surely not worse by the margin."
)


@dataclass(frozen=True)
class ModelLine:
    """One row of the table of models."""

    row: EntrantRow
    label: str
    rate: str
    interval: str
    cost: str
    per_solve: str
    seconds: str
    not_scored: str


@dataclass(frozen=True)
class MatrixLine:
    """One task with each entrant's attempts, in the order of the columns."""

    number: int
    task: TaskRow
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Failure:
    """One attempt of a model that did not pass."""

    cell: Cell
    sign: Sign


@dataclass(frozen=True)
class FailedTask:
    """A task with everything that did not pass there."""

    number: int
    task: TaskRow
    failures: tuple[Failure, ...]


def models(report: Report) -> list[ModelLine]:
    """The models, highest pass rate first, the cheaper of equals first."""
    rows = [row for row in report.entrants if not row.baseline]
    return [_model(row) for row in sorted(rows, key=_rank)]


def baseline_lines(report: Report) -> list[ModelLine]:
    """The baselines as rows of the same table."""
    return [_model(row) for row in report.entrants if row.baseline]


def apart_lines(report: Report) -> list[ModelLine]:
    """Everybody on the tasks that are kept apart, in the order of the main table."""
    rows = {row.name: row for row in report.apart_entrants}
    return [_model(rows[row.name]) for row in all_columns(report) if row.name in rows]


def _rank(row: EntrantRow) -> tuple[float, float, str]:
    cost = row.cost_per_solve_usd
    rate = -1.0 if row.pass_rate is None else row.pass_rate
    return (-rate, float("inf") if cost is None else float(cost), row.name)


def _model(row: EntrantRow) -> ModelLine:
    solve = numbers.money(row.cost_per_solve_usd)
    if row.baseline or (row.cost_usd is not None and not row.passed):
        solve = numbers.NONE
    return ModelLine(
        row=row,
        label=label(row),
        rate=numbers.rate(row.pass_rate, row.passed, row.scored),
        interval=numbers.interval(row.ci_low, row.ci_high),
        cost=numbers.money(row.cost_usd),
        per_solve=solve,
        seconds=numbers.seconds(row.seconds_p50),
        not_scored=_not_scored(row) + _of_all(row),
    )


def _not_scored(row: EntrantRow) -> str:
    """`0`, `1 over budget` or `3 (2 over budget, 1 provider failed)`."""
    parts = [
        f"{count} {SIGNS[outcome].word}"
        for outcome, count in sorted(row.outcomes.items(), key=lambda item: -item[1])
        if not outcome.scored
    ]
    missing = row.tasks - row.scored
    if len(parts) == 1:
        return parts[0]
    return f"{missing} ({', '.join(parts)})" if missing else "0"


def _of_all(row: EntrantRow) -> str:
    """The rate under the other denominator, where the two differ: `; 45 % of all 20 passed`."""
    if row.scored in (0, row.tasks):
        return ""
    return f"; {numbers.per_cent(row.passed / row.tasks)} of all {row.tasks} passed"


def baselines(report: Report) -> str:
    """What the baselines say about the tasks, in one sentence."""
    parts = []
    for row in report.entrants:
        if row.baseline:
            must = "must pass all" if row.name == REFERENCE else "must pass none"
            left = f"; not scored: {_not_scored(row)}" if row.scored < row.tasks else ""
            parts.append(f"{row.name} passed {row.passed} of {row.tasks} ({must}{left})")
    if not parts:
        return f"Neither {REFERENCE} nor {EMPTY} was run, so nothing here checks the tasks."
    return f"Baselines: {'; '.join(parts)}."


def columns(report: Report) -> list[EntrantRow]:
    """The entrants worth a column: models, best first, and baselines only where they misbehaved.

    A column of failures that is there by design would be read as bad news.
    """
    return [row for row in all_columns(report) if not row.baseline or not _as_it_must(row)]


def all_columns(report: Report) -> list[EntrantRow]:
    """Every entrant: models, best first, then baselines."""
    ranked = [line.row for line in models(report)]
    return ranked + [row for row in report.entrants if row.baseline]


def _as_it_must(row: EntrantRow) -> bool:
    return row.passed == (row.tasks if row.name == REFERENCE else 0) and row.scored == row.tasks


def matrix(
    report: Report, entrants: Sequence[EntrantRow], *, apart: bool = False
) -> list[MatrixLine]:
    """All tasks × the given entrants; those `apart` go on counting where the others end."""
    lines = []
    tasks, first = report.tasks, 1
    if apart:
        tasks, first = report.apart_tasks, len(report.tasks) + 1
    for number, task in enumerate(tasks, first):
        by_entrant: dict[str, list[Cell]] = {row.name: [] for row in entrants}
        for cell in task.cells:
            if cell.entrant in by_entrant:
                by_entrant[cell.entrant].append(cell)
        lines.append(MatrixLine(number, task, tuple(map(tuple, by_entrant.values()))))
    return lines


def legend(entrants: Sequence[EntrantRow]) -> list[Sign]:
    """The signs that occur for these entrants, in the order of the outcomes."""
    used = {outcome for row in entrants for outcome in row.outcomes}
    return [SIGNS[outcome] for outcome in Outcome if outcome in used]


def failures(report: Report) -> list[FailedTask]:
    """Every attempt of a model that did not pass, task by task.

    `empty` is meant to fail and left out; `reference` is there when it failed.
    """
    found = []
    for number, task in enumerate(report.tasks, 1):
        failed = tuple(
            Failure(cell, SIGNS[cell.outcome])
            for cell in task.cells
            if cell.outcome is not Outcome.PASSED and cell.entrant != EMPTY
        )
        if failed:
            found.append(FailedTask(number, task, failed))
    return found


def facts_line(report: Report) -> str:
    """Where the numbers come from, in one line."""
    when = report.made_at.strftime("%Y-%m-%d %H:%M %Z").strip()
    return (
        f"{numbers.counted(report.commits_seen, 'commit')} looked at, "
        f"{numbers.counted(report.candidates, 'candidate')}, "
        f"{numbers.counted(len(report.tasks), 'task')} proven by the repository's own tests. "
        f"{_tiers(report)}"
        f"Commit {report.head[:12]}, {when}, patchmark {report.patchmark_version}."
    )


_TIERS = {
    StatementSource.ISSUE: "issue",
    StatementSource.PULL_REQUEST: "pull request",
    StatementSource.COMMIT_MESSAGE: "commit message",
    StatementSource.REWRITTEN: "rewriting",
}


def _tiers(report: Report) -> str:
    """What the tasks are told by, best first."""
    counts = Counter(task.statement_source for task in report.tasks)
    parts = [numbers.counted(counts[tier], noun) for tier, noun in _TIERS.items() if counts[tier]]
    return f"Statements: {', '.join(parts)}. " if parts else ""


def notes(report: Report) -> tuple[str, ...]:
    """What a reader should know about the tasks themselves, one sentence each."""
    found = list(report.notices)
    if report.rewriter is not None:
        cost = numbers.money(report.rewriting_usd)
        found.append(f"Statements were rewritten by {report.rewriter}; cost of that: {cost}.")
    if report.apart:
        found.append(_apart(report))
    found += [gate_words(gate) for gate in report.gates if gate.state == "met"]
    found += [versions_words(report.change)] if report.change else []
    return tuple(found)


def _apart(report: Report) -> str:
    count = len(report.apart)
    are = "candidate is" if count == 1 else "candidates are"
    text = f"{count} {are} kept apart and in no rate: the statement tells the fix, or nothing"
    if report.apart_entrants:
        did = [f"{row.name} passed {row.passed} of {row.tasks}" for row in report.apart_entrants]
        text += f" (run all the same: {', '.join(did)})"
    return f"{text}."


def labels(task: TaskRow) -> tuple[str, ...]:
    """What is known about a task besides its tests, in a few words each."""
    size = task.difficulty
    found = [
        f"{numbers.counted(size.lines, 'line')} in {numbers.counted(size.files, 'file')}",
        ", ".join(size.languages),
        f"pull request {task.pull_request}" if task.pull_request is not None else "",
        *(f"issue {link.issue} ({link.rule})" for link in task.links),
        *(f"label “{label}”" for label in task.labels),
        f"the statement holds {numbers.per_cent(task.leak)} of the fix" if task.leak else "",
        f"vagueness {task.vagueness:.2f}",
    ]
    if task.runner_files:
        found.append(f"changes how tests run: {', '.join(task.runner_files)}")
    return tuple(part for part in found if part)


def sandbox_line(report: Report) -> tuple[str, ...]:
    """What every test run was held to, in one line; none where nothing was judged."""
    of = report.sandbox
    if of is None:
        return ()
    idle = f" (idle {of.idle_seconds:g} s)" if of.idle_seconds else ""
    line = (
        f"Limits of a test run: {of.seconds:g} s{idle}, {of.memory_mib} MiB of memory, "
        f"{of.cpus:g} CPU, {of.processes} processes, {of.disk_mib} MiB of disk, "
        f"{of.output_mib} MiB of output, network {of.network}, user {of.user}, "
        f"runtime {of.runtime}."
    )
    return (line,)


def method() -> tuple[str, ...]:
    """How to read the numbers, one sentence each."""
    return (
        "A pass rate counts scored attempts only; its interval is the 95 % Wilson interval.",
        _CALLED_BETTER,
        "Cost is all that was billed, also for attempts that failed or were not scored.",
        "Time is the median from sending a request to its last token.",
    )


def attempts(report: Report) -> int:
    """How often each entrant attempted each task; 1 where there is no task."""
    return max((cell.attempt for task in report.tasks for cell in task.cells), default=1)


def attempts_note(report: Report) -> str | None:
    """A warning where one task was attempted several times; None otherwise."""
    most = attempts(report)
    if most == 1:
        return None
    return (
        f"Each task was attempted {most} times; attempts at one task resemble each other, so the "
        "intervals of this table are narrower than they should be; comparisons count a task once."
    )
