"""The report as one HTML page that needs no network, no script and no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from core.report import Cell, Report
from core.types import Outcome
from reports import view
from reports.escape import beginning, one_line, visible
from reports.latency import NOTES, latency_lines
from reports.memory import echo_words, memory_lines, memory_notes, probe_words
from reports.numbers import counted, money, seconds
from reports.quality import quality_lines, quality_notes, quality_title
from reports.words import EMPTY, SIGNS, banners, reason_words, stage_words

_ALL_PATCHES = 12_000_000
"""Characters of patches in one page, shared out evenly; a browser still scrolls well there."""
_PATCH_CHARACTERS = (1_000, 60_000)
_PATCH_LINES = 1_000
_HEADER_CHARACTERS = 90
"""Names of columns longer than this together are written upright."""
_STATEMENT = (200, 12_000)
"""Lines and characters."""
_KINDS = {"+": "add", "-": "del", "@": "hunk"}


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a patch, each line with its CSS class or an empty string."""

    lines: Sequence[tuple[str, str]]
    more: int


def page(report: Report) -> str:
    """The whole page. Every value is escaped; the style is allowed by its hash alone."""
    css = _style()
    attempts = [note for note in (view.attempts_note(report), *view.method()) if note]
    room, columns = _room(report), view.all_columns(report)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            css=Markup(css),  # noqa: S704 - a file of this package
            policy=_policy(css),
            banners=banners(report),
            facts_line=view.facts_line(report),
            notes=view.notes(report),
            labels=view.labels,
            apart_lines=view.apart_lines(report),
            apart_matrix=view.matrix(report, columns, apart=True),
            models=view.models(report),
            baselines=view.baseline_lines(report),
            columns=columns,
            upright=sum(min(len(row.name), 60) + 4 for row in columns) > _HEADER_CHARACTERS,
            matrix=view.matrix(report, columns),
            memory=memory_lines(report),
            memory_notes=memory_notes(report),
            times=latency_lines(report),
            times_notes=NOTES,
            quality=quality_lines(report),
            quality_title=quality_title(report),
            quality_notes=quality_notes(report),
            echo_words=echo_words,
            probe_words=probe_words,
            legend=view.legend(columns),
            attempts=view.attempts(report),
            fiction={row.name: row.fiction for row in report.entrants},
            limits=(*view.sandbox_line(report), *report.limits, *attempts),
            excerpt=lambda text: excerpt(text, room),
        )
    )


def excerpt(text: str, characters: int) -> Excerpt:
    """The first lines of a patch, at most `characters` of them in letters and signs."""
    shown, more = beginning(text, _PATCH_LINES, characters)
    return Excerpt(list(_lines(visible(shown))), more)


def _lines(diff: str) -> Iterator[tuple[str, str]]:
    """Each line with its class; `---` and `+++` above the first hunk are no changes."""
    in_hunk = False
    for line in diff.split("\n"):
        in_hunk = not line.startswith("diff --git ") and (in_hunk or line.startswith("@@"))
        yield (_KINDS.get(line[:1], "") if in_hunk else "hunk"), line


def _room(report: Report) -> int:
    patches = sum(1 + sum(bool(cell.diff) for cell in task.cells) for task in report.tasks)
    least, most = _PATCH_CHARACTERS
    return max(least, min(most, _ALL_PATCHES // max(1, patches)))


def _statement(text: str) -> str:
    shown, more = beginning(visible(text), *_STATEMENT)
    return f"{shown}\n… {counted(more, 'more line')} in report.json" if more else shown


def _tone(cell: Cell) -> str:
    """The CSS class of an outcome."""
    if cell.outcome is Outcome.PASSED:
        return "scored" if cell.entrant == EMPTY else "passed"
    if cell.entrant == EMPTY and cell.outcome.scored:
        return "meant"
    return "scored" if cell.outcome.scored else "unscored"


def _share(value: float) -> str:
    """A share from 0 to 1 as a coordinate from 0 to 100."""
    return f"{100 * value:.2f}".rstrip("0").rstrip(".")


def _policy(css: str) -> str:
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _style() -> str:
    return (Path(__file__).with_name("templates") / "report.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(one_line=one_line)
    environment.globals.update(
        signs=SIGNS,
        tone=_tone,
        share=_share,
        statement=_statement,
        counted=counted,
        money=money,
        seconds=seconds,
        reason_words=reason_words,
        stage_words=stage_words,
    )
    return environment
