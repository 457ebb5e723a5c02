"""The report as one HTML page that needs no network and no other file."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Container, Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core.analysis import Analysis
from core.report import Cell, EntrantRow, Report, TaskRow
from core.types import Outcome
from reports import view
from reports.escape import beginning, one_line, visible
from reports.evidence import (
    breakdown_tables,
    comparison_table,
    evidence_notes,
    frontier_table,
    routing_table,
)
from reports.frontier import plot, unpriced
from reports.html_tasks import Tasks, is_shown, packed, tone
from reports.latency import NOTES, latency_lines
from reports.memory import memory_lines, memory_notes, probe_words
from reports.numbers import counted, money, seconds
from reports.quality import quality_lines, quality_notes, quality_title
from reports.rows import table
from reports.shown import shown, shown_note, shown_of
from reports.trail import NONE, Trail
from reports.trends import Trend, trends
from reports.words import BASELINES, SIGNS, Sign, banners, listing, reason_words, stage_words

_TEMPLATES = Path(__file__).with_name("templates")
_SCRIPTS = ("diff.js", "attempts.js", "report.js")
"""In the order they run; a later one uses what an earlier one defines."""
_NAMES_IN_A_ROW = 90
"""Names of columns longer than this together are written upright."""
_STATEMENT = (200, 12_000)
"""Lines and characters."""
_NARROW = (380, 340)
"""Width and height of a drawing for a telephone."""


def page(
    report: Report,
    trail: Trail = NONE,
    earlier: Sequence[Trend] = (),
    changes: Mapping[str, str] | None = None,
    sheet: str | None = None,
) -> str:
    """The whole page. Every value is escaped; styles and scripts are allowed by hash alone.

    `changes` is what may be said of each model against earlier runs, `sheet` the report's table
    where it was made already.
    """
    css, scripts = _text("report.css"), [_text(name) for name in _SCRIPTS]
    columns, here = view.all_columns(report), shown(report)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            css=Markup(css),  # noqa: S704 - a file of this package
            scripts=[Markup(script) for script in scripts],  # noqa: S704 - likewise
            policy=_policy([css], scripts),
            banners=banners(report),
            facts_line=view.facts_line(report),
            notes=view.notes(report),
            models=view.models(report),
            baselines=view.baseline_lines(report),
            plots=[one for one in (plot(report), plot(report, *_NARROW)) if one is not None],
            unpriced=listing(unpriced(report)),
            trends=trends(report, earlier),
            changes=changes or {},
            **_statistics(report),
            columns=columns,
            upright=sum(min(len(row.name), 60) + 4 for row in columns) > _NAMES_IN_A_ROW,
            matrix=_lines(report, columns, here),
            shown_note=shown_note(report),
            legend=view.legend(columns),
            faults=_faults(report),
            tasks=Tasks(shown_of(report), trail),
            apart_lines=view.apart_lines(report),
            apart_matrix=_lines(report, columns, here, apart=True),
            memory=memory_lines(report),
            memory_notes=memory_notes(report),
            times=latency_lines(report),
            times_notes=NOTES,
            quality=quality_lines(report),
            quality_title=quality_title(report),
            quality_notes=quality_notes(report),
            limits=_limits(report),
            sheet=packed(table(report) if sheet is None else sheet),
        )
    )


def _lines(
    report: Report, columns: Sequence[EntrantRow], here: Container[str], *, apart: bool = False
) -> list[view.MatrixLine]:
    """Those on the page, numbered as they are in the whole report."""
    lines = view.matrix(report, columns, apart=apart)
    return [line for line in lines if line.task.id in here]


def _statistics(report: Report) -> dict[str, object]:
    """The tables of what can be said, and how surely; nothing of reports from before them."""
    of = report.analysis
    if of is None or not of.entrants:
        return {"compared": None, "costs": [], "breakdowns": [], "statistics_notes": [], "reach": 1}
    costs = [table for table in (frontier_table(of), routing_table(of)) if table is not None]
    return {
        "compared": comparison_table(of),
        "reach": _reach(of),
        "costs": costs,
        "breakdowns": breakdown_tables(of),
        "statistics_notes": evidence_notes(report),
    }


def _reach(of: Analysis) -> float:
    """The largest difference that has to be drawn, in tenths."""
    ends = [abs(end) for one in of.comparisons for end in (one.low, one.high) if end is not None]
    return max(0.1, math.ceil(10 * max([of.margin, *ends])) / 10)


def _faults(report: Report) -> dict[str, str]:
    """By model, who has to answer for what did not pass: `model 12, provider 2`."""
    entrants = report.analysis.entrants if report.analysis else ()
    return {
        of.entrant: ", ".join(f"{cause.value} {count}" for cause, count in of.causes.items())
        for of in entrants
        if of.causes
    }


def _ends(row: EntrantRow, legend: Sequence[Sign]) -> list[int]:
    """How many attempts ended in each of these ways."""
    return [sum(n for end, n in row.outcomes.items() if SIGNS[end] is sign) for sign in legend]


def _limits(report: Report) -> tuple[str, ...]:
    note = view.attempts_note(report)
    method = [note, *view.method()] if note else view.method()
    return (*view.sandbox_line(report), *report.limits, *method)


def _statement(text: str) -> str:
    shown, more = beginning(visible(text), *_STATEMENT)
    return f"{shown}\n… {counted(more, 'more line')} in report.json" if more else shown


def _counts(task: TaskRow) -> tuple[int, int, int]:
    """Attempts of models at a task: passed, scored, all."""
    cells = [cell for cell in task.cells if cell.entrant not in BASELINES]
    passed = sum(cell.outcome is Outcome.PASSED for cell in cells)
    return passed, sum(cell.outcome.scored for cell in cells), len(cells)


def _places(task: TaskRow) -> dict[tuple[str, int], int]:
    """Where the attempt of an entrant stands in a task's cells, from 1."""
    return {(cell.entrant, cell.attempt): place for place, cell in enumerate(task.cells, 1)}


def _rank(cells: Sequence[Cell]) -> int:
    """How good a field of the matrix is, for sorting: passes first."""
    order = list(Outcome)
    return sum(order.index(cell.outcome) for cell in cells)


def _share(value: float) -> str:
    """A share from 0 to 1 as a coordinate from 0 to 100."""
    return f"{100 * value:.2f}".rstrip("0").rstrip(".")


def _policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, scripts))}",
            f"style-src {' '.join(map(_digest, styles))}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(one_line=one_line)
    environment.globals.update(
        signs=SIGNS,
        tone=tone,
        rank=_rank,
        counts=_counts,
        ends=_ends,
        places=_places,
        is_shown=is_shown,
        share=_share,
        statement=_statement,
        labels=view.labels,
        counted=counted,
        money=money,
        seconds=seconds,
        probe_words=probe_words,
        reason_words=reason_words,
        stage_words=stage_words,
    )
    return environment
