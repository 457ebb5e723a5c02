"""Cutting the diff of one file into two patches that apply to the same base.

The patch of the tests has to apply to the base (the run before the fix) and to the base with
the fix on top, as `git apply` does it: by context, none of it left out. Nothing is taken on
trust: both orders are tried here in memory, each hunk must have one place only, and where the
outcome is not the commit's own file to the byte, the file is not cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.diff import FileDiff

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_CONTEXTS = (3, 1)
"""Lines around a change; fewer where fix and tests are close to each other."""
_NO_END = "\\ No newline at end of file\n"
_OF_THE_WHOLE = ("index ", "old mode ", "new mode ")

Marks = Sequence[bool | None]
"""Of each line whether it is one of tests; None = goes with its neighbours."""


@dataclass(frozen=True)
class Edit:
    """Lines of the old file, counted from 0, and what stands in their place."""

    start: int
    stop: int
    added: tuple[str, ...]


@dataclass(frozen=True)
class _Hunk:
    """Edits with the lines around them: old lines `start` to `stop`."""

    start: int
    stop: int
    edits: tuple[Edit, ...]


def cut(
    section: FileDiff, before: str, after: str, marks: tuple[Marks, Marks]
) -> tuple[FileDiff | None, FileDiff | None] | None:
    """The fix and the tests of one file's diff; one side is None where it has no lines.

    `marks` are of the old and of the new file. None = it cannot be cut.
    """
    old, new = lines_of(before), lines_of(after)
    whole = edits(section.text)
    if whole is None or _with(old, whole) != new:
        return None
    kinds = [_kind(edit, marks, shift) for edit, shift in _shifted(whole)]
    if None in kinds:
        return None
    tests = [edit for edit, kind in zip(whole, kinds, strict=True) if kind]
    fix = [edit for edit, kind in zip(whole, kinds, strict=True) if not kind]
    if not tests or not fix:
        return (section, None) if fix else (None, section)
    header = section.text[: section.text.index("\n@@ ") + 1]
    for context in _CONTEXTS:
        one, other = _hunks(fix, len(old), context), _hunks(tests, len(old), context)
        if (
            _applied(_applied(old, one, old), other, old)
            == new
            == _applied(_applied(old, other, old), one, old)
        ):
            return _section(header, one, old, section), _section(_bare(header), other, old, section)
    return None


def _shifted(whole: Sequence[Edit]) -> list[tuple[Edit, int]]:
    """Each edit, and by how many lines it stands lower in the new file."""
    found, shift = [], 0
    for edit in whole:
        found.append((edit, shift))
        shift += len(edit.added) - (edit.stop - edit.start)
    return found


def _kind(edit: Edit, marks: tuple[Marks, Marks], shift: int) -> bool | None:
    """True for an edit of tests alone; None where it is one of both."""
    start = edit.start + shift
    touched = {*marks[0][edit.start : edit.stop], *marks[1][start : start + len(edit.added)]}
    touched.discard(None)
    return None if len(touched) > 1 else touched == {True}


def _hunks(changes: Sequence[Edit], length: int, context: int) -> list[_Hunk]:
    """Changes with the lines around them; those whose surroundings meet are one hunk."""
    found: list[_Hunk] = []
    for edit in changes:
        start, stop = max(0, edit.start - context), min(length, edit.stop + context)
        if found and start <= found[-1].stop:
            last = found.pop()
            found.append(_Hunk(last.start, stop, (*last.edits, edit)))
        else:
            found.append(_Hunk(start, stop, (edit,)))
    return found


def _applied(
    lines: Sequence[str] | None, hunks: Sequence[_Hunk], old: Sequence[str]
) -> list[str] | None:
    """What git makes of a file; None where a hunk has no place, or more than one."""
    if lines is None:
        return None
    made = list(lines)
    for hunk in hunks:
        place = _place(made, old[hunk.start : hunk.stop])
        # A hunk without lines above or below it belongs at that end of the file.
        at_end = hunk.stop == hunk.edits[-1].stop
        if place is None or (hunk.start == 0 and place != 0):
            return None
        stop = place + hunk.stop - hunk.start
        if at_end and stop != len(made):
            return None
        moved = [Edit(e.start - hunk.start, e.stop - hunk.start, e.added) for e in hunk.edits]
        made[place:stop] = _with(made[place:stop], moved)
    return made


def _place(lines: list[str], wanted: Sequence[str]) -> int | None:
    """The only place where these lines stand one after the other."""
    if not wanted:
        return None
    length = len(wanted)
    places = [
        place
        for place, line in enumerate(lines)
        if line == wanted[0] and lines[place : place + length] == list(wanted)
    ]
    return places[0] if len(places) == 1 else None


def _bare(header: str) -> str:
    """A header without what the other half of the file's diff says already."""
    lines = header.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_OF_THE_WHOLE))


def _section(header: str, hunks: Sequence[_Hunk], old: Sequence[str], whole: FileDiff) -> FileDiff:
    kept = "".join(line for line in header.splitlines(keepends=True) if line[:6] != "index ")
    text, added, removed, shift = [kept], 0, 0, 0
    for hunk in hunks:
        body, more, fewer = _body(hunk, old)
        before = hunk.stop - hunk.start
        after = before + more - fewer
        text.append(f"@@ -{_range(hunk.start, before)} +{_range(hunk.start + shift, after)} @@\n")
        text.append(body)
        added, removed, shift = added + more, removed + fewer, shift + more - fewer
    return FileDiff("".join(text), whole.paths, added, removed, whole.binary, whole.deleted)


def _range(start: int, count: int) -> str:
    return f"{start + (count > 0)},{count}"


def _body(hunk: _Hunk, old: Sequence[str]) -> tuple[str, int, int]:
    """The lines of a hunk with their marks, and how many are added and removed."""
    lines, at = [], hunk.start
    more = fewer = 0
    for edit in hunk.edits:
        lines += [" " + line for line in old[at : edit.start]]
        lines += ["-" + line for line in old[edit.start : edit.stop]]
        lines += ["+" + line for line in edit.added]
        at, more, fewer = edit.stop, more + len(edit.added), fewer + edit.stop - edit.start
    lines += [" " + line for line in old[at : hunk.stop]]
    ended = [line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines]
    return "".join(ended), more, fewer


def lines_of(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one."""
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def edits(text: str) -> list[Edit] | None:
    """The runs of changed lines in the section of one file, in order; None if unreadable."""
    found: list[tuple[int, list[str], list[str]]] = []
    at, last = -1, ""
    for line in lines_of(text):
        mark, rest = line[0], line[1:]
        if mark == "@" and (hunk := _HUNK.match(line)):
            at = int(hunk[1]) - (hunk[2] != "0")
        elif at < 0:
            continue  # the header
        elif mark == " ":
            at += 1
        elif mark == "\\":
            if last == "+":
                found[-1][2][-1] = found[-1][2][-1].removesuffix("\n")
            continue
        elif mark in "+-":
            if last in "@ " or (last == "+" and mark == "-"):
                found.append((at, [], []))
            (found[-1][1] if mark == "-" else found[-1][2]).append(rest)
            at += mark == "-"
        else:
            return None
        last = mark
    return [Edit(start, start + len(gone), tuple(new)) for start, gone, new in found]


def _with(old: Sequence[str], changes: Sequence[Edit]) -> list[str]:
    made: list[str] = []
    at = 0
    for edit in changes:
        if edit.start < at or edit.stop > len(old):
            return []
        made += old[at : edit.start]
        made += edit.added
        at = edit.stop
    return made + list(old[at:])
