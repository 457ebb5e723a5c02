"""The last record of each attempt in a file of many: kept is where it stands, not what it says.

A run of 100,000 attempts has half a gigabyte of patches; who asks which of them are there, or looks
at one after the other, need not hold them all. The file is the only truth: places are found by
reading all of it, every line checked, and are nowhere on disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from sys import intern
from typing import Generic, TypeVar

from core.collector import put_off
from core.errors import StoreError
from core.types import Patch, Verdict

R = TypeVar("R", bound=Patch | Verdict)
Key = tuple[str, str, int]
"""Task, entrant, attempt."""
Place = tuple[int, int]
"""First byte of a line, and how many it has."""


def key_of(record: Patch | Verdict) -> Key:
    """Whose attempt at what a record is about."""
    return (record.task_id, record.entrant, record.attempt)


def by_attempt(records: Iterable[R]) -> dict[Key, R]:
    """The last record of each attempt, of those that are in memory already."""
    return {key_of(record): record for record in records}


class Attempts(Generic[R]):
    """One file's attempts, read once and then told of each line that is appended."""

    def __init__(self, path: Path, parse: Callable[[bytes, str], R]):
        """`parse` makes a record of a line, or a StoreError that begins with its second value.

        Raises StoreError, naming file and line, for a line that is no record.
        """
        self._path = path
        self._parse = parse
        self._end = 0
        self._places: dict[Key, Place] = {}
        if not path.exists():
            return
        with put_off(), path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    self._add(parse(line, f"{path}:{number}"), len(line))
                else:
                    self._end += len(line)

    def appended(self, record: R, start: int, length: int) -> bool:
        """Take note of a line; False where it does not follow the last one, so that all is old."""
        follows = start == self._end
        self._add(record, length)
        return follows

    def _add(self, record: R, length: int) -> None:
        # One text for all records of a task, and of an entrant.
        key = (intern(record.task_id), intern(record.entrant), record.attempt)
        self._places[key] = (self._end, length)
        self._end += length

    def latest(self) -> Mapping[Key, R]:
        """The last record of each, as of now, in the order they first came; read when asked for."""
        return _Latest(dict(self._places), self._read)

    def _read(self, key: Key, place: Place) -> R:
        start, length = place
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                line = os.pread(handle, length, start)
            finally:
                os.close(handle)
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be read: {error}") from error
        record = self._parse(line, f"{self._path}, byte {start}")
        if key_of(record) != key:
            raise StoreError(f"{self._path}: changed by another program while it was in use")
        return record


class _Latest(Mapping[Key, R]):
    """Safe from many threads, as its places never change."""

    def __init__(self, places: Mapping[Key, Place], read: Callable[[Key, Place], R]):
        self._places = places
        self._read = read

    def __getitem__(self, key: Key) -> R:
        return self._read(key, self._places[key])

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[Key]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
