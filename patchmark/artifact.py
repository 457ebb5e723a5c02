"""The report in a workflow's artifact, which whoever opened the pull request may have made.

Nothing of it is unpacked to disk, followed or run: `report.json` alone is read, within bounds, and
is a report that can be shown or is refused.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from io import BufferedReader, FileIO
from math import isfinite
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ValidationError

from core.errors import UsageError
from core.report import Report

NAME = "report.json"
LARGEST = 20_000_000
"""Bytes of a report, and of a zip file that holds one."""
MOST_FILES = 1_000
LONGEST_TEXT = 1_000_000
LARGEST_NUMBER = 10**15
_MOST_ENTRANTS = 200
_MOST_TASKS = 5_000
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class RefusedArtifactError(UsageError):
    """It is not what it has to be; nobody should look away from that."""


def read_report(artifact: Path) -> Report | None:
    """The report in a folder or a zip file; None where there is none.

    Raises RefusedArtifactError for whatever is no plain report of a bearable size.
    """
    try:
        kind = artifact.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(kind):
        content = _in_folder(artifact)
    elif stat.S_ISREG(kind):
        content = _in_zip(artifact)
    else:
        raise _refused("it is neither a folder nor a file")
    return None if content is None else _parsed(content)


def _refused(why: str) -> RefusedArtifactError:
    return RefusedArtifactError(f"the artifact is refused: {why}")


def _in_folder(folder: Path) -> bytes | None:
    path = folder / NAME
    try:
        # Neither a link is followed nor is a pipe waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(f"{NAME} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _refused(f"{NAME} is no plain file")
    with BufferedReader(FileIO(handle)) as file:
        return _bounded(file.read(LARGEST + 1))


def _in_zip(path: Path) -> bytes | None:
    if path.stat().st_size > LARGEST:
        raise _refused(f"it is larger than {LARGEST} bytes")
    try:
        with zipfile.ZipFile(path) as archive:
            found = _entry(archive.infolist())
            if found is None:
                return None
            with archive.open(found) as file:
                return _bounded(file.read(LARGEST + 1))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError) as error:
        raise _refused(f"it is no zip file: {error}") from error


def _entry(entries: list[zipfile.ZipInfo]) -> zipfile.ZipInfo | None:
    if len(entries) > MOST_FILES:
        raise _refused(f"it holds more than {MOST_FILES} files")
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
            raise _refused("a name in it leads out of it")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise _refused("there is a link in it")
    found = [entry for entry in entries if entry.filename == NAME]
    if len(found) > 1:
        raise _refused(f"it holds {NAME} more than once")
    for entry in found:
        if entry.flag_bits & 1 or entry.compress_type not in _PLAIN:
            raise _refused(f"{NAME} is encrypted, or packed in an unusual way")
    return next(iter(found), None)


def _bounded(content: bytes) -> bytes:
    if len(content) > LARGEST:
        raise _refused(f"{NAME} is larger than {LARGEST} bytes")
    return content


def _parsed(content: bytes) -> Report:
    try:
        report = Report.model_validate_json(content)
    except ValidationError as error:
        # What is wrong stays in its place: it would be a stranger's text in our log.
        raise _refused(
            f"{NAME} is no report of this version ({error.error_count()} errors)"
        ) from None
    if len(report.entrants) > _MOST_ENTRANTS or len(report.tasks) > _MOST_TASKS:
        raise _refused(f"{NAME} has more entrants or tasks than any run of ours")
    if not all(map(_bearable, _values(report))):
        raise _refused(f"{NAME} holds a number or a text beyond all bounds")
    _show(report)
    return report


def _show(report: Report) -> None:
    """Render it once: what contradicts itself, as no report of ours does, is refused here."""
    from reports import markdown

    try:
        markdown.comment(report)
    except Exception as error:  # a stranger's data can break any line of it
        raise _refused(f"{NAME} cannot be shown ({type(error).__name__})") from error


def _values(value: object) -> Iterator[object]:
    if isinstance(value, BaseModel):
        for _, item in value:
            yield from _values(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _values(item)
    elif isinstance(value, tuple | list | frozenset):
        for item in value:
            yield from _values(item)
    else:
        yield value


def _bearable(value: object) -> bool:
    """Whether a value can be shown: `1E+999999999` as money would be a text of a gigabyte."""
    if isinstance(value, Decimal | float):
        return isfinite(value) and -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    if isinstance(value, int):
        return -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    return not isinstance(value, str) or len(value) <= LONGEST_TEXT
