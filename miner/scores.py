"""Two numbers on a statement: how much of the answer it holds, and how little it says."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence

LONGEST_STATEMENT = 200_000
"""Characters that are looked at; trackers allow less."""
_SHORTEST_LINE = 8
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_IMPORT = re.compile(r"(?:import|from)\s")
# What stands in every program.
_COMMON = frozenset(
    {*keyword.kwlist, *keyword.softkwlist, "self", "cls", "None", "print", "pass", "super",
     "NotImplementedError", "this", "const", "let", "var", "function", "null", "true", "false"}
)  # fmt: skip


def telling_lines(lines: Iterable[str]) -> frozenset[str]:
    """Those lines that nobody writes by chance, with their whitespace made even.

    That is: at least 8 characters, no import, and at least two different names that are
    neither keywords nor other words of every program (`self`, `__init__`).
    """
    return frozenset(even for line in lines if _tells(even := " ".join(line.split())))


def leak(statement: str, gold_added: Sequence[str]) -> float:
    """Share of the different telling lines of a fix that stand in the statement, 0 to 1.

    `gold_added` are the lines that the fix adds, without the diff's `+`. A line stands in the
    statement where it does so as whole words; how either is spaced or wrapped does not matter.
    Without a telling line it is 0.
    """
    lines = telling_lines(gold_added)
    if not lines:
        return 0.0
    text = " ".join(statement[:LONGEST_STATEMENT].split())
    return round(sum(_stands_in(text, line) for line in lines) / len(lines), 4)


def _tells(line: str) -> bool:
    if len(line) < _SHORTEST_LINE or _IMPORT.match(line):
        return False
    names = {name for name in _IDENTIFIER.findall(line) if not name.startswith("__")}
    return len(names - _COMMON) >= 2


def _stands_in(text: str, line: str) -> bool:
    start = text.find(line)
    while start >= 0:
        end = start + len(line)
        cut_before = start > 0 and _word(text[start - 1]) and _word(line[0])
        cut_after = end < len(text) and _word(text[end]) and _word(line[-1])
        if not cut_before and not cut_after:
            return True
        start = text.find(line, end)
    return False


def _word(character: str) -> bool:
    return character.isalnum() or character == "_"


# --- vagueness -----------------------------------------------------------------------------

_WORD = re.compile(r"[^\W\d_]{2,}")
_NAME = re.compile(
    r"`(?P<ticked>[^\s`]+)"
    r"|(?P<call>[^\W\d][\w.]*)\("
    r"|(?P<dotted>[^\W\d]\w*\.[^\W\d]\w+)"
    r"|(?P<snake>\w*[^\W_]_+[^\W_]\w*|__\w+)"
    r"|\b(?P<camel>[A-Z]*[a-z0-9]+[A-Z]\w*)"
    r"|(?P<option>(?<![\w-])--[a-z]\w+)"
)
_ERROR = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Warning)\b|\bTraceback\b|\bpanic:")
_CODE = re.compile(r"```|~~~|>>>")
_PATH = re.compile(r"[\w.-]+[/\\][\w./\\-]*\w\.\w{1,5}\b|\b\w+\.(?:py|toml|cfg|ini|rst|md|json)\b")
_EXPECTED = frozenset(
    {"expected", "expect", "actual", "actually", "instead", "should", "shouldn", "must", "but",
     "returns", "raises", "fails", "crashes", "error", "wrong", "wrongly", "incorrect",
     "incorrectly", "because", "when"}
)  # fmt: skip
_ENOUGH_WORDS = 60
_FREE_WORDS = 5
_ENOUGH_NAMES = 3
_LONGEST_TOKEN = 100


def vagueness(text: str) -> float:
    """How little a statement says, from 0 (what happens and where) to 1 (nothing).

    1 less what is there: up to 0.30 for different words (all of it from 60 on, none up to
    5), up to 0.25 for different names in code style (from 3 on), 0.20 for a block of code or
    a traceback, 0.10 for the name of an error, 0.05 each for words on what was expected and
    what came instead, for a number, and for the path of a file. A single word says nothing.
    Every part looks at one word at a time, so more text never makes the number larger.
    """
    tokens = text[:LONGEST_STATEMENT].split()
    if len(tokens) < 2:
        return 1.0
    different = {token[:_LONGEST_TOKEN] for token in tokens}
    plain = {word.lower() for token in different for word in _WORD.findall(token)}
    names = {found[0].lstrip("`") for token in different for found in _names(token)}
    length = min(max(len(plain) - _FREE_WORDS, 0) / (_ENOUGH_WORDS - _FREE_WORDS), 1)
    said = 0.30 * length + 0.25 * min(len(names) / _ENOUGH_NAMES, 1)
    said += 0.20 * (_any(_CODE, different) or "Traceback" in different)
    said += 0.10 * _any(_ERROR, different)
    said += 0.05 * (not _EXPECTED.isdisjoint(plain))
    said += 0.05 * any(c.isdecimal() for token in different for c in token)
    said += 0.05 * _any(_PATH, different)
    return round(max(1 - said, 0.0), 3)


def _names(token: str) -> Iterable[re.Match[str]]:
    return () if "://" in token else _NAME.finditer(token)


def _any(pattern: re.Pattern[str], tokens: Iterable[str]) -> bool:
    return any(pattern.search(token) for token in tokens)
