"""A change check in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from core.change_check import ChangeCheck, ChangedItem
from core.report import Report
from reports.change_check_view import item_line, lines, moved, told_words
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
    if change.entrants and report.tasks:
        for line in (*_lines(report, change), *_moved(report, change)):
            say(line)
    for title, items in (("Compared", change.compared), ("Not compared", change.ignored)):
        for line in _listed(title, items):
            say(line)
    if change.untouched and change.entrants:
        say(f"\nAsked the same by both, and so not at all: {listing(change.untouched)}")
    for note in notes(report):
        say(f"\n{one_line(note, 400)}")


def _lines(report: Report, change: ChangeCheck) -> list[str]:
    """A few lines for each model."""
    found = []
    for one in lines(report, change):
        p = f"p {one.p}" if one.p.startswith("<") else f"p = {one.p}"
        rates = f"{one.base} → {one.head}: better on {one.better}, worse on {one.worse} ({p})"
        found += [
            f"\n{one_line(one.name, 120)}: {one.says}",
            f"  pass rate {rates}",
            f"  cost {one.cost}",
            f"  time {one.time}",
        ]
    return found


def _moved(report: Report, change: ChangeCheck) -> list[str]:
    found = moved(report, change)
    shown = [
        f"  {'better' if task.gained else 'worse'}: {one_line(task.title, 70)}"
        + (f" ({one_line(task.entrant, 60)})" if len(change.entrants) > 1 else "")
        for task in found[:_SHOWN]
    ]
    shown = ["", "Tasks that came out differently:", *shown] if shown else []
    return shown + ([f"  and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else [])


def _listed(title: str, items: Sequence[ChangedItem]) -> list[str]:
    if not items:
        return []
    shown = [f"  {one_line(i.name, 100)}: {one_line(item_line(i), 200)}" for i in items[:_SHOWN]]
    more = len(items) - len(shown)
    return [f"\n{title}:", *shown, *([f"  and {more} more"] if more > 0 else [])]
