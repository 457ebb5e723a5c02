"""What an API said about one repository, kept between runs in an SQLite file.

Two processes may use one file at the same time. A file that is damaged or is somebody else's
is set aside; where none can be kept the cache lasts as long as the process.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from core.redact import Redactor

OVERLAP = timedelta(minutes=5)
"""An answer may lack what changed in the last minutes before it: copies lag behind."""

_VERSION = 1
_PATIENCE = 30
"""Seconds to wait for another process."""
_AT_ONCE = 500
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries (
    kind TEXT, key TEXT, data TEXT, updated_at TEXT, read_at TEXT, fresh INTEGER,
    PRIMARY KEY (kind, key)
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
PRAGMA user_version = {_VERSION};
COMMIT;
"""


@dataclass(frozen=True)
class Kept:
    """An answer as it is kept."""

    data: str | None
    """JSON; None = the API said that there is none."""
    fresh: bool
    """False once the API was heard to have something newer."""


@dataclass(frozen=True)
class New:
    """An answer to keep."""

    data: str | None
    updated_at: datetime | None
    """When the object last changed; None where there is none."""


@dataclass(frozen=True)
class Position:
    """Up to where the changes of the repository are known."""

    since: datetime
    etag: str = ""
    """Of the list of changes since then."""
    name: str = ""
    """What the repository is called by now."""


class ApiCache:
    """The answers of one API about one repository."""

    def __init__(
        self,
        folder: Path,
        url: str,
        slug: str,
        tell: Callable[[str], None],
        redactor: Redactor,
    ):
        self._of = f"{url.rstrip('/')} {slug.lower()}"
        self.path = folder / _file_name(url, slug, self._of)
        self._tell = tell
        self._redactor = redactor
        self._file = self._open()

    def __del__(self) -> None:
        # A tracker ends with its run, and nobody has to end it.
        if hasattr(self, "_file"):
            self._file.close()

    def read(self, kind: str, keys: Sequence[str]) -> dict[str, Kept]:
        """What is known of these keys."""
        found: dict[str, Kept] = {}
        for some in _parts(keys):
            marks = ",".join("?" * len(some))
            # Only question marks are put into the text.
            query = f"SELECT key, data, fresh FROM entries WHERE kind = ? AND key IN ({marks})"  # noqa: S608
            rows = self._rows(query, (kind, *some))
            found |= {
                key: Kept(data, bool(fresh))
                for key, data, fresh in rows
                if isinstance(key, str) and (data is None or isinstance(data, str))
            }
        return found

    def write(self, kind: str, items: Mapping[str, New], read_at: datetime) -> None:
        """Keep answers that were read at this time."""
        rows = [
            (kind, k, i.data and self._redactor.text(i.data), _text(i.updated_at), _text(read_at))
            for k, i in items.items()
        ]
        self._run("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, 1)", rows)

    def outdate(self, changes: Mapping[int, datetime]) -> None:
        """These numbers changed last at these times: what is older is not fresh any more."""
        rows = [(str(n), _text(at), _text(at + OVERLAP)) for n, at in changes.items()]
        self._run(
            "UPDATE entries SET fresh = 0 WHERE kind != 'commit' AND key = ?"
            " AND updated_at < ? AND read_at < ?",
            rows,
        )

    def outdate_all(self) -> None:
        """Nothing that has a number is fresh any more; what brought a commit stays so."""
        self._run("UPDATE entries SET fresh = 0 WHERE kind != 'commit'", [()])

    @property
    def position(self) -> Position | None:
        """Up to where changes are known; None for a new cache."""
        rows = self._rows("SELECT name, value FROM facts", ())
        facts = {str(name): value for name, value in rows}
        try:
            since = datetime.fromisoformat(str(facts["since"]))
        except (KeyError, ValueError):
            return None
        if since.tzinfo is None:
            return None
        return Position(since, str(facts.get("etag", "")), str(facts.get("name", "")))

    @position.setter
    def position(self, position: Position) -> None:
        facts = {"since": _text(position.since), "etag": position.etag, "name": position.name}
        self._run("INSERT OR REPLACE INTO facts VALUES (?, ?)", list(facts.items()))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _rows(self, query: str, values: Sequence[str]) -> list[tuple[object, ...]]:
        with self._mending():
            return self._file.execute(query, values).fetchall()
        return []

    def _run(self, query: str, rows: Sequence[tuple[str | None, ...]]) -> None:
        with self._mending(), self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany(query, rows)

    @contextmanager
    def _mending(self) -> Iterator[None]:
        """Whatever goes wrong with the file costs answers, never the run."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            self._file.close()
            if _is_in_use(error):
                self._file = self._in_memory(error)
            else:
                self._set_aside(error)
                self._file = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._connected()
        except sqlite3.DatabaseError as error:
            if _is_in_use(error):
                return self._in_memory(error)
            self._set_aside(error)
        except OSError as error:
            return self._in_memory(error)
        try:
            return self._connected()
        except (sqlite3.Error, OSError) as error:
            return self._in_memory(error)

    def _connected(self) -> sqlite3.Connection:
        file = _connection(self.path)
        try:
            self._check(file)
        except BaseException:
            file.close()
            raise
        return file

    def _check(self, file: sqlite3.Connection) -> None:
        """Make the tables of a new file. Raises sqlite3.DatabaseError for a foreign one."""
        (version,) = file.execute("PRAGMA user_version").fetchone()
        empty = not file.execute("SELECT 1 FROM sqlite_master").fetchall()
        if version != _VERSION and not empty:
            raise sqlite3.DatabaseError("another version's, or not patchmark's")
        file.executescript(_TABLES)
        file.execute("INSERT OR IGNORE INTO facts VALUES ('of', ?)", (self._of,))
        if file.execute("SELECT value FROM facts WHERE name = 'of'").fetchone() != (self._of,):
            raise sqlite3.DatabaseError("another repository's")
        file.execute("SELECT kind, key, data, updated_at, read_at, fresh FROM entries LIMIT 0")

    def _set_aside(self, reason: Exception) -> None:
        aside = self.path.with_suffix(".broken")
        try:
            self.path.replace(aside)
        except OSError:
            return
        for rest in ("-journal", "-wal", "-shm"):
            self.path.with_name(self.path.name + rest).unlink(missing_ok=True)
        self._tell(f"{self.path} cannot be read ({reason}): set aside as {aside.name}")

    def _in_memory(self, reason: Exception) -> sqlite3.Connection:
        self._tell(f"{self.path} cannot be used ({reason}): GitHub's answers are not kept")
        file = _connection(":memory:")
        file.executescript(_TABLES)
        return file


def _connection(path: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None)


def _is_in_use(error: sqlite3.Error) -> bool:
    """Locked, full, read-only: nothing is wrong with what the file holds."""
    if not isinstance(error, sqlite3.OperationalError):
        return False
    return not str(error).startswith(("no such", "table ", "Could not decode"))


def _file_name(url: str, slug: str, of: str) -> str:
    """Readable, and of this API and repository alone."""
    parts = urlsplit(url)
    plain = f"{parts.netloc}{parts.path.rstrip('/')}+{slug.replace('/', '+')}".lower()
    digest = hashlib.sha256(of.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^a-z0-9.+-]', '_', plain)[:150]}-{digest}.sqlite"


def _parts(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))


def _text(at: datetime | None) -> str:
    """Times that sort as texts do."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00") if at else ""
