"""The report as GitHub Markdown: for the pull request's comment and the job summary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from core.digest import Digest
from core.report import Report
from reports import view
from reports.change import Changes, changes
from reports.digest import digest_of, seal, without_tasks
from reports.ends import ends
from reports.escape import Safe, beginning, code, fence, prose
from reports.evidence import evidence_notes, evidence_tables
from reports.latency import NOTES, latency_lines
from reports.memory import memory_lines, memory_notes
from reports.mermaid import chart
from reports.quality import quality_lines, quality_notes, quality_title
from reports.words import SIGNS, banners, listing, reason_words, stage_words

MARKER = "<!-- patchmark:report v1 -->"
"""First line of every comment of ours; how the next run finds it again."""

COMMENT_BYTES = 262_144
"""What GitHub takes for the body of a comment, in UTF-8."""
SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes for one step's summary; a byte more and it shows nothing."""
SMALLEST_LIMIT = 1_000
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class _Rung:
    """How much detail one step of the size ladder keeps."""

    left_out: tuple[str, ...] = ()
    """What this step does not show, in words."""
    patches: bool = True
    names: int = 10
    """Test names listed for each failure."""
    failures: bool = True
    memory: bool = True
    times: bool = True
    evidence: bool = True
    dropped: bool = True
    title: int = 90
    matrix: bool = True
    models: int = 1_000
    method: bool = True
    chart: bool = True
    results: bool = True
    """Whether results task by task go along, for the next run to compare with."""


def _ladder() -> Iterator[_Rung]:
    """From all detail to hardly any: each step keeps less than the one before."""
    steps: list[tuple[str, Callable[[_Rung], _Rung]]] = [
        ("patches", lambda rung: replace(rung, patches=False)),
        ("most names of tests", lambda rung: replace(rung, names=2)),
        ("what did not pass", lambda rung: replace(rung, failures=False)),
        ("comparisons, routing and breakdowns", lambda rung: replace(rung, evidence=False)),
        ("the table of times", lambda rung: replace(rung, times=False)),
        ("signs of memory and opinions", lambda rung: replace(rung, memory=False)),
        ("commits that are no task or kept apart", lambda rung: replace(rung, dropped=False)),
        ("long titles", lambda rung: replace(rung, title=30)),
        ("the table of tasks", lambda rung: replace(rung, matrix=False)),
        ("results for the next run to compare with", lambda rung: replace(rung, results=False)),
        ("the chart", lambda rung: replace(rung, chart=False)),
        ("models beyond the best 20", lambda rung: replace(rung, models=20)),
        ("models beyond the best 5", lambda rung: replace(rung, models=5)),
        ("method and limits", lambda rung: replace(rung, method=False)),
    ]
    yield (rung := _Rung())
    for words, less in steps:
        rung = less(replace(rung, left_out=(*rung.left_out, words)))
        yield rung


def comment(report: Report, *, limit_chars: int = 60_000, before: Digest | None = None) -> str:
    """The body of the pull request comment; its first line is `MARKER`.

    It compares with the run `before`, and carries both runs' numbers where nobody sees them, for
    `reports.digest.run_before` to find.

    Never longer than `limit_chars` (counted in UTF-16 units, of which no text has fewer than
    characters) nor than the bytes GitHub takes. The most detailed sections go first, and the
    text says so. Raises ValueError for a limit below `SMALLEST_LIMIT`.
    """
    if limit_chars < SMALLEST_LIMIT:
        raise ValueError(f"limit_chars is {limit_chars}; it must be at least {SMALLEST_LIMIT}")
    return _longest(report, limit_chars, COMMENT_BYTES, _between(report, before), carried=True)


def summary(report: Report, before: Digest | None = None) -> str:
    """The same text for the job summary, at most 1 MiB."""
    between = _between(report, before)
    return _longest(report, SUMMARY_BYTES, SUMMARY_BYTES, between, carried=False)


@dataclass(frozen=True)
class _Between:
    """What this run has to do with the one before."""

    now: Digest
    before: Digest | None
    moved: Changes | None


def _between(report: Report, before: Digest | None) -> _Between:
    now = digest_of(report)
    return _Between(now, before, changes(now, before))


def _longest(
    report: Report, limit_chars: int, limit_bytes: int, between: _Between, *, carried: bool
) -> str:
    """The most detailed text that fits; where `carried`, with the numbers for the next run."""
    template = _environment().get_template("comment.md.j2")
    for rung in _ladder():
        text = _render(template, report, rung, between.moved, limit_chars)
        if text is None:
            continue
        text += _carried(rung, between) if carried else ""
        if _fits(text, limit_chars, limit_bytes):
            return text
    return next(text for text in _last_resorts(report) if _fits(text, limit_chars, limit_bytes))


def _fits(text: str, limit_chars: int, limit_bytes: int) -> bool:
    units = len(text.encode("utf-16-le")) // 2
    return units <= limit_chars and len(text.encode()) <= limit_bytes


def _last_resorts(report: Report) -> Iterator[str]:
    """The verdict alone, shorter and shorter. Its first words say what the answers are worth."""
    end = "The report is too long for this place; the full report has it."
    for size in (700, 300, 100, 40):
        yield f"{MARKER}\n**{prose(report.verdict, size)}**\n\n{end}\n"


def _render(
    template: Template, report: Report, rung: _Rung, moved: Changes | None, limit_chars: int
) -> str | None:
    """None where it is longer than that for certain, which is seen before all of it is written."""
    lines, columns = view.models(report), view.columns(report)
    method = [note for note in (view.attempts_note(report), *view.method()) if note]
    parts = template.generate(
        marker=Safe(MARKER),
        report=report,
        banners=banners(report),
        models=lines[: rung.models],
        models_left_out=max(0, len(lines) - rung.models),
        baselines=view.baselines(report),
        change=moved.sentence if moved else "",
        changed={name: Safe(words) for name, words in moved.by_entrant.items()} if moved else {},
        chart=chart(report) if rung.chart else "",
        columns=[row.name for row in columns],
        matrix=view.matrix(report, columns) if rung.matrix else [],
        signs=SIGNS,
        legend=view.legend(columns),
        title_limit=rung.title,
        memory=memory_lines(report) if rung.memory else [],
        memory_notes=memory_notes(report),
        times=latency_lines(report) if rung.times else [],
        times_notes=NOTES,
        quality=quality_lines(report) if rung.memory else [],
        quality_title=quality_title(report),
        quality_notes=quality_notes(report),
        evidence=evidence_tables(report) if rung.evidence else [],
        evidence_notes=evidence_notes(report),
        ends=ends(report) if rung.method else None,
        failures=view.failures(report) if rung.failures else [],
        names_limit=rung.names,
        patches=rung.patches,
        attempts=view.attempts(report) > 1,
        fiction={row.name: row.fiction is not None for row in report.entrants},
        dropped=report.dropped if rung.dropped else (),
        dropped_count=sum(row.count for row in report.dropped),
        limits=(*view.sandbox_line(report), *report.limits, *method) if rung.method else (),
        facts_line=view.facts_line(report),
        notes=view.notes(report),
        apart=report.apart if rung.dropped else (),
        left_out=listing(rung.left_out, len(rung.left_out)) if rung.left_out else "",
    )
    found, characters = [], 0
    for part in parts:
        found.append(part)
        characters += len(part) - part.count("\n")  # of which some are taken out below
        if characters > limit_chars:
            return None
    return _BLANK_LINES.sub("\n\n", "".join(found))


def _carried(rung: _Rung, between: _Between) -> str:
    """The hidden lines at the end."""
    kept = (lambda one: one) if rung.results else without_tasks
    before = seal(kept(between.before), "before") + "\n" if between.before else ""
    return f"\n{before}{seal(kept(between.now))}\n"


@cache
def _environment() -> Environment:
    """Every value a template prints is escaped as prose, unless a filter made it safe."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - that would be HTML; `finalize` escapes for Markdown
        finalize=_escaped,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        prose=prose,
        code=code,
        fence=fence,
        beginning=beginning,
        reason_words=reason_words,
        stage_words=stage_words,
    )
    return environment


def _escaped(value: object) -> Safe:
    return value if isinstance(value, Safe) else prose(str(value))
