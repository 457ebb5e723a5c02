"""The names that the tests of a fix use and its base commit lacks.

A task is not to be lost to guessing a name: what the fix defines anew and its tests use is told,
names and signatures only. Python, JavaScript, TypeScript, Go, Rust, Java, Kotlin, Ruby, PHP, C
and C++ are read; of other languages nothing is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from core.types import Expected
from miner.expects_tree import Definition, Uses, definitions, strings, uses
from miner.grammars import BY_KEYWORD, grammar_of

MOST = 40
"""Names of one task."""
_SHORTEST_MESSAGE = 8
_LONGEST_MESSAGE = 300
_MOST_STRINGS = 1_000
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONSTRUCTORS = frozenset({"__init__", "__new__", "initialize", "__construct", "constructor"})
# What lists, mappings, texts and numbers have: nobody has to guess such a name.
_OF_EVERYTHING = frozenset(n for kind in (dict, list, set, str, int, float) for n in dir(kind))
_WORD = re.compile(r"\w+")

Kind = Literal["function", "class", "method", "attribute", "constant"]


@dataclass(frozen=True)
class FileChange:
    """One file of a change; None where it was not, or is not any more."""

    path: str
    before: str | None
    after: str | None


def expected(fix: Sequence[FileChange], tests: Sequence[FileChange]) -> tuple[Expected, ...]:
    """What the added lines of the tests use of what the fix adds, sorted by file and name."""
    used = Uses()
    for file in tests:
        rows = _added(file)
        if rows and file.after is not None:
            here = uses(file.path, file.after, rows)
            used.names |= here.names
            used.members |= here.members
            used.keywords |= here.keywords
            used.strings += here.strings
    if not used.names and not used.strings:
        return ()
    found: dict[tuple[str, str, str], Expected] = {}
    for file in fix:
        for one in (*_new_names(file, fix, used), *_new_messages(file, fix, used)):
            found.setdefault((one.path, one.kind, one.name), one)
    return tuple(found[key] for key in sorted(found))[:MOST]


def _new_names(file: FileChange, fix: Sequence[FileChange], used: Uses) -> Iterator[Expected]:
    if file.after is None or grammar_of(file.path) is None:
        return
    made_here = definitions(file.path, file.after, _added(file))
    makers = {made.holder: made.signature for made in made_here if made.name in _CONSTRUCTORS}
    asked = [
        made
        for made in made_here
        if made.name in used.names or not used.keywords.isdisjoint(made.parameters)
    ]
    before = _known(fix, {made.name for made in asked})
    for made in asked:
        if made.full in before:
            yield from _new_parameters(made, before[made.full], file.path, used)
        elif _is_used(made, used):
            yield _expected(made, file.path, makers.get(made.full, ""))


def _is_used(made: Definition, used: Uses) -> bool:
    """What belongs to a class is used after a dot, or as an argument's name."""
    if made.holder:
        inherited = made.name in _OF_EVERYTHING
        return not inherited and (made.name in used.members or made.name in used.keywords)
    return made.name in used.names


def _expected(made: Definition, path: str, maker: str) -> Expected:
    kinds: dict[tuple[str, bool], Kind] = {
        ("function", False): "function",
        ("function", True): "method",
        ("class", False): "class",
        ("class", True): "class",
        ("value", False): "constant",
        ("value", True): "attribute",
    }
    kind = kinds[made.kind, bool(made.holder)]
    return Expected(kind=kind, name=made.full, signature=made.signature or maker, path=path)


def _new_parameters(
    made: Definition, before: Definition, path: str, used: Uses
) -> Iterator[Expected]:
    named = grammar_of(path) in BY_KEYWORD
    for name in made.parameters:
        if name in before.parameters:
            continue
        if name in used.keywords if named else made.name in used.names:
            of = made.holder if made.name in _CONSTRUCTORS else made.full
            yield Expected(kind="parameter", name=name, signature=of, path=path)


def _known(fix: Sequence[FileChange], names: set[str]) -> dict[str, Definition]:
    """What of these names the files of the fix defined before it."""
    found: dict[str, Definition] = {}
    for file in fix if names else ():
        lines = (file.before or "").split("\n")
        rows = [row for row, line in enumerate(lines) if not names.isdisjoint(_WORD.findall(line))]
        if rows and file.before is not None:
            found |= {made.full: made for made in definitions(file.path, file.before, rows)}
    return found


def _new_messages(file: FileChange, fix: Sequence[FileChange], used: Uses) -> Iterator[Expected]:
    """Texts of the fix, or pieces between what is filled in, that the tests ask for."""
    if file.after is None or not used.strings:
        return
    asked = [_ESCAPED.sub(r"\1", text) for text in used.strings[:_MOST_STRINGS]]
    all_asked = "\0".join(asked)
    for text in list(dict.fromkeys(strings(file.path, file.after, _added(file))))[:_MOST_STRINGS]:
        piece = text.strip()
        if not _is_message(piece):
            continue
        told = (
            piece if piece in all_asked else next((one for one in asked if _is_in(one, piece)), "")
        )
        if told and not any(piece in (other.before or "") for other in fix):
            yield Expected(kind="message", name=told[:_LONGEST_MESSAGE], path=file.path)


def _is_in(asked: str, piece: str) -> bool:
    return _is_message(asked) and asked in piece


def _is_message(text: str) -> bool:
    return len(text) >= _SHORTEST_MESSAGE and len(_WORD.findall(text)) >= 2


def _added(file: FileChange) -> set[int]:
    """The lines of a file, counted from 0, that it did not have before."""
    if file.after is None:
        return set()
    before = set((file.before or "").split("\n"))
    return {
        row
        for row, line in enumerate(file.after.split("\n"))
        if line not in before and line.strip()
    }
