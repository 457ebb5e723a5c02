"""The comment on one pull request: what each entrant would have done with it, at what cost."""

from __future__ import annotations

from decimal import Decimal

from core.live import APART, BROKEN, NOT_WANTED, TIME_UP, LiveCell, LiveResult
from core.types import Outcome
from reports.escape import Safe, one_line, prose
from reports.numbers import NONE, counted, money, seconds
from reports.words import BASELINES, EMPTY, REFERENCE, SIGNS, listing, reason_words

MARKER = "<!-- patchmark:live v1 -->"
_OWN_REASONS = {
    BROKEN: "its own tests do not tell the change from no change here",
    APART: "what was said about it gives the change away, or says nothing",
    NOT_WANTED: "the settings leave it out",
    TIME_UP: "the time was up before its tests were proven",
}
_SAYS_NOTHING = "This says nothing about any model."


def text(result: LiveResult) -> str:
    """The whole comment; its first line is `MARKER`."""
    return f"{MARKER}\n{section(result)}"


def section(result: LiveResult) -> str:
    """The same for a job's summary."""
    number = f"#{result.pull_request}" if result.pull_request else result.head[:12]
    where = Safe(f"{number}") if result.pull_request else prose(number)
    lines = [f"### patchmark: who would have solved {where}?", "", f"**{verdict(result)}**", ""]
    if result.unmeasured is not None:
        lines += [f"<sub>{_how(result)}</sub>", ""]
        return "\n".join(lines)
    if any(cell.fiction or cell.replayed for cell in result.cells):
        lines += ["> [!WARNING]", "> Made from recorded or invented answers.", ""]
    lines += [
        "| Entrant | Result | Cost | Time | What happened |",
        "|:--|:--|--:|--:|:--|",
        *(_row(result, cell) for cell in models(result)),
        "",
        f"<sub>{_how(result)} {_baselines(result)}</sub>",
        "",
    ]
    return "\n".join(lines)


def verdict(result: LiveResult) -> Safe:
    """Who solves it, in one line."""
    return prose(_words(result), 700)


def _words(result: LiveResult) -> str:
    if result.unmeasured is not None:
        reason = result.unmeasured.reason
        why = _OWN_REASONS.get(reason) or reason_words(reason)
        more = f" ({result.unmeasured.words})" if result.unmeasured.words else ""
        return f"This could not be made a task: {why}{more}. {_SAYS_NOTHING}"
    if all(cell.entrant in BASELINES for cell in result.cells):
        return f"A sound task, and no model took part. {_SAYS_NOTHING}"
    cells = [cell for cell in models(result) if cell.outcome.scored]
    if not cells:
        return f"Nothing could be scored. {_SAYS_NOTHING}"
    names = list(dict.fromkeys(cell.entrant for cell in cells))
    solved = [name for name in names if _solves(cells, name)]
    if len(names) == 1:
        return f"{names[0]} would {'' if solved else 'not '}have solved this."
    whom = f": {listing(solved)}" if solved else ""
    return f"Solved by {len(solved) or 'none'} of {len(names)} models{whom}."


def models(result: LiveResult) -> list[LiveCell]:
    """The attempts of models, or of baselines where nobody else took part."""
    others = [cell for cell in result.cells if cell.entrant not in BASELINES]
    return others or list(result.cells)


def _solves(cells: list[LiveCell], name: str) -> bool:
    return any(cell.entrant == name and cell.outcome is Outcome.PASSED for cell in cells)


def _row(result: LiveResult, cell: LiveCell) -> str:
    sign = SIGNS[cell.outcome]
    several = any(one.attempt > 1 for one in result.cells)
    name = f"**{prose(cell.entrant, 60)}**" + (f", attempt {cell.attempt}" if several else "")
    what = prose(cell.why or sign.meaning, 300)
    if not cell.outcome.scored:
        what = Safe(f"{what} (not scored: {cell.cause or 'unknown'})")
    cost = prose(money(cell.cost_usd) if cell.entrant not in BASELINES else NONE)
    return f"| {name} | {sign.emoji} {sign.word} | {cost} | {seconds(cell.seconds)} | {what} |"


def _how(result: LiveResult) -> str:
    kind = "merged" if result.merged else "labelled"
    told = f"All from {result.base[:12]} to {result.head[:12]}, as it was {kind}."
    if result.unmeasured is not None:
        return told
    tests = counted(result.fail_to_pass, "test")
    cost = f" All of it cost {prose(money(result.cost_usd))}." if _billed(result) else ""
    return f"{told} Judged by {tests} of its own that fail before it and pass with it.{cost}"


def _billed(result: LiveResult) -> bool:
    return result.cost_usd is None or result.cost_usd > Decimal(0)


def _baselines(result: LiveResult) -> str:
    outcomes = {cell.entrant: cell.outcome for cell in result.cells if cell.outcome.scored}
    words = ["the real change passes"] if outcomes.get(REFERENCE) is Outcome.PASSED else []
    words += ["no change does not"] if EMPTY in outcomes else []
    if not words:
        return "Neither `reference` nor `empty` was scored, so nothing here checks the task."
    return f"Checked: {' and '.join(words)}."


def plain(result: LiveResult) -> str:
    """The same for a terminal."""
    number = f"#{result.pull_request} " if result.pull_request else f"{result.head[:12]} "
    head = f"{number}{one_line(result.title, 60)}"
    if result.unmeasured is not None:
        return f"{head}\n  {_words(result)}"
    rows = [
        (
            one_line(cell.entrant, 40),
            f"{SIGNS[cell.outcome].plain} {SIGNS[cell.outcome].word}",
            NONE if cell.entrant in BASELINES else money(cell.cost_usd),
            seconds(cell.seconds),
            one_line(cell.why, 60),
        )
        for cell in result.cells
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([head, f"  {_words(result)}", *(f"  {line}" for line in lines)])
