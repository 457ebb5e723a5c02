"""The report in a terminal: everything a decision needs, at 80 columns, with or without colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.report import Cell, EntrantRow, Report
from core.types import Outcome
from reports import view
from reports.escape import one_line
from reports.evidence import comparison_table, evidence_notes, routing_table
from reports.memory import memory_lines
from reports.numbers import counted
from reports.quality import quality_lines, quality_title
from reports.words import SIGNS, Tone, banners, reason_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_MOST_TASKS = 40
_MOST_PAIRS = 6
_ONLY_IN_FILES = ("Tasks", "p", "Cost", "Time")
_TASK_ROOM = 30
"""Columns kept for a task's number and title."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def show(report: Report, console: Console) -> None:
    """Print a report. Nothing in it is taken for markup, and control characters are not sent."""
    _line(console, f"patchmark: {one_line(report.repository, 60)}", "bold")
    for banner in banners(report):
        loud = banner.tone is Tone.CAUTION
        sign, style = ("!!", "bold red") if loud else ("!", "yellow")
        _line(console, f"{sign} {one_line(banner.text)}", style)
    console.line()
    _line(console, one_line(report.verdict, 1000), "bold")
    console.line()
    if report.tasks:
        columns = view.columns(report)
        _models(report, columns, console)
        _line(console, view.baselines(report), "dim")
        console.line()
        _evidence(report, console)
        _matrix(report, columns, console)
        _memory(report, columns, console)
        _quality(report, console)
    _dropped(report, console)
    for note in (*view.notes(report), *view.sandbox_line(report)):
        _line(console, one_line(note, 400), "dim")
    _line(console, one_line(view.facts_line(report)), "dim")


def _line(console: Console, text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style), highlight=False)


def _quality(report: Report, console: Console) -> None:
    for line in quality_lines(report):
        words = f"better {line.better}, even {line.even}, worse {line.worse}"
        _line(console, f"{quality_title(report)}, beside the real fix: {line.name} {words}", "dim")


def _dropped(report: Report, console: Console) -> None:
    if not report.dropped:
        return
    parts = [f"{row.count} × {one_line(reason_words(row.reason))}" for row in report.dropped]
    total = sum(row.count for row in report.dropped)
    are = "is" if total == 1 else "are"
    _line(console, f"{counted(total, 'commit')} {are} no task ({', '.join(parts)}).", "dim")


def _table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)


def _models(report: Report, columns: Sequence[EntrantRow], console: Console) -> None:
    from rich.text import Text

    lines = view.models(report)
    if not lines:
        return
    letters = _letters(columns)
    table = _table()
    table.add_column("")
    table.add_column("model", overflow="fold", min_width=12)
    for name in ("passed", "95 %", "cost", "per solve", "median"):
        table.add_column(name, justify="right", no_wrap=True)
    for item in lines:
        cells = (item.rate, item.interval, item.cost, item.per_solve, item.seconds)
        table.add_row(letters[item.row.name], _name(item), *(Text(cell) for cell in cells))
    console.print(table)


def _name(item: view.ModelLine) -> Text:
    from rich.text import Text

    name = Text(one_line(item.row.name, 60), style="bold")
    missing = "" if item.not_scored == "0" else f"not scored: {item.not_scored}"
    for note in filter(None, (item.label, missing)):
        name.append(f"\n{one_line(note, 120)}", style="not bold dim")
    return name


def _matrix(report: Report, columns: Sequence[EntrantRow], console: Console) -> None:
    """One row a task, one narrow column an entrant, headed by the letter of its row above."""
    from rich.text import Text

    if not columns:
        return
    width = max(2, view.attempts(report))
    shown = columns[: max(1, (console.width - _TASK_ROOM) // (width + 2))]
    letters = _letters(columns)
    table = _table()
    table.add_column("#", justify="right")
    table.add_column("task", no_wrap=True, overflow="ellipsis", min_width=16)
    for row in shown:
        table.add_column(letters[row.name], no_wrap=True, min_width=width)
    for item in view.matrix(report, shown)[:_MOST_TASKS]:
        signs = [_signs(cells) for cells in item.cells]
        table.add_row(str(item.number), Text(one_line(item.task.title, 100)), *signs)
    console.print(table)
    _legend(columns, console)
    _more(console, len(report.tasks) - _MOST_TASKS, "more task")
    _more(console, len(columns) - len(shown), "more column")
    console.line()


def _evidence(report: Report, console: Console) -> None:
    """Comparisons and routes, with the columns that fit; the files have all of it."""
    from rich.text import Text

    of = report.analysis
    if of is None or not of.comparisons:
        return
    for found in (comparison_table(of), routing_table(of)):
        if found is None:
            continue
        table = _table()
        kept = [at for at, name in enumerate(found.head) if name not in _ONLY_IN_FILES]
        table.add_column(one_line(found.title, 60), overflow="fold", min_width=16)
        for at in kept[1:]:
            table.add_column(found.head[at], justify="right", no_wrap=True)
        for row in found.rows[:_MOST_PAIRS]:
            table.add_row(*(Text(one_line(row[at], 80)) for at in kept))
        console.print(table)
        _more(console, len(found.rows) - _MOST_PAIRS + found.left_out, "more row")
        console.line()
    _line(console, evidence_notes(report)[0], "dim")
    console.line()


def _memory(report: Report, columns: Sequence[EntrantRow], console: Console) -> None:
    """One row a model, headed by its letter; how to read it stands in the other renderings."""
    from rich.text import Text

    lines = memory_lines(report)
    if not lines:
        return
    letters = _letters(columns)
    table = _table()
    for name in ("", "cutoff", "passed before", "passed after"):
        table.add_column(name, no_wrap=True)
    for name in ("probe hits", "repeat the fix"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        before, after, echo = map(_below, (line.before, line.after, line.echo))
        cells = (line.cutoff, before, after, line.probes, echo)
        table.add_row(letters[line.name], *(Text(cell) for cell in cells))
    console.print(table)
    signs = "fixes recalled from their titles, patches that repeat the real fix's own words"
    _line(console, f"Signs of memory, in no rate: {signs}.", "dim")
    console.line()


def _below(parts: Sequence[str]) -> str:
    return "\n".join(filter(None, parts))


def _more(console: Console, number: int, noun: str) -> None:
    if number > 0:
        _line(console, f"… {counted(number, noun)} in report.html", "dim")


def _legend(columns: Sequence[EntrantRow], console: Console) -> None:
    signs = "   ".join(f"{sign.plain} {sign.word}" for sign in view.legend(columns))
    _line(console, signs, "dim")
    letters = _letters(columns)
    odd = [f"{letters[row.name]} {row.name}" for row in columns if row.baseline]
    if odd:
        _line(console, "   ".join(odd), "dim")


def _letters(entrants: Sequence[EntrantRow]) -> dict[str, str]:
    """A, B, … Z, AA, AB, …: short names for columns."""
    count = len(_LETTERS)
    return {
        row.name: (_LETTERS[at // count - 1] if at >= count else "") + _LETTERS[at % count]
        for at, row in enumerate(entrants)
    }


def _signs(cells: Sequence[Cell]) -> Text:
    from rich.text import Text

    text = Text()
    for cell in cells:
        text.append(SIGNS[cell.outcome].plain, style=_style(cell.outcome))
    return text


def _style(outcome: Outcome) -> str:
    if outcome is Outcome.PASSED:
        return "green"
    return "red" if outcome.scored else "yellow"
