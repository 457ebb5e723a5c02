"""Whole files in an answer: a path, and the new content between fences."""

from __future__ import annotations

import re
from collections.abc import Collection

from models.blocks import MalformedBlockError, clean_path

_FENCE = re.compile(r"(`{3,}|~{3,})[\w.+-]*[ \t]*$")


def whole_files(text: str, known: Collection[str]) -> dict[str, str]:
    """Path → content of each file; a file that comes twice counts as it comes last.

    A fence without a path above it is an example and no file. Raises MalformedBlockError for
    a file without an end.
    """
    found: dict[str, str] = {}
    above = ""
    lines = iter(enumerate(text.replace("\r\n", "\n").split("\n"), 1))
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            above = line if line.strip() else above
            continue
        body: list[str] = []
        for _, inner in lines:
            if inner.rstrip() == fence[1]:
                break
            body.append(inner)
        else:
            raise MalformedBlockError(f"line {number}: the file has no end")
        path = _path(above, known)
        if path:
            found[path] = "".join(f"{inner}\n" for inner in body)
        above = ""
    return found


def _path(line: str, known: Collection[str]) -> str:
    r"""The path that a line is, or the one in backticks in it; "" where there is none.

    Models write `1. \`src/a.py\`` as well, and `Changes to \`src/a.py\`:`.
    """
    marked = re.findall(r"`([^`\s]+)`", line)
    for path in (clean_path(line), *(clean_path(word) for word in marked if len(marked) == 1)):
        plain = re.fullmatch(r"[^\s`'\"]+", path) and re.search(r"[./]", path)
        if path in known or plain:
            return path
    return ""
