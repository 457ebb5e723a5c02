"""Cutting a git diff into one section a file, and putting sections together again.

Only for diffs in git's own format (`diff --git …`). Sections are kept to the byte, so that
joining all of them gives the diff back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(r"^diff --git ", re.MULTILINE)
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-7]{3})')
_PLAIN = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


@dataclass(frozen=True)
class FileDiff:
    """The part of a diff that is about one file."""

    text: str
    paths: frozenset[str]
    """Old and new path; one unless the file was renamed or copied."""
    added: int
    removed: int
    binary: bool
    deleted: bool


def split(diff: str) -> list[FileDiff]:
    r"""Cut a diff at its `diff --git` lines; text before the first one is dropped.

    A line inside a hunk always starts with one of ` +-\\`, so the header cannot occur there.
    """
    starts = [match.start() for match in _HEADER.finditer(diff)]
    ends = [*starts[1:], len(diff)]
    return [_section(diff[start:end]) for start, end in zip(starts, ends, strict=True)]


def _section(text: str) -> FileDiff:
    lines = text.split("\n")
    paths: set[str] = set()
    added = removed = 0
    binary = deleted = in_hunk = False
    for line in lines[1:]:
        if line.startswith("@@"):
            in_hunk = True
        elif in_hunk:
            added += line.startswith("+")
            removed += line.startswith("-")
        elif line.startswith(("--- ", "+++ ")):
            name = _unquote(line[4:].split("\t")[0])
            if name != "/dev/null":
                paths.add(name[2:])
        elif line.startswith(("rename from ", "rename to ", "copy from ", "copy to ")):
            paths.add(_unquote(line.split(" ", 2)[2]))
        elif line.startswith("deleted file mode"):
            deleted = True
        elif line.startswith(("GIT binary patch", "Binary files ")):
            binary = True
            break
    return FileDiff(
        text, frozenset(paths or _header_paths(lines[0])), added, removed, binary, deleted
    )


def _header_paths(line: str) -> set[str]:
    """Both names of `diff --git a/X b/X`, for sections with no other line that names them."""
    rest = line.removeprefix("diff --git ")
    if rest.startswith('"'):
        quoted = re.findall(r'"(?:[^"\\]|\\.)*"', rest)
        return {_unquote(name)[2:] for name in quoted}
    middle = len(rest) // 2
    return {rest[2:middle]} if rest[2:middle] == rest[middle + 3 :] else {rest}


def _unquote(name: str) -> str:
    """Undo git's C quoting of unusual file names."""
    if not (name.startswith('"') and name.endswith('"') and len(name) > 1):
        return name

    def plain(match: re.Match[bytes]) -> bytes:
        code = match.group(1)
        return bytes([int(code, 8)]) if len(code) == 3 else _PLAIN.get(code, code)

    raw = _ESCAPE.sub(plain, name[1:-1].encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")
