"""What a task's section of the page shows once it is opened, as inert compressed data.

The words are made here; the page's script only lays them out, as text and never as markup.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from core.report import Cell, EntrantRow, Report, TaskRow
from core.types import Outcome
from reports.escape import beginning, one_line, visible
from reports.memory import echo_words
from reports.numbers import counted, money, seconds
from reports.trail import AttemptTrail, Spoken, Trail
from reports.words import EMPTY, REFERENCE, SIGNS

_ALL_PATCHES = 12_000_000
"""Characters of patches in one page, shared out evenly."""
_PATCH_CHARACTERS = (1_000, 60_000)
_PATCH_LINES = 1_000
_PLAIN_PATCHES = 1_500_000
"""Up to here patches stand on the page as text, too, for readers without scripts."""
_NAMES = 60
"""Of tests that went wrong, in an attempt."""
_FINE_NAMES = 12
"""Of tests that did start to pass."""
_RAN = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.REGRESSED})


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a patch."""

    text: str
    more: int

    @property
    def note(self) -> str:
        """How much is elsewhere; empty where nothing is."""
        return f"{counted(self.more, 'more line')} of this patch in report.json." * bool(self.more)


@dataclass(frozen=True)
class Attempt:
    """One attempt as it stands in a task's section."""

    place: int
    """Where it stands in the task's cells, from 1."""
    cell: Cell
    name: str
    facts: str
    notes: tuple[str, ...]
    patch: Excerpt
    tests: tuple[tuple[str, tuple[str, ...]], ...]
    """What to say of some tests, and their names."""
    files: tuple[str, ...]
    """Where its requests and answers are."""


@dataclass(frozen=True)
class Tasks:
    """All tasks of a report, with what is known of each attempt."""

    report: Report
    trail: Trail

    @cached_property
    def plain(self) -> bool:
        """Whether there is room for all patches as plain text."""
        shown = (min(len(c.diff), self._room) for task in self._every for c in task.cells)
        return sum(shown) <= _PLAIN_PATCHES

    @cached_property
    def _every(self) -> list[TaskRow]:
        return [*self.report.tasks, *self.report.apart_tasks]

    @cached_property
    def _several(self) -> bool:
        return any(cell.attempt > 1 for task in self._every for cell in task.cells)

    @cached_property
    def _rows(self) -> dict[str, EntrantRow]:
        return {row.name: row for row in self.report.entrants}

    @cached_property
    def _room(self) -> int:
        patches = sum(1 + sum(bool(cell.diff) for cell in task.cells) for task in self._every)
        least, most = _PATCH_CHARACTERS
        return max(least, min(most, _ALL_PATCHES // max(1, patches)))

    def excerpt(self, text: str) -> Excerpt:
        """The first lines of a patch, nothing hidden in them."""
        shown, more = beginning(text, _PATCH_LINES, self._room)
        return Excerpt(visible(shown), more)

    def attempts(self, task: TaskRow) -> list[Attempt]:
        """Those worth a reader's time: baselines only where they misbehaved."""
        return [
            self._attempt(task, place, cell)
            for place, cell in enumerate(task.cells, 1)
            if is_shown(cell)
        ]

    def _attempt(self, task: TaskRow, place: int, cell: Cell) -> Attempt:
        known = self._known(task, cell)
        fiction = self._rows[cell.entrant].fiction if cell.entrant in self._rows else None
        facts = [money(cell.cost_usd), seconds(cell.seconds)]
        facts += [f"fiction: {one_line(fiction, 200)}"] if fiction else []
        tests = (
            ("Did not start to pass", cell.not_fixed),
            ("Broken by the patch", cell.broken),
            ("Edits to test files that were left out", cell.dropped_edits),
        )
        return Attempt(
            place=place,
            cell=cell,
            name=one_line(cell.entrant, 80)
            + (f", attempt {cell.attempt}" if self._several else ""),
            facts=" · ".join(facts),
            notes=_notes(cell, known),
            patch=self.excerpt(cell.diff),
            tests=tuple((words, names) for words, names in tests if names),
            files=tuple(call.file for call in known.calls),
        )

    def _known(self, task: TaskRow, cell: Cell) -> AttemptTrail:
        key = (task.id, cell.entrant, cell.attempt)
        return self.trail.attempts.get(key, AttemptTrail())

    def data(self, task: TaskRow, attempts: Sequence[Attempt]) -> str:
        """All that the section shows when it is opened, packed."""
        names = self.trail.fail_to_pass.get(task.id, ())
        cells = [
            {
                "id": one.place,
                "name": one.name,
                "tone": tone(one.cell),
                "sign": f"{SIGNS[one.cell.outcome].plain} {SIGNS[one.cell.outcome].word}",
                "facts": one.facts,
                "notes": one.notes,
                "diff": one.patch.text,
                "more": one.patch.note,
                "tests": _tests(task, one.cell, names),
                "dropped": _lines(one.cell.dropped_edits),
                **_told(self._known(task, one.cell)),
            }
            for one in attempts
        ]
        return packed(json.dumps(cells, ensure_ascii=False, separators=(",", ":")))


def is_shown(cell: Cell) -> bool:
    """False for a baseline that did what it must."""
    if cell.entrant == REFERENCE:
        return cell.outcome is not Outcome.PASSED
    return not (
        cell.entrant == EMPTY and cell.outcome.scored and cell.outcome is not Outcome.PASSED
    )


def tone(cell: Cell) -> str:
    """The CSS class of an outcome."""
    if cell.outcome is Outcome.PASSED:
        return "scored" if cell.entrant == EMPTY else "passed"
    if cell.entrant == EMPTY and cell.outcome.scored:
        return "meant"
    return "scored" if cell.outcome.scored else "unscored"


def packed(text: str) -> str:
    """Compressed, in letters that mean nothing to a browser."""
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode()


def _notes(cell: Cell, known: AttemptTrail) -> tuple[str, ...]:
    """What there is to say of an attempt besides its outcome, a sentence or so each."""
    sign = SIGNS[cell.outcome]
    found = [one_line(cell.detail, 500) or f"{sign.word}: {sign.meaning}"]
    if known.applied and known.applied != "exact":
        found.append(f"How the patch was laid: {one_line(known.applied, 200)}")
    found += [f"What it did: {one_line(deed, 300)}" for deed in known.did[:10]]
    if cell.gold_echo:
        found.append(one_line(echo_words(cell), 800))
    return tuple(found)


def _tests(task: TaskRow, cell: Cell, names: Sequence[str]) -> list[list[str]]:
    """Rows of name, before, with the real fix, with this patch: what went wrong first.

    Tests without a name here are counted in a row of their own.
    """
    if cell.outcome not in _RAN:
        return []
    failed, broken = cell.not_fixed[:_NAMES], cell.broken[:_NAMES]
    fine = [name for name in names if name not in set(cell.not_fixed)][:_FINE_NAMES]
    rows = [[one_line(name, 300), "✗", "✓", "✗"] for name in failed]
    rows += [[one_line(name, 300), "✓", "✓", "✗"] for name in broken]
    rows += [[one_line(name, 300), "✗", "✓", "✓"] for name in fine]
    if (more := task.fail_to_pass - len(failed) - len(fine)) > 0:
        unnamed = len(cell.not_fixed) - len(failed)
        rows.append(_others(more, "start to pass", "✗", f"{unnamed} ✗" if unnamed else "✓"))
    if (more := task.pass_to_pass - len(broken)) > 0:
        unnamed = len(cell.broken) - len(broken)
        whole = "✓" if cell.outcome is not Outcome.FAILED else "none seen to break"
        rows.append(_others(more, "keep passing", "✓", f"{unnamed} ✗" if unnamed else whole))
    return rows


def _others(count: int, must: str, before: str, now: str) -> list[str]:
    return [f"{counted(count, 'other test')} that must {must}", before, "✓", now]


def _lines(names: Sequence[str]) -> list[str]:
    more = [f"and {len(names) - _NAMES} more"] * (len(names) > _NAMES)
    return [one_line(name, 300) for name in names[:_NAMES]] + more


def _told(known: AttemptTrail) -> dict[str, object]:
    """Transcript and times."""
    bars: list[list[object]] = []
    for call in known.calls:
        ends = "failed" if call.error else "answering"
        first = call.first_token or 0.0
        bars += [["working", call.worked], ["waiting", call.waited], ["first token", first]]
        bars.append([ends, max(0.0, (call.seconds or 0.0) - first)])
    bars.append(["tests", known.test_seconds or 0.0])
    more = f"{counted(known.more_calls, 'request')} in the middle: in the run folder only."
    return {
        "calls": [_call(number, call) for number, call in enumerate(known.calls, 1)],
        "moreCalls": more * bool(known.more_calls),
        "bars": [
            [kind, round(float(str(took)), 2), seconds(float(str(took)))]
            for kind, took in bars
            if float(str(took)) > 0.005
        ],
    }


def _call(number: int, call: Spoken) -> dict[str, str]:
    head = [f"{number}.", "failed" if call.error else "answered"]
    if call.seconds is not None:
        head.append(f"after {seconds(call.seconds)}")
    facts = [" ".join(head)]
    if call.first_token is not None:
        facts.append(f"first token {seconds(call.first_token)}")
    if call.input_tokens is not None and call.output_tokens is not None:
        facts.append(f"{call.input_tokens:,} tokens in, {call.output_tokens:,} out")
    facts.append(money(call.cost_usd))
    left = f"{counted(call.left_out, 'character')} left out; all of it: "
    return {
        "head": " · ".join(facts),
        "asked": visible(call.asked),
        "answered": visible(call.answered),
        "error": visible(call.error[:2_000]),
        "file": f"{left if call.left_out else ''}{one_line(call.file, 200)}",
    }
