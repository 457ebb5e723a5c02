"""SEARCH/REPLACE blocks: finding them in an answer and placing them in a file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

HEAD, MIDDLE, TAIL = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
_MOST_MIDDLES = 100
"""Lines of `=======` in one block; each is tried as the middle, over the whole file."""
_FENCE = re.compile(r"\s*(```|~~~)")


class MalformedBlockError(Exception):
    """A block that lacks a part; the message names the line of the answer."""


class MisplacedError(Exception):
    """A block whose search text is not in the file exactly once."""


@dataclass(frozen=True)
class Block:
    """One edit; `body` holds the lines between the first and the last marker."""

    path: str
    body: tuple[str, ...]

    def readings(self) -> Iterator[tuple[list[str], list[str]]]:
        """The search and replace lines, longest search first.

        There are several where the text itself holds a `=======`, as under a heading.
        """
        for at in range(len(self.body) - 1, -1, -1):
            if self.body[at].rstrip() == MIDDLE:
                yield list(self.body[:at]), list(self.body[at + 1 :])

    @property
    def first_line(self) -> str:
        """The first line with text, to name the block by."""
        return next((line.strip() for line in self.body if line.strip()), "")


def find_blocks(text: str, known: Collection[str]) -> list[Block]:
    """All blocks of an answer, in order; `known` are the repository's paths.

    A block without a path of its own is about the file of the block before it.
    Raises MalformedBlockError for a block without an end, a middle or a path.
    """
    blocks: list[Block] = []
    above: str | None = None
    lines = iter(enumerate(text.replace("\r\n", "\n").split("\n"), 1))
    for number, line in lines:
        if line.rstrip() == HEAD:
            body = _body(lines, number)
            path = _choose_path(above, blocks[-1].path if blocks else None, known)
            if path is None:
                raise MalformedBlockError(f"line {number}: no file path above the block")
            blocks.append(Block(path, body))
            above = None
        elif line.strip() and not _FENCE.match(line):
            above = line
    return blocks


def _body(lines: Iterator[tuple[int, str]], start: int) -> tuple[str, ...]:
    body: list[str] = []
    for number, line in lines:
        if line.rstrip() == TAIL:
            middles = sum(inner.rstrip() == MIDDLE for inner in body)
            if not middles or middles > _MOST_MIDDLES:
                many = f"{middles} {MIDDLE} lines" if middles else f"no {MIDDLE} line"
                raise MalformedBlockError(f"line {start}: the block has {many}")
            return tuple(body)
        if line.rstrip() == HEAD:
            raise MalformedBlockError(f"line {number}: a block starts within a block")
        body.append(line)
    raise MalformedBlockError(f"line {start}: the block has no {TAIL} line")


def _choose_path(above: str | None, previous: str | None, known: Collection[str]) -> str | None:
    path = clean_path(above or "")
    if path in known:
        return path
    if not path or re.search(r"\s", path) or (previous and not re.search(r"[./]", path)):
        return previous  # the line above is a sentence
    return path


def clean_path(line: str) -> str:
    """A path without the heading, emphasis, backticks or colon that may surround it."""
    path = line.strip().lstrip("#").strip()
    bare = None
    while bare != path:
        bare = path
        path = path.strip("`* \t").removesuffix(":")
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return path


def replace_once(content: str, search: Sequence[str], replace: Sequence[str]) -> str:
    """Put `replace` in the place of `search`, both given as lines without their ends.

    Line ends stay those of the file. Raises MisplacedError when the search text is not there
    or there more than once; whitespace at line ends counts only where it tells places apart.
    """
    if any(line.strip() not in content for line in search):
        raise MisplacedError("is not in the file")  # told without taking a large file apart
    ends = re.findall(r"([^\n]*?)(\r?\n|$(?!\n))", content)
    lines = [(text, end) for text, end in ends if text or end]
    at = _only_place([text for text, _ in lines], list(search))
    end = lines[0][1] or "\n"
    fresh = [(text, end) for text in replace]
    if fresh and at + len(search) == len(lines):
        fresh[-1] = (fresh[-1][0], lines[-1][1])  # a last line may have no end
    lines[at : at + len(search)] = fresh
    return "".join(text + end for text, end in lines)


def _only_place(lines: list[str], search: list[str]) -> int:
    exact = _places(lines, search)
    loose = exact or _places([line.rstrip() for line in lines], [s.rstrip() for s in search])
    if len(loose) != 1:
        raise MisplacedError("is not in the file" if not loose else f"is there {len(loose)} times")
    return loose[0]


def _places(lines: list[str], search: list[str]) -> list[int]:
    size = len(search)
    return [
        at for at, line in enumerate(lines) if line == search[0] and lines[at : at + size] == search
    ]
