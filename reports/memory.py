"""Whether models know the fixes by heart: what is counted, and the words for it.

Nothing here changes a pass rate. What a model was trained on is not known: these are signs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from statistics import median

from core.echo import FEWEST_WORDS, HIGH, OwnWords
from core.report import Cell, EntrantRow, GoldEcho, MemoryRow, ProbeRow, Report, Side, TaskRow
from core.types import Cutoff, Outcome, Patch, Probe
from reports import numbers, view
from reports.statistics import FEWEST_TASKS, wilson
from reports.words import BASELINES, listing

_HIT_LINES = 2
"""Telling lines of a fix that nobody writes by chance from its title."""


@dataclass(frozen=True)
class MemoryLine:
    """One row of the table; a side is its pass rate, its interval, and what is wrong with it.

    Parts that say nothing are empty.
    """

    name: str
    cutoff: str
    before: tuple[str, str, str]
    after: tuple[str, str, str]
    probes: str
    echo: tuple[str, str]
    """How many patches repeat the fix, and the median."""


def echo_of(own: OwnWords, patch: Patch | None) -> GoldEcho | None:
    """What a model's patch has of the fix's own words; the reference is the fix, and no model."""
    if patch is None or not patch.diff or patch.entrant in BASELINES:
        return None
    echo = own.echo(patch.diff)
    if echo is None:
        return None
    return GoldEcho(share=echo.share, own=echo.own, repeated=echo.repeated)


def probe_row(probe: Probe) -> ProbeRow:
    """A probe as the report holds it."""
    known = probe.similarity is not None and probe.similarity >= HIGH
    return ProbeRow(
        entrant=probe.entrant,
        stop=probe.stop,
        hit=known or len(probe.verbatim) >= _HIT_LINES,
        similarity=probe.similarity,
        verbatim=probe.verbatim,
        cost_usd=probe.cost_usd,
        fiction=probe.fiction,
    )


def memory_rows(
    entrants: Sequence[EntrantRow],
    tasks: Sequence[TaskRow],
    cutoffs: Mapping[str, Cutoff | None],
) -> tuple[MemoryRow, ...]:
    """One row a model; none where no cutoff is known, nothing was probed and nothing echoes."""
    rows = [_row(e, tasks, cutoffs.get(e.name)) for e in entrants if not e.baseline]
    told = any(row.cutoff or row.probed or row.probes_usd != 0 or row.echoes for row in rows)
    return tuple(rows) if told and tasks else ()


def _row(entrant: EntrantRow, tasks: Sequence[TaskRow], cutoff: Cutoff | None) -> MemoryRow:
    name = entrant.name
    # Whoever wrote an invented answer was not trained up to any day.
    cutoff = None if entrant.fiction is not None else cutoff
    probes = [probe for task in tasks for probe in task.probes if probe.entrant == name]
    costs = [probe.cost_usd for probe in probes]
    known = [cost for cost in costs if cost is not None]
    cells = [cell for task in tasks for cell in task.cells if cell.entrant == name]
    echoes = [cell.gold_echo.share for cell in cells if cell.gold_echo]
    return MemoryRow(
        entrant=name,
        cutoff=cutoff,
        before=_side(name, [t for t in tasks if _day(t) <= cutoff.day]) if cutoff else None,
        after=_side(name, [t for t in tasks if _day(t) > cutoff.day]) if cutoff else None,
        probed=sum(probe.similarity is not None for probe in probes),
        hits=sum(probe.hit for probe in probes),
        probes_usd=sum(known, Decimal(0)) if len(known) == len(costs) else None,
        echoes=len(echoes),
        echo_median=median(echoes) if echoes else None,
        echo_high=sum(share >= HIGH for share in echoes),
    )


def _day(task: TaskRow) -> date:
    return task.committed_at.astimezone(UTC).date()


def _side(name: str, tasks: Sequence[TaskRow]) -> Side:
    by_task = [[c for c in t.cells if c.entrant == name and c.outcome.scored] for t in tasks]
    cells = [cell for scored in by_task for cell in scored]
    passed = sum(cell.outcome is Outcome.PASSED for cell in cells)
    interval = wilson(passed, len(cells))
    return Side(
        tasks=sum(bool(scored) for scored in by_task),
        scored=len(cells),
        passed=passed,
        pass_rate=passed / len(cells) if cells else None,
        ci_low=interval.low if interval else None,
        ci_high=interval.high if interval else None,
    )


# --- words ---------------------------------------------------------------------------------


def memory_lines(report: Report) -> list[MemoryLine]:
    """The rows, in the order of the table of models."""
    place = {line.row.name: at for at, line in enumerate(view.models(report))}
    return [
        MemoryLine(
            name=row.entrant,
            cutoff=row.cutoff.stated if row.cutoff else numbers.UNKNOWN,
            before=_words(row.before),
            after=_words(row.after),
            probes=_probes(row),
            echo=_echo(row),
        )
        for row in sorted(report.memory, key=lambda row: place[row.entrant])
    ]


def _words(side: Side | None) -> tuple[str, str, str]:
    if side is None:
        return numbers.NONE, "", ""
    if not side.scored:
        return "no task", "", ""
    few = side.tasks < FEWEST_TASKS
    return (
        numbers.rate(side.pass_rate, side.passed, side.scored),
        numbers.interval(side.ci_low, side.ci_high),
        "too few to tell" if few else "",
    )


def _probes(row: MemoryRow) -> str:
    if not row.probed and row.probes_usd == 0:
        return numbers.NONE
    return f"{row.hits} of {row.probed}"


def _echo(row: MemoryRow) -> tuple[str, str]:
    if not row.echoes:
        return numbers.NONE, ""
    return f"{row.echo_high} of {row.echoes}", f"median {numbers.per_cent(row.echo_median)}"


def echo_words(cell: Cell) -> str:
    """What a cell's patch repeats of the real fix, in a line; empty where it is not known."""
    echo = cell.gold_echo
    if echo is None:
        return ""
    count = f"{len(echo.repeated)} of {echo.own} of the real fix's own words"
    shown = ", ".join(word[:40] for word in echo.repeated[:12])
    more = f" and {len(echo.repeated) - 12} more" if len(echo.repeated) > 12 else ""
    return f"Repeats {count} ({numbers.per_cent(echo.share)})" + (shown and f": {shown}{more}")


def probe_words(probe: ProbeRow) -> str:
    """What came of a probe, in a line."""
    if probe.similarity is None:
        return f"no diff to compare ({probe.stop.value.replace('_', ' ')})"
    lines = numbers.counted(len(probe.verbatim), "whole line")
    hit = "remembers it" if probe.hit else "does not show that it does"
    return f"{numbers.per_cent(probe.similarity)} of the fix's own words and {lines}: {hit}"


def memory_notes(report: Report) -> tuple[str, ...]:
    """How to read the table, one sentence each."""
    if not report.memory:
        return ()
    high = numbers.per_cent(HIGH)
    return (
        *_cutoff_notes(report),
        *_probe_notes(report),
        (
            f"Repeat the fix: patches that hold {high} or more of the real fix's own words, which "
            "nothing forces (new names, words of comments and of texts), and the median share. "
            f"Fixes with fewer than {FEWEST_WORDS} such words are not measured."
        ),
        "These are signs, no proof, and no rate counts them.",
    )


def _cutoff_notes(report: Report) -> list[str]:
    when = "Before and after: fixes committed up to the end of training, and later ones."
    few = f"A side with fewer than {FEWEST_TASKS} tasks tells nothing; later fixes may be harder."
    found = [f"{when} {few}"]
    sources: dict[str, list[str]] = {}
    for row in report.memory:
        if row.cutoff:
            read = f", read {row.cutoff.read_on}" if row.cutoff.read_on else ""
            sources.setdefault(f"{row.cutoff.source}{read}", []).append(row.entrant)
    found += [f"Cutoff of {listing(names)}: {source}." for source, names in sources.items()]
    if unknown := [row.entrant for row in report.memory if row.cutoff is None]:
        found.append(
            f"No cutoff is known of {listing(unknown)}; [cutoffs] in patchmark.toml may say one."
        )
    return found


def _probe_notes(report: Report) -> list[str]:
    if all(not row.probed and row.probes_usd == 0 for row in report.memory):
        return ["Models were not asked what they remember (--probe)."]
    costs = [
        f"{row.entrant} {numbers.money(row.probes_usd)}"
        for row in report.memory
        if row.probes_usd != 0
    ]
    paid = f" Cost: {', '.join(costs)}; part of the cost above, not of the cost per task."
    hit = f"{numbers.per_cent(HIGH)} of the fix's own words, or {_HIT_LINES} of its telling lines"
    return [
        f"Probe: the fix was asked for by its title alone. A hit has {hit}.{paid * bool(costs)}"
    ]
