"""Which lines of a Rust source file are compiled for its tests alone.

A scanner, no parser: it only has to know what is text (strings, characters, comments) and
which brackets belong together. Time is linear in the length of the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

# Raw strings and block comments are only opened here: their ends are looked for by hand.
_TOKEN = re.compile(
    r"""//[^\n]*+
    |(?P<block>/\*)
    |(?P<raw>\b[bc]?r(?P<marks>\#*+)")
    |"(?:[^"\\]|\\.)*+"?
    |'(?:[^'\\\n]|\\[^\n][^'\n]{0,10})'
    |(?P<token>\w++|[{}()\[\];#!=,])""",
    re.VERBOSE | re.DOTALL,
)
_BLOCK = re.compile(r"/\*|\*/")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_MODIFIERS = frozenset({"pub", "unsafe", "async", "default"})
_TO_SEMICOLON = frozenset({"use", "static", "type", "const"})
_TO_BRACE = frozenset({"mod", "fn", "impl", "struct", "enum", "union", "trait", "macro_rules"})


def test_lines(text: str) -> bytearray | None:
    """One byte for each line, 1 where the line belongs to an item for tests.

    Such an item has `#[cfg(test)]`, `#[test]` or the like before it; comments above count with
    it. Only a line feed ends a line. None = the brackets do not fit together.
    """
    lines = text.split("\n")
    marks = bytearray(len(lines) - (lines[-1] == ""))
    if "test" not in text:
        return marks
    try:
        tokens = _Tokens(text)
    except ValueError:
        return None
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    for start, end in tokens.items():
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
        rest = text[end : starts[last + 1] - 1].strip()
        if text[starts[first] : start].strip() or (rest and not rest.startswith("//")):
            continue
        while first > 0 and lines[first - 1].lstrip().startswith("//"):
            first -= 1
        marks[first : last + 1] = b"\1" * (last + 1 - first)
    return marks


class _Tokens:
    """Words and brackets of a file, without what is text or comment. ValueError: unbalanced."""

    def __init__(self, text: str):
        self.words: list[str] = []
        self.at: list[int] = []
        self._scan(text)
        self.partner: dict[int, int] = {}
        """Of each bracket that opens, the one that closes it."""
        self.around: list[int] = []
        """Of each token, the innermost bracket that it stands in; -1 outside of all."""
        self._pair()

    def _scan(self, text: str) -> None:
        position = 0
        while found := _TOKEN.search(text, position):
            position = found.end()
            if found["token"]:
                self.words.append(found["token"])
                self.at.append(found.start())
            elif found["block"]:
                position = _after_comment(text, position)
            elif found["raw"]:
                ends = '"' + found["marks"]
                end = text.find(ends, position)
                position = len(text) if end < 0 else end + len(ends)

    def _pair(self) -> None:
        opened = [-1]
        for index, word in enumerate(self.words):
            if word in _PAIRS:
                if opened[-1] < 0 or self.words[opened[-1]] != _PAIRS[word]:
                    raise ValueError("brackets do not fit")
                self.partner[opened.pop()] = index
            self.around.append(opened[-1])
            if word in "{[(":
                opened.append(index)
        if len(opened) > 1:
            raise ValueError("brackets do not fit")

    def items(self) -> list[tuple[int, int]]:
        """Where the items for tests start and end in the text, those inside of them left out."""
        found: list[tuple[int, int]] = []
        index = 0
        while index < len(self.words):
            if self._word(index) != "#":
                index += 1
                continue
            start, for_tests = index, False
            if self._word(index + 1) == "!" and self._is_for_tests(index + 2):
                return [(0, self.at[-1] + 1)] if self.around[index] < 0 else found
            while self._word(index) == "#" and self._word(index + 1) == "[":
                for_tests = for_tests or self._is_for_tests(index + 1)
                index = self.partner[index + 1] + 1
            end = self._end(index) if for_tests else None
            if end is not None:
                found.append((self.at[start], self.at[end] + 1))
            index = end + 1 if end is not None else max(index, start + 1)
        return found

    def _is_for_tests(self, opening: int) -> bool:
        """Whether the attribute in these brackets keeps an item out of all but test builds."""
        if self._word(opening) != "[":
            return False
        inside = self.words[opening + 1 : self.partner[opening]]
        if "cfg" not in inside[:1]:
            path = next((n for n, word in enumerate(inside) if not word.isidentifier()), None)
            return inside[:path][-1:] == ["test"]
        return any(
            word == "test" and self._is_required(opening + 1 + n) for n, word in enumerate(inside)
        )

    def _is_required(self, index: int) -> bool:
        if self._word(index - 1) not in ("(", ",") or self._word(index + 1) not in (")", ","):
            return False
        name = self.around[index] - 1
        while self._word(name) == "all":
            name = self.around[name] - 1
        return self._word(name) == "cfg"

    def _end(self, index: int) -> int | None:
        """The last token of the item that starts here, attributes left out. None = no item."""
        while (word := self._word(index)) in _MODIFIERS or word == "extern":
            index += 1
            if word == "pub" and self._word(index) == "(":
                index = self.partner[index] + 1
            elif word == "extern" and self._word(index) in ("crate", "{"):
                return self._until("{;", index)
        if word == "const" and self._word(index + 1) in ("fn", "unsafe", "async", "extern"):
            return self._until("{;", index)
        if word in _TO_SEMICOLON:
            return self._until(";", index)
        return self._until("{;", index) if word in _TO_BRACE else None

    def _until(self, ends: str, index: int) -> int | None:
        while index < len(self.words):
            word = self.words[index]
            if word in ends:
                return self.partner.get(index, index)
            if word in _PAIRS:
                return None
            index = self.partner.get(index, index) + 1
        return None

    def _word(self, index: int) -> str:
        return self.words[index] if 0 <= index < len(self.words) else ""


def _after_comment(text: str, position: int) -> int:
    """Where a block comment ends that was just opened; they nest."""
    depth = 1
    while depth:
        mark = _BLOCK.search(text, position)
        if mark is None:
            return len(text)
        depth += 1 if mark[0] == "/*" else -1
        position = mark.end()
    return position


def classes(lines: Sequence[str], marks: bytearray) -> list[bool | None]:
    """True for lines of tests, False for others, None for empty lines that may go with both."""
    return [
        True if mark else (None if not line.strip() else False)
        for line, mark in zip(lines, marks, strict=True)
    ]
