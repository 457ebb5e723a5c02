"""A change check in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from core.change_check import ChangeCheck, ChangedItem
from core.report import Report
from reports.change_check_view import item_line, lines, moved, told_words, versions_line
from reports.escape import one_line
from reports.view import notes
from reports.words import banners, listing

_SHOWN = 30


def show(report: Report, change: ChangeCheck, console: Console) -> None:
    """Print it. Whatever comes from the repository is cut to a line and never markup."""

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, emoji=False)

    say(one_line(report.verdict, 700))
    for banner in banners(report):
        say(f"! {one_line(banner.text, 600)}")
    if change.told:
        say(f"! {told_words(change)}")
    found = lines(report, change)
    if found and report.tasks:
        say("")
        console.print(_table(report, change))
        for line in _moved(report, change):
            say(line)
    for title, items in (("Compared", change.compared), ("Not compared", change.ignored)):
        for line in _listed(title, items):
            say(line)
    if change.untouched and change.entrants:
        say(f"\nAsked the same by both, and so not at all: {listing(change.untouched)}")
    for note in notes(report):
        say(f"\n{one_line(note, 400)}")
    say(f"\n{versions_line(change)}")


def _table(report: Report, change: ChangeCheck) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("Model", "Base", "Change", "Better", "Worse", "p", "The change", "Cost", "Time"):
        table.add_column(title, overflow="fold")
    for one in lines(report, change):
        cells = (one.name, one.base, one.head, one.better, one.worse, one.p, one.says)
        table.add_row(*(one_line(cell, 120) for cell in (*cells, one.cost, one.time)))
    return table


def _moved(report: Report, change: ChangeCheck) -> list[str]:
    found = moved(report, change)
    shown = [
        f"  {'better' if task.gained else 'worse'}: {one_line(task.title, 70)}"
        + (f" ({one_line(task.entrant, 60)})" if len(change.entrants) > 1 else "")
        for task in found[:_SHOWN]
    ]
    return shown + ([f"  and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else [])


def _listed(title: str, items: Sequence[ChangedItem]) -> list[str]:
    if not items:
        return []
    shown = [f"  {one_line(i.name, 100)}: {one_line(item_line(i), 200)}" for i in items[:_SHOWN]]
    more = len(items) - len(shown)
    return [f"\n{title}:", *shown, *([f"  and {more} more"] if more > 0 else [])]
