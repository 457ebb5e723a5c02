"""The run folder: one JSON Lines file a record type, written line by line, resumed by reading.

A record is one line, appended in one write and flushed to disk before `append` returns.
A line that was cut short by a crash is moved aside when the folder is next opened; every
other unreadable line is an error that names file and line, because it was not us who wrote it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

from pydantic import ValidationError

from core.attempts import Attempts, Key
from core.confinement import Confinement
from core.errors import StoreError
from core.mined import SCHEMA_VERSION
from core.opinion import Opinion
from core.redact import Redactor
from core.types import Candidate, Dropped, Patch, Probe, Record, Task, Verdict

R = TypeVar("R", bound=Record)
A = TypeVar("A", bound=Patch | Verdict)
_AT_ONCE = 1_000
"""Records that `append_all` gathers before it waits for the disk."""

FILES: dict[type[Record], str] = {
    Candidate: "candidates.jsonl",
    Dropped: "dropped.jsonl",
    Task: "tasks.jsonl",
    Patch: "patches.jsonl",
    Probe: "probes.jsonl",
    Verdict: "verdicts.jsonl",
    Opinion: "opinions.jsonl",
    Confinement: "sandbox.jsonl",
}


class RunFolder:
    """One run's folder. Use as a context manager: only one process may hold it at a time."""

    def __init__(self, path: Path, redactor: Redactor):
        """What is written goes through `redactor`: a run folder is shared, its secrets are not."""
        self.path = path.absolute()
        self._redactor = redactor
        self._lock = threading.Lock()
        self._held: int | None = None
        self._attempts: dict[type[Record], Attempts[Any]] = {}
        self._written = Counter[type[Record]]()

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            held = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be used as a run folder: {error}") from error
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(held)
            raise StoreError(f"{self.path}: another patchmark is using this run folder") from error
        try:
            for name in FILES.values():
                _set_torn_line_aside(self.path / name)
        except OSError as error:
            os.close(held)
            raise StoreError(f"{self.path}: cannot be used as a run folder: {error}") from error
        self._held = held
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    @property
    def exchanges(self) -> Path:
        """Where the raw requests and answers of models are kept."""
        return self.path / "exchanges"

    @property
    def logs(self) -> Path:
        """Where the output of builds and test runs is kept."""
        return self.path / "logs"

    def append(self, record: Record) -> None:
        """Write one record; it is on disk when this returns. Safe from many threads.

        Raises StoreError where it cannot be written; nothing of it is then left in the file.
        """
        self._write(type(record), [self._redactor.record(record)])

    def append_all(self, records: Iterable[Record]) -> None:
        """Write many records; all are on disk when this returns, with few waits for it.

        Raises StoreError where they cannot be written; some may then be there, each of these whole.
        """
        waiting: defaultdict[type[Record], list[Record]] = defaultdict(list)
        for number, record in enumerate(records, 1):
            waiting[type(record)].append(self._redactor.record(record))
            if number % _AT_ONCE == 0:
                self._write_all(waiting)
        self._write_all(waiting)

    def _write_all(self, waiting: dict[type[Record], list[Record]]) -> None:
        for kind, records in waiting.items():
            self._write(kind, records)
        waiting.clear()

    def _write(self, kind: type[Record], records: Sequence[Record]) -> None:
        path = self.path / FILES[kind]
        lines = [record.model_dump_json().encode() + b"\n" for record in records]
        with self._lock:
            try:
                start = _append(path, b"".join(lines))
            except OSError as error:
                raise StoreError(f"{path}: cannot be written: {error}") from error
            self._written[kind] += len(records)
            for record, line in zip(records, lines, strict=True):
                known = self._attempts.get(kind)
                if known is not None and not known.appended(record, start, len(line)):
                    del self._attempts[kind]
                start += len(line)

    def written(self, *kinds: type[Record]) -> int:
        """How many records of these kinds were written since it was opened."""
        return sum(self._written[kind] for kind in kinds)

    def read(self, kind: type[R]) -> Iterator[R]:
        """All records of one kind in the order they were written.

        Raises StoreError, naming file and line, for a line that is no such record.
        """
        path = self.path / FILES[kind]
        if not path.exists():
            return
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _parse(kind, line, f"{path}:{number}")

    def latest(self, kind: type[R], key: Callable[[R], Hashable]) -> dict[Hashable, R]:
        """The last record written for each key, in the order the keys first appeared."""
        found: dict[Hashable, R] = {}
        for record in self.read(kind):
            found[key(record)] = record
        return found

    def attempts(self, kind: type[A]) -> Mapping[Key, A]:
        """The same for the attempts of entrants, of which there are most: read when looked at.

        In memory is where they stand, found by reading the file once. Raises StoreError as `read`.
        """
        with self._lock:
            if kind not in self._attempts:
                self._attempts[kind] = Attempts(self.path / FILES[kind], partial(_parse, kind))
            return self._attempts[kind].latest()


def _append(path: Path, line: bytes) -> int:
    """Where in the file it begins."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        before = os.fstat(handle).st_size
        written = os.write(handle, line)
        if written != len(line):
            # Else the next record would continue this line, and both would be unreadable.
            os.ftruncate(handle, before)
            raise OSError(errno.ENOSPC, f"disk full? {written} of {len(line)} bytes fitted")
        os.fsync(handle)
        return before
    finally:
        os.close(handle)


def _parse(kind: type[R], line: bytes, where: str) -> R:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        if place == "schema_version":
            raise StoreError(
                f"{where}: written with another schema version than {SCHEMA_VERSION}; "
                "use the patchmark that made this folder, or a new --out folder"
            ) from error
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise StoreError(f"{where}: not a {kind.__name__.lower()} record: {what}") from error


def _set_torn_line_aside(path: Path) -> None:
    """Move what follows the last newline to NAME.torn: a write that a crash cut short."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        keep = _after_last_newline(file, end)
        if keep == end:
            return
        file.seek(keep)
        with path.with_name(path.name + ".torn").open("ab") as aside:
            aside.write(file.read() + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
        file.truncate(keep)
        file.flush()
        os.fsync(file.fileno())


def _after_last_newline(file: BinaryIO, end: int) -> int:
    position = end
    while position > 0:
        start = max(0, position - 65536)
        file.seek(start)
        found = file.read(position - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0
