"""Markdown taken apart as far as mining needs it: words, code, and comments. Linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

_FENCE = r"^[ \t]*(?P<fence>`{3,}+(?=[^`\n]*$)|~{3,}+)"
_MARK = re.compile(rf"{_FENCE}|(?P<ticks>`++)|(?P<comment><!--)", re.MULTILINE)
_TICKS_OR_LINE = re.compile(r"`++|\n")
_QUOTED = re.compile(r"^[ \t]{0,3}>.*$", re.MULTILINE)


class Kind(Enum):
    """What a part of a text is."""

    WORDS = auto()
    SPAN = auto()
    """Code within a line, backticks included."""
    FENCE = auto()
    """Code between fences, the fences' lines included; the last one may be missing."""
    COMMENT = auto()


class Part(NamedTuple):
    """A piece of a text."""

    kind: Kind
    text: str


def parts(text: str) -> Iterator[Part]:
    """The pieces of a text in order; joined again they are the text.

    A comment or a span that does not end is words; a fence that does not end goes to the end.
    """
    partners = _partners(text)
    start = position = 0
    while mark := _MARK.search(text, position):
        kind, end = _ends(text, mark, partners)
        if kind is Kind.WORDS:
            position = end
            continue
        if start < mark.start():
            yield Part(Kind.WORDS, text[start : mark.start()])
        yield Part(kind, text[mark.start() : end])
        start = position = end
    if start < len(text):
        yield Part(Kind.WORDS, text[start:])


def words(text: str) -> str:
    """What a text says in its own words: neither code, nor comments, nor what it quotes."""
    own = "".join(part.text if part.kind is Kind.WORDS else " " for part in parts(text))
    return _QUOTED.sub("", own)


def _ends(text: str, mark: re.Match[str], partners: dict[int, int]) -> tuple[Kind, int]:
    if mark["fence"]:
        return Kind.FENCE, _fence_end(text, mark)
    if mark["comment"]:
        # Without any end after it, `rfind` sees so at once: it looks from the far end.
        end = text.find("-->", mark.end()) if mark.end() <= partners[-1] else -1
        return (Kind.COMMENT, end + 3) if end >= 0 else (Kind.WORDS, mark.end())
    partner = partners.get(mark.start("ticks"))
    return (Kind.WORDS, mark.end()) if partner is None else (Kind.SPAN, partner)


def _fence_end(text: str, mark: re.Match[str]) -> int:
    fence = mark["fence"]
    start = text.find("\n", mark.end())
    while start >= 0:
        end = text.find("\n", start + 1)
        line = (text[start + 1 :] if end < 0 else text[start + 1 : end]).strip()
        if len(line) >= len(fence) and not line.strip(fence[0]):
            return len(text) if end < 0 else end
        start = end
    return len(text)


def _partners(text: str) -> dict[int, int]:
    """Of each run of backticks, the end of the next run as long on its line; at -1, where the
    last comment ends.
    """
    found = {-1: text.rfind("-->")}
    waiting: dict[int, int] = {}
    for mark in _TICKS_OR_LINE.finditer(text):
        if mark[0] == "\n":
            waiting.clear()
            continue
        length = len(mark[0])
        if length in waiting:
            found[waiting[length]] = mark.end()
        waiting[length] = mark.start()
    return found
