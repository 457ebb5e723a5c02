"""From the text of an answer to a diff, or to the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import core.diff
from core.types import Stop
from models.base import Files
from models.blocks import Block, MalformedBlockError, MisplacedError, find_blocks, replace_once
from models.provider import Finish
from models.unified import file_diff, find_diff
from models.whole import whole_files

Form = Literal["blocks", "whole", "diff"]
"""What a model is asked to answer with."""
_BOM = "\ufeff"


@dataclass(frozen=True)
class Edit:
    """What an answer asks to change; `diff` is empty unless `stop` is `answered`."""

    stop: Stop
    diff: str = ""
    detail: str = ""


class UnsafePathError(Exception):
    """A path outside of the repository, or in git's own folder."""


def read_answer(text: str, finish: Finish, files: Files, form: Form = "blocks") -> Edit:
    """Read an answer; never raises for anything a model can write.

    SEARCH/REPLACE blocks and diffs are understood whatever was asked for; whole files only
    where they were, since any answer may show code that is no file.
    """
    if finish in ("refusal", "safety"):
        first = " ".join(text.split())[:200]
        return Edit(Stop.REFUSED, detail=f"{finish}: {first}" if first else finish)
    if finish == "length":
        return Edit(Stop.TRUNCATED, detail="the answer hit the length limit")
    if not text.strip():
        return Edit(Stop.EMPTY, detail="the answer has no text")
    try:
        return _read(text, files, form)
    except (MalformedBlockError, UnsafePathError) as error:
        return Edit(Stop.UNREADABLE, detail=str(error))
    except MisplacedError as error:
        return Edit(Stop.MISPLACED, detail=str(error))


def _read(text: str, files: Files, form: Form) -> Edit:
    known = frozenset(files.files())
    blocks = find_blocks(text, known)
    if blocks:
        return _answered(_apply(blocks, files, known))
    diff = find_diff(text)
    sections = core.diff.split(diff) if diff else []
    if (diff is None or not sections) and form == "whole":
        return _read_whole(text, files, known)
    if diff is None or not sections:
        return Edit(Stop.UNREADABLE, detail="no SEARCH/REPLACE block and no diff in the answer")
    for section in sections:
        for path in sorted(section.paths):
            _check(path)
    return _answered(diff if any(_changes(section) for section in sections) else "")


def _read_whole(text: str, files: Files, known: frozenset[str]) -> Edit:
    found = whole_files(text, known)
    if not found:
        return Edit(Stop.UNREADABLE, detail="no whole file, block or diff in the answer")
    diffs = []
    for path, content in found.items():
        _check(path)
        before = files.read(path) if path in known else None
        if path in known and before is None:
            raise MisplacedError(f"{path}: is not a text file")
        diffs.append("" if before == content else file_diff(path, before, content))
    return _answered("".join(diffs))


def _answered(diff: str) -> Edit:
    if diff:
        return Edit(Stop.ANSWERED, diff)
    return Edit(Stop.EMPTY, detail="the edits change nothing")


def _changes(section: core.diff.FileDiff) -> bool:
    heads = ("new file", "deleted file", "old mode", "rename ", "copy ", "GIT binary")
    return bool(section.added or section.removed) or any(
        line.startswith(heads) for line in section.text.split("\n")
    )


def _check(path: str) -> None:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "" in parts:
        raise UnsafePathError(f"{path!r} is not a path within the repository")
    if any(part.strip(" .").lower() == "git" and part.startswith(".") for part in parts):
        raise UnsafePathError(f"{path!r} lies in git's own folder")


def _apply(blocks: list[Block], files: Files, known: frozenset[str]) -> str:
    """Apply edits in order and return the diff of all files; "" where nothing changes."""
    before: dict[str, str | None] = {}
    after: dict[str, str | None] = {}
    for block in blocks:
        _check(block.path)
        if block.path not in before:
            before[block.path] = after[block.path] = _open(block, files, known)
        after[block.path] = _edit(block, after[block.path])
    return "".join(
        file_diff(path, before[path], new)
        for path, new in after.items()
        if new is not None and new != before[path]
    )


def _open(block: Block, files: Files, known: frozenset[str]) -> str | None:
    if block.path not in known:
        return None
    content = files.read(block.path)
    if content is None:
        raise MisplacedError(f"{block.path}: is not a text file")
    return content


def _edit(block: Block, content: str | None) -> str:
    """A file's content after one edit; None stands for a file that does not exist."""
    problem = None
    for search, replace in block.readings():
        try:
            return _edit_as(search, replace, content)
        except MisplacedError as error:
            problem = error
    raise MisplacedError(f"{block.path}: the block {block.first_line!r} {problem}")


def _edit_as(search: list[str], replace: list[str], content: str | None) -> str:
    if not any(line.strip() for line in search):
        if content:
            raise MisplacedError("has no search text, and the file is there already")
        return "".join(f"{line}\n" for line in replace)
    if content is None:
        raise MisplacedError("is for a file that is not in the repository")
    bom = _BOM if content.startswith(_BOM) else ""
    return bom + replace_once(content.removeprefix(_BOM), search, replace)
