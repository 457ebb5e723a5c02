"""The comment of a change check, and when it is worth a word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.change_check import ChangeCheck, ChangedItem
from core.report import Report
from reports.change_check_view import item_line, lines, method, moved, told_words
from reports.escape import prose
from reports.quiet import Mode
from reports.stamp import RunId, Stamp, hash_of, stamp_in
from reports.view import facts_line, notes
from reports.words import banners, listing

MARKER = "<!-- patchmark:change-check v1 -->"
"""First line of every such comment: it is another than the backtest's."""
_ROWS = (60, 20, 5, 0)
_BEST = "change check"


@dataclass(frozen=True)
class Decision:
    """Whether the comment is written; else why not."""

    write: bool
    why: str
    stamp: Stamp


def decide(mode: Mode, report: Report, change: ChangeCheck, run: RunId, said: str) -> Decision:
    """What to do about a comment that says `said` now, which is empty where there is none.

    A comment of a newer run is never written over, and nobody is told that there was nothing to
    measure, unless an earlier comment tells something else.
    """
    there = stamp_in(said)
    stamp = Stamp(
        **run.model_dump(),
        verdict=hash_of(_told(report, change)),
        best=_BEST,
        worse=tuple(one.entrant[:200] for one in change.entrants if one.says == "hurts"),
    )
    if there and run.older_than(there):
        return Decision(False, "the comment tells of a newer run", stamp)
    if not said and not change.entrants:
        return Decision(False, "nothing that a model is told changed", stamp)
    if mode == "changes":
        news = there is None or there.verdict != stamp.verdict
        return Decision(news, "nothing changed since the comment was written", stamp)
    if mode == "regressions":
        unresolved = bool(said) and (there is None or there.bad)
        return Decision(stamp.bad or unresolved, "the change hurts no model", stamp)
    return Decision(True, "", stamp)


def _told(report: Report, change: ChangeCheck) -> str:
    """What has to differ for a comment to be news; numbers alone are none."""
    said = [[one.entrant, one.other, one.says] for one in change.entrants]
    # A run without a result is told by its own words.
    return json.dumps([said, sorted(item.name for item in change.compared)]) + (
        "" if report.tasks and not report.tasks_broken else report.verdict
    )


def comment(report: Report, change: ChangeCheck, *, limit_chars: int = 60_000) -> str:
    """The body: its first line is `MARKER`, and it has at most so many UTF-16 units.

    Also what the job summary says, and `report.md`.
    """
    for text in _shorter(report, change):
        if len(text.encode("utf-16-le")) // 2 <= limit_chars:
            return text
    return f"{MARKER}\n**{prose(report.verdict, 300)}**\n"


def _shorter(report: Report, change: ChangeCheck) -> Iterator[str]:
    for rows in _ROWS:
        parts = [
            MARKER,
            f"### patchmark: does this change help? ({prose(report.repository, 80)})",
            f"**{prose(report.verdict, 700)}**",
            *(f"> [!{one.tone.name}]\n> {prose(one.text, 600)}" for one in banners(report)),
            f"> [!WARNING]\n> {prose(told_words(change), 600)}" if change.told else "",
            _table(report, change, rows),
            _compared(change, rows),
            _moved(report, change, rows),
            _ignored(change, rows),
            _method(report, change) if rows > 5 else "",
            *(f"<sub>{prose(note, 400)}</sub>" for note in notes(report)[-1 - rows // 5 :]),
        ]
        yield "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _table(report: Report, change: ChangeCheck, rows: int) -> str:
    found = lines(report, change)
    if not found or not report.tasks:
        return ""
    head = (
        "| Model | Base | This change | Better on | Worse on | p | The change | Cost | Time |\n"
        "|:--|--:|--:|--:|--:|--:|:--|--:|--:|\n"
    )
    shown = found[: max(rows, 3)]
    body = "".join(
        f"| **{prose(one.name, 90)}** | {one.base} | {one.head} | {one.better} | {one.worse} "
        # A dollar sign would begin a formula.
        f"| {one.p} | {one.sign} {prose(one.says)} | {prose(one.cost)} | {one.time} |\n"
        for one in shown
    )
    return head + body + _left(len(found) - len(shown), "model")


def _compared(change: ChangeCheck, rows: int) -> str:
    what = "What differs and was compared" if change.entrants else "What differs"
    text = f"**{what}**\n\n{_items(change.compared, rows)}" if change.compared else ""
    if change.untouched and change.entrants:
        same = f"Asked the same by both, and so not at all: {listing(change.untouched)}."
        text += f"\n<sub>{prose(same, 300)}</sub>"
    return text


def _items(items: Sequence[ChangedItem], rows: int) -> str:
    shown = items[: max(rows, 3)]
    body = "".join(f"- {prose(i.name, 120)}: {prose(item_line(i), 240)}\n" for i in shown)
    return body + _left(len(items) - len(shown), "item")


def _moved(report: Report, change: ChangeCheck, rows: int) -> str:
    found = moved(report, change)
    if not found or not rows:
        return ""
    several = len(change.entrants) > 1
    body = "".join(
        f"| {prose(one.title, 90)} |{f' {prose(one.entrant, 60)} |' if several else ''} {one.base} "
        f"| {one.head} |\n"
        for one in found[:rows]
    )
    model, line = (" Model |", ":--|") if several else ("", "")
    return (
        f"<details><summary>Tasks that came out differently ({len(found)})</summary>\n\n"
        f"| Task |{model} Base | This change |\n|:--|{line}:-:|:-:|\n{body}"
        f"{_left(len(found) - rows, 'task')}\n</details>"
    )


def _ignored(change: ChangeCheck, rows: int) -> str:
    if not change.ignored:
        return ""
    return (
        f"<details><summary>Differs as well, and was not compared ({len(change.ignored)})"
        f"</summary>\n\n{_items(change.ignored, rows)}\n</details>"
    )


def _method(report: Report, change: ChangeCheck) -> str:
    if not report.tasks:
        return ""
    points = "".join(f"- {prose(sentence, 600)}\n" for sentence in method(report, change))
    return (
        "<details><summary>Method and limits</summary>\n\n"
        f"{prose(facts_line(report))}\n\n{points}\n</details>"
    )


def _left(more: int, noun: str) -> str:
    return f"\n\nand {more} more {noun}{'' if more == 1 else 's'}\n" if more > 0 else ""
