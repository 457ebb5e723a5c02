"""Cutting a diff into one section a file.

Sections are kept to the byte, so that joining all of them gives the diff back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Only \n ends a line: str.splitlines would also cut at form feeds and the like.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NAME_END = re.compile(r"[\t\v\f\r]")
_OTHER_NAMES = (
    "rename from ", "rename to ", "rename old ", "rename new ", "copy from ", "copy to ",
)  # fmt: skip
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
    """Cut a unified diff into one section a file; text before the first one is dropped.

    Understands git's own format and plain `---`/`+++` pairs. Lines inside a hunk are counted,
    so that a removed line which looks like a header does not start a section.
    """
    lines = _LINE.findall(diff)
    starts: list[int] = []
    left_old = left_new = 0
    in_git = False
    for number, line in enumerate(lines):
        if left_old > 0 or left_new > 0:
            left_old -= line[:1] in " -\n\r"
            left_new -= line[:1] in " +\n\r"
        elif hunk := _HUNK.match(line):
            left_old, left_new = int(hunk[1] or 1), int(hunk[2] or 1)
            in_git = False
        elif line.startswith("diff --git "):
            starts.append(number)
            in_git = True
        elif line.startswith("--- ") and _next_is_new_name(lines, number) and not in_git:
            starts.append(number)
    ends = [*starts, len(lines)][1:]
    return [_section("".join(lines[start:end])) for start, end in zip(starts, ends, strict=True)]


def _next_is_new_name(lines: list[str], number: int) -> bool:
    return number + 1 < len(lines) and lines[number + 1].startswith("+++ ")


def _section(text: str) -> FileDiff:
    lines = text.split("\n")
    paths: set[str] = set()
    added = removed = 0
    binary = deleted = in_hunk = False
    for line in lines:
        if line.startswith("@@"):
            in_hunk = True
        elif in_hunk:
            added += line.startswith("+")
            removed += line.startswith("-")
        elif line.startswith(("--- ", "+++ ")):
            name = _name(line[4:])
            if name != "/dev/null":
                paths.add(name[2:] if name.startswith(("a/", "b/")) else name)
        elif line.startswith(_OTHER_NAMES):
            paths.add(_name(line.split(" ", 2)[2]))
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
    rest = line.removeprefix("diff --git ").rstrip("\r")
    if rest.startswith('"'):
        return {_unquote(name)[2:] for name in _QUOTED.findall(rest)}
    middle = len(rest) // 2
    return {rest[2:middle]} if rest[2:middle] == rest[middle + 3 :] else {rest}


def _name(rest: str) -> str:
    """The file name that the rest of a header line starts with, ended where git ends it."""
    quoted = _QUOTED.match(rest)
    return _unquote(quoted[0]) if quoted else _NAME_END.split(rest, maxsplit=1)[0]


def _unquote(name: str) -> str:
    """Undo git's C quoting of unusual file names."""

    def plain(match: re.Match[bytes]) -> bytes:
        code = match.group(1)
        return bytes([int(code, 8)]) if len(code) == 3 else _PLAIN.get(code, code)

    raw = _ESCAPE.sub(plain, name[1:-1].encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")
