"""Unified diffs: writing git's format, and reading the ones that models write."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

_DIFF_LINE = re.compile(
    r"[ +\-\\]|@@|$|diff --git |index |(new|deleted) file mode |(old|new) mode |"
    r"(dis)?similarity index |(rename|copy) (from|to) "
)
_SPECIAL = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def file_diff(path: str, old: str | None, new: str) -> str:
    """One file's change in git's format; `old` None for a file that is created."""
    before, after = quoted(f"a/{path}"), quoted(f"b/{path}")
    head = f"diff --git {before} {after}\n"
    if old is None:
        head, before = head + "new file mode 100644\n", "/dev/null"
        if not new:
            return head + "index 0000000..e69de29\n"
    hunks = list(difflib.unified_diff(_lines(old or ""), _lines(new), lineterm="\n"))[2:]
    body = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in hunks
    )
    return f"{head}--- {_named(before)}\n+++ {_named(after)}\n{body}"


def find_diff(text: str) -> str | None:
    """The unified diff in an answer, in git's format; None where there is none.

    Hunks are taken as they stand. Where the headers are those of plain `diff -u`, git's own
    are added, without which nothing later could tell the files of the diff apart.
    """
    lines = list(_diff_lines(text.split("\n")))
    return "\n".join(_with_headers(lines)) + "\n" if lines else None


def quoted(path: str) -> str:
    """A path as git writes it in a diff."""
    if not re.search(r'[\x00-\x1f\x7f"\\]', path):
        return path
    octal = re.sub(r"[\x00-\x1f\x7f\"\\]", lambda m: _SPECIAL.get(m[0], f"\\{ord(m[0]):03o}"), path)
    return f'"{octal}"'


def _named(path: str) -> str:
    """For `---` and `+++` lines, where a tab ends a name that has spaces."""
    return f"{path}\t" if " " in path and not path.startswith('"') else path


def _lines(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one, as for git."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _diff_lines(lines: list[str]) -> Iterator[str]:
    inside = False
    for at, line in enumerate(lines):
        starts = line.startswith("diff --git ") or _is_pair(lines, at)
        inside = starts or (inside and _DIFF_LINE.match(line) is not None)
        if inside:
            yield line


def _is_pair(lines: list[str], at: int) -> bool:
    """True where a file's `---` and `+++` lines start; never so within a hunk."""
    return (
        lines[at].startswith("--- ")
        and at + 2 < len(lines)
        and lines[at + 1].startswith("+++ ")
        and lines[at + 2].startswith("@@")
    )


def _with_headers(lines: list[str]) -> Iterator[str]:
    header: list[str] = []  # of the section whose `---` line has not come yet
    at = 0
    while at < len(lines):
        if lines[at].startswith("diff --git "):
            yield from header
            header = [lines[at]]
        elif _is_pair(lines, at):
            yield from _file_header(header, lines[at], lines[at + 1])
            header, at = [], at + 1
        elif header and not lines[at].startswith("@@"):
            header.append(lines[at])
        else:
            yield lines[at]
        at += 1
    yield from header


def _file_header(header: list[str], old_line: str, new_line: str) -> list[str]:
    old, new = (line[4:].split("\t")[0].rstrip() for line in (old_line, new_line))
    created, deleted = old == "/dev/null", new == "/dev/null"
    if not header:
        prefixed = (created or old.startswith("a/")) and (deleted or new.startswith("b/"))
        old, new = (old, new) if prefixed else (f"a/{old}", f"b/{new}")
        path = (old if deleted else new)[2:]
        header = [f"diff --git a/{path} b/{path}"]
        old_line = f"--- {'/dev/null' if created else _named(old)}"
        new_line = f"+++ {'/dev/null' if deleted else _named(new)}"
    if (created or deleted) and not any(" file mode " in line for line in header):
        header = [header[0], f"{'new' if created else 'deleted'} file mode 100644", *header[1:]]
    return [*header, old_line, new_line]
