"""The last stage: everything in the run folder → one report, and its files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from core.collector import put_off
from core.report import ApartRow, Report
from core.types import Candidate, Cutoff, Dropped, Outcome, Patch, Task
from models.cutoffs import cutoff
from models.rewrite import billed
from patchmark import __version__, imported, partial
from patchmark.batches import awaited, words
from patchmark.change_check_told import told
from patchmark.mining import notices
from patchmark.reviewing import opinions_of
from patchmark.run import Run
from patchmark.settings import Settings
from patchmark.shelf import put, shelf, unfit
from patchmark.sources import name_of
from patchmark.trail import trail_of
from reports.change_check import with_change
from reports.digest import digest_of
from reports.files import write as write_reports
from reports.gates import Wanted, gates
from reports.numbers import counted
from reports.shown import shown
from reports.tally import Facts, tally


def report_stage(run: Run) -> tuple[Report, list[Path]]:
    """Everything in the folder → report.md, report.html and report.json."""
    with put_off():
        return _report(run)


def _report(run: Run) -> tuple[Report, list[Path]]:
    report = tally(_facts(run))
    wanted = Wanted() if run.settings.shard else run.settings.wanted
    report = report.model_copy(update={"gates": gates(report, wanted)})
    report = report.model_copy(update={"partial": undone(run, report)})
    if plan := run.settings.change:
        about = plan.about.model_copy(update={"told": told(report.tasks, plan)})
        report = with_change(report, about)
    report = run.settings.redactor.record(report)
    return report, _written(run, report)


def _facts(run: Run) -> Facts:
    settings = run.settings
    candidates = {c.fix_commit for c in run.folder.read(Candidate)}
    apart = run.chosen(apart=True)
    dropped = _latest_drops(run)
    mined_out = [d for d in dropped if d.stage == "mine"]
    waiting = awaited(run)
    return Facts(
        repository=name_of(run.repository, settings.repo),
        head=run.repository.head,
        version=__version__,
        made_at=datetime.now(UTC).replace(microsecond=0),
        commits_seen=len(candidates | {d.commit for d in mined_out}),
        candidates=len(candidates),
        entrants=settings.models,
        attempts=settings.attempts,
        tasks=newest_first(run.tasks()),
        patches=run.patches(),
        verdicts=run.verdicts(),
        dropped=dropped,
        limits=_limits(settings),
        apart=[
            ApartRow(id=c.id, title=c.title, fix_commit=c.fix_commit, why=settings.choice.apart(c))
            for c in apart
        ],
        apart_tasks=newest_first(run.tasks(apart=True)),
        notices=[
            *notices(run.folder.path),
            *([words(waiting)] if waiting else []),
            *_absent(settings),
            *imported.unconfirmed(run.folder.path, run.all_tasks()),
        ],
        rewriter=settings.rewrite_with,
        rewriting_usd=_rewriting(run),
        probes=list(run.probes().values()),
        cutoffs=_cutoffs(settings, run.patches().values()),
        sandbox=run.confinement(),
        opinions=opinions_of(run),
        current=settings.current_model,
        margin=settings.margin,
    )


def _written(run: Run, report: Report) -> list[Path]:
    """Write its files, beside the runs of a history; then it is one of them itself."""
    where, folder, trail = run.settings.history, run.folder.path, trail_of(run, shown(report))
    if where is None:
        return write_reports(report, folder, trail)
    kept = shelf(where, run.settings.repo)
    files = write_reports(report, folder, trail, kept.read())
    if why := unfit(report):
        run.show.tell(f"{where}: not added; {why}")
    else:
        run.show.tell(put(kept, digest_of(report), where))
    return files


def undone(run: Run, report: Report) -> tuple[str, ...]:
    """What the numbers are not of, one sentence each; nothing where all was done in the end."""
    known = partial.read(run.folder.path)
    return (*_missing(known), *_out_of_time(run, report, known.minutes), *_part(run))


def _missing(known: partial.Partial) -> list[str]:
    return [
        f"Shard {number} of {known.of} is missing: its tasks are in no number."
        for number in known.missing
    ]


def _part(run: Run) -> list[str]:
    if run.settings.shard is None:
        return []
    number, of = run.settings.shard.number, run.settings.shard.of
    return [
        (
            f"This is shard {number} of {of}, at most {counted(run.most_tasks(), 'task')} of "
            f"{run.settings.max_tasks}: no gate looks at it, and its verdict is not the run's."
        )
    ]


def _out_of_time(run: Run, report: Report, minutes: float | None) -> list[str]:
    untried = _untried(run)
    cells = [cell for task in report.tasks for cell in task.cells]
    left = sum(cell.outcome is Outcome.CANCELLED for cell in cells)
    if minutes is None or not (left or untried):
        return []
    words = [f"{counted(left, 'attempt')} of {len(cells)} without a verdict"] if left else []
    words += [f"{counted(untried, 'candidate')} not tried as tasks"] if untried else []
    return [
        (
            f"The time limit of {minutes:g} minutes was reached before all was done: "
            f"{' and '.join(words)}. No rate counts them; the same command goes on."
        )
    ]


def _untried(run: Run) -> int:
    """Candidates that would be tried, were there time for more."""
    if len(run.tasks()) >= run.most_tasks():
        return 0
    tried = {task.fix_commit for task in run.folder.read(Task)}
    tried |= {drop.commit for drop in run.folder.read(Dropped) if drop.stage == "validate"}
    return sum(candidate.fix_commit not in tried for candidate in run.chosen())


def _absent(settings: Settings) -> list[str]:
    current = settings.current_model
    if current is None or current in settings.models:
        return []
    return [f"The current model, {current}, did not take part: nothing is compared with it."]


def _rewriting(run: Run) -> Decimal | None:
    name = run.settings.rewrite_with
    if name is None:
        return None
    return billed(run.folder.exchanges, name, [task.id for task in run.all_tasks()])


def _cutoffs(settings: Settings, patches: Iterable[Patch]) -> dict[str, Cutoff | None]:
    """Entrant → cutoff of the model that answered, which need not be the one asked for."""
    served: dict[str, list[str | None]] = {name: [] for name in settings.models}
    for patch in patches:
        if patch.entrant in served:
            served[patch.entrant].append(patch.served_model)
    return {name: cutoff(name, models, settings.cutoffs) for name, models in served.items()}


def newest_first(tasks: list[Task]) -> list[Task]:
    """As people read a history; equals by their id."""
    return sorted(tasks, key=lambda task: (-task.committed_at.timestamp(), task.id))


def _latest_drops(run: Run) -> list[Dropped]:
    proven = {task.fix_commit for task in run.folder.read(Task)}
    latest = run.folder.latest(Dropped, lambda d: d.commit).values()
    return [d for d in latest if d.stage == "mine" or d.commit not in proven]


def _limits(settings: Settings) -> tuple[str, ...]:
    return (
        (
            "Every patch ran in a fresh container without network, "
            "with the tests of the fix laid over it last."
        ),
        (
            "A task counts if its tests fail before the fix and pass after it, "
            f"{settings.validation_runs} times on each side with different hash seeds."
        ),
        (
            "Passing tests show that a patch does what the tests ask, not that it would be merged: "
            "design, style, security, speed and whatever has no test are not judged."
        ),
        f"At most {settings.max_tasks} tasks are used, spread over time and the size of fixes.",
    )
