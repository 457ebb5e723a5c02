"""Counting: from the records of a run to the one Report that all renderings are made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from core.attempts import Key
from core.confinement import Confinement
from core.echo import OwnWords, own_words
from core.opinion import Opinion
from core.report import ApartRow, Cell, DropRow, EntrantRow, Report, TaskRow
from core.types import Cause, Cutoff, Dropped, Outcome, Patch, Probe, Task, Verdict
from reports.analysis import MARGIN, analyse
from reports.counting import row_of, total
from reports.decision import decide
from reports.latency import latency, p50
from reports.memory import echo_of, memory_rows, probe_row
from reports.quality import quality_of
from reports.words import EMPTY, REFERENCE

_EXAMPLES = 3
_NOT_JUDGED = "the run ended before this was judged"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a run left behind, the latest record of each (task, entrant, attempt) only.

    Patches and verdicts may be read when they are asked for: they are, once and an entrant at a
    time, so that no more than one entrant's are in memory.
    """

    repository: str
    head: str
    version: str
    made_at: datetime
    commits_seen: int
    candidates: int
    entrants: Sequence[str]
    attempts: int
    """Attempts asked for per task and entrant."""
    tasks: Sequence[Task]
    patches: Mapping[Key, Patch]
    verdicts: Mapping[Key, Verdict]
    dropped: Sequence[Dropped]
    limits: Sequence[str]
    apart: Sequence[ApartRow] = ()
    """Candidates that count in no rate."""
    apart_tasks: Sequence[Task] = ()
    """Those of them that were run all the same."""
    notices: Sequence[str] = ()
    rewriter: str | None = None
    rewriting_usd: Decimal | None = None
    probes: Sequence[Probe] = ()
    """The latest of each (task, entrant)."""
    cutoffs: Mapping[str, Cutoff | None] = field(default_factory=dict)
    """By entrant."""
    sandbox: Confinement | None = None
    opinions: Sequence[Opinion] = ()
    """On the patches that there are."""
    current: str | None = None
    """The model that the team uses, to compare the others with."""
    margin: float = MARGIN
    """How much worse than it still counts as good as, a share."""


@dataclass(frozen=True)
class _Try:
    """One attempt that was asked for, with what is known of it."""

    task: str
    cell: Cell
    patch: Patch | None
    judged: bool


def tally(facts: Facts) -> Report:
    """Count a run.

    Every (task, entrant, attempt) that was asked for gets a cell: one without a verdict is
    `cancelled`. Records of anything that was not asked for are left out.
    """
    rows, tasks = _counted(facts, facts.tasks)
    apart_rows, apart_tasks = _counted(facts, facts.apart_tasks)
    report = Report(
        repository=facts.repository,
        head=facts.head,
        made_at=facts.made_at,
        patchmark_version=facts.version,
        verdict="",
        tasks_broken=any(_breaks(cell) for row in tasks for cell in row.cells),
        replayed=any(row.replayed for row in rows),
        fiction=any(row.fiction is not None for row in rows),
        commits_seen=facts.commits_seen,
        candidates=facts.candidates,
        entrants=rows,
        tasks=tasks,
        dropped=_dropped(facts.dropped),
        limits=tuple(facts.limits),
        apart=tuple(facts.apart),
        apart_entrants=apart_rows if apart_tasks else (),
        apart_tasks=apart_tasks,
        notices=tuple(facts.notices),
        rewriter=facts.rewriter,
        rewriting_usd=facts.rewriting_usd,
        memory=memory_rows(rows, tasks, facts.cutoffs),
        quality=quality_of(facts.opinions, facts.entrants),
        sandbox=facts.sandbox,
    )
    analysis = analyse(report, current=facts.current, margin=facts.margin)
    report = report.model_copy(update={"analysis": analysis})
    return report.model_copy(update={"verdict": decide(report)})


def _counted(
    facts: Facts, tasks: Sequence[Task]
) -> tuple[tuple[EntrantRow, ...], tuple[TaskRow, ...]]:
    """Every entrant over these tasks, and these tasks."""
    if not tasks:
        return tuple(_entrant(name, (), ()) for name in facts.entrants), ()
    own = {task.id: own_words(task) for task in tasks}
    names = dict.fromkeys(facts.entrants)
    probes = [probe for probe in facts.probes if probe.task_id in own and probe.entrant in names]
    cells: dict[str, list[Cell]] = defaultdict(list)
    rows = []
    for name in names:
        tries = [
            _try(key, facts.patches.get(key), facts.verdicts.get(key), own[task.id])
            for task in tasks
            for attempt in range(1, facts.attempts + 1)
            for key in [(task.id, name, attempt)]
        ]
        rows.append(_entrant(name, tries, probes))
        for one in tries:
            cells[one.task].append(one.cell)
    return tuple(rows), tuple(_task(task, cells[task.id], probes) for task in tasks)


def _try(key: Key, patch: Patch | None, verdict: Verdict | None, own: OwnWords) -> _Try:
    cell = Cell(
        entrant=key[1],
        attempt=key[2],
        outcome=verdict.outcome if verdict else Outcome.CANCELLED,
        cause=verdict.cause if verdict else Cause.PATCHMARK,
        stop=patch.stop if patch else None,
        detail=_detail(patch, verdict),
        not_fixed=verdict.not_fixed if verdict else (),
        broken=verdict.broken if verdict else (),
        dropped_edits=verdict.dropped_edits if verdict else (),
        cost_usd=patch.cost_usd if patch else None,
        seconds=patch.seconds if patch else None,
        diff=patch.diff if patch else "",
        gold_echo=echo_of(own, patch),
    )
    return _Try(key[0], cell, patch, verdict is not None)


def _detail(patch: Patch | None, verdict: Verdict | None) -> str:
    if verdict is None:
        return _NOT_JUDGED
    return verdict.detail or (patch.detail if patch else "")


def _entrant(name: str, tries: Sequence[_Try], probes: Sequence[Probe]) -> EntrantRow:
    asked = [probe.cost_usd for probe in probes if probe.entrant == name]
    patches = [one.patch for one in tries if one.patch is not None]
    row = row_of(name, (one.cell.outcome for one in tries), _cost(tries))
    return row.model_copy(
        update={
            "cost_usd": total([row.cost_usd, *asked]),
            "seconds_p50": p50(patch.seconds for patch in patches),
            "first_token_seconds_p50": p50(patch.first_token_seconds for patch in patches),
            "served_models": _served(patches),
            "replayed": any(patch.replayed for patch in patches),
            "batched": any(patch.batched for patch in patches),
            "fiction": _fiction(patches),
            "latency": latency(patches),
        }
    )


def _cost(tries: Sequence[_Try]) -> Decimal | None:
    """The sum over all patches, also those not scored.

    An attempt with neither patch nor verdict was never made and cost nothing; one that was
    judged without its patch being known has an unknown cost.
    """
    return total(one.cell.cost_usd for one in tries if one.patch is not None or one.judged)


def _served(patches: Sequence[Patch]) -> tuple[str, ...]:
    found = {
        patch.served_model
        for patch in patches
        if patch.served_model is not None and patch.served_model != patch.requested_model
    }
    return tuple(sorted(found))


def _fiction(patches: Sequence[Patch]) -> str | None:
    texts = dict.fromkeys(patch.fiction for patch in patches if patch.fiction is not None)
    return "; ".join(texts) if texts else None


def _breaks(cell: Cell) -> bool:
    """Whether a baseline shows that the tasks cannot be trusted.

    What is not scored proves nothing in either direction, unless the task itself is to blame.
    """
    if cell.entrant == EMPTY:
        return cell.outcome is Outcome.PASSED
    told = cell.outcome.scored or cell.cause is Cause.TASK
    return cell.entrant == REFERENCE and told and cell.outcome is not Outcome.PASSED


def _task(task: Task, cells: Sequence[Cell], probes: Sequence[Probe]) -> TaskRow:
    return TaskRow(
        id=task.id,
        title=task.title,
        committed_at=task.committed_at,
        statement=task.statement,
        statement_source=task.statement_source,
        issue=task.issue,
        fix_commit=task.fix_commit,
        source_files=task.source_files,
        gold_patch=task.gold_patch,
        fail_to_pass=len(task.fail_to_pass),
        pass_to_pass=len(task.pass_to_pass),
        cells=tuple(cells),
        pull_request=task.pull_request,
        links=task.links,
        labels=task.labels,
        expects=task.expects,
        leak=task.leak,
        vagueness=task.vagueness,
        difficulty=task.difficulty,
        runner_files=task.runner_files,
        probes=tuple(probe_row(probe) for probe in probes if probe.task_id == task.id),
    )


def _dropped(dropped: Iterable[Dropped]) -> tuple[DropRow, ...]:
    """Counts by stage and reason: mining first, then the most frequent first."""
    groups: dict[tuple[str, str], list[Dropped]] = defaultdict(list)
    for item in dropped:
        groups[item.stage, item.reason.value].append(item)
    rows = [
        DropRow(
            reason=reason,
            stage=stage,
            count=len(items),
            examples=tuple(f"{item.commit[:12]} {item.title}" for item in items[:_EXAMPLES]),
        )
        for (stage, reason), items in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.stage, -row.count, row.reason)))
