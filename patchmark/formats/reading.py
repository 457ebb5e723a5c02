"""Reading what strangers wrote: bounded, UTF-8 or an error, and nothing outside of a folder."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import UsageError

LONGEST = 32 * 1024 * 1024
"""Bytes of one row or file; no task that was ever published comes near."""


class UnfitError(Exception):
    """A row or file that cannot be a task; says what is wrong and what was expected."""


def text_of(path: Path, *, below: Path | None = None, most: int = LONGEST) -> str:
    """A regular file's text of at most so many bytes, line ends as they are. Raises UnfitError.

    With `below`, it has to lie in that folder, by no link.
    """
    try:
        if below is not None:
            _no_links(path, below)
        with _plain_file(path) as handle:
            content = handle.read(most + 1)
    except FileNotFoundError:
        raise UnfitError(f"there is no {path.name}, which was expected") from None
    except OSError as error:
        raise UnfitError(f"{path.name} cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise UnfitError(f"{path.name} is larger than {most >> 20} MiB, which is the most")
    return decoded(content, path.name)


def decoded(content: bytes, what: str) -> str:
    """UTF-8 text. Raises UnfitError."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UnfitError(f"{what}: byte {error.start + 1} is not UTF-8, as expected") from error
    if "\0" in text:
        raise UnfitError(f"{what} holds a NUL character; text was expected")
    return text


def lines_of(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not blank, with their numbers; None for one that is too long.

    Raises UsageError where the file cannot be read.
    """
    try:
        with _plain_file(path) as handle:
            number = 0
            while line := handle.readline(LONGEST + 1):
                number += 1
                whole = len(line) <= LONGEST
                while not whole and line and not line.endswith(b"\n"):
                    line = handle.readline(LONGEST + 1)
                if not whole or line.strip():
                    yield number, line if whole else None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


def json_of(text: str, what: str) -> Any:
    """A JSON value. Raises UnfitError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnfitError(f"{what}: JSON was expected: {error}") from error


def line_json(line: bytes | None, number: int) -> Any:
    """The JSON value of a line of `lines_of`. Raises UnfitError."""
    if line is None:
        raise UnfitError(f"the line is longer than {LONGEST >> 20} MiB, which is the most")
    text = decoded(line, "the line")
    return json_of(text.removeprefix("\ufeff") if number == 1 else text, "the line")


def whole(text: str) -> str:
    """The text. Raises UnfitError where no file could hold it, as JSON can spell such."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnfitError("it holds half a character (a lone surrogate)") from error
    return text


def _plain_file(path: Path) -> Any:
    # Neither a device nor a pipe, which might never end.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "it is no regular file")
    return open(handle, "rb")  # noqa: PTH123 - what is open already


def _no_links(path: Path, below: Path) -> None:
    inside = path.relative_to(below)
    if ".." in inside.parts:
        raise UnfitError(f"{inside} leads out of the folder")
    for part in (path, *path.parents):
        if part == below:
            return
        if part.is_symlink():
            raise UnfitError(f"{part.relative_to(below)} is a link; a file of its own was expected")
