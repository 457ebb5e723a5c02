"""Where the numbers of many runs are kept: a folder, or an orphan branch of the repository.

Nothing there is ever changed: a run adds a file, and a run that is already there adds none.
A branch is written without a checkout; sending it to a server is left to its user. Digests of whole
runs are the files of its root, results of the live trial those of its folder `live`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from pydantic import ValidationError

from core.digest import Digest
from core.errors import RepositoryError, StoreError, UsageError
from core.git import Repository
from core.live import LiveResult
from core.report import Report
from models.exchange_store import write_durably

BRANCH = "branch:"
USUAL = f"{BRANCH}patchmark-history"
_AUTHOR = ("-c", "user.name=patchmark", "-c", "user.email=patchmark@localhost")
_TRIES = 5
_UNBORN = "0" * 40


R = TypeVar("R", Digest, LiveResult)


@dataclass(frozen=True)
class Kind(Generic[R]):
    """What lies on a shelf."""

    model: type[R]
    folder: str
    """Below the shelf's own; empty = right in it."""
    again: frozenset[str]
    """Fields in which two records of the same thing may differ."""

    def name(self, record: R) -> str:
        """Of its file, which sorts by time."""
        return f"{record.made_at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}{self._mark(record)}"

    def is_among(self, record: R, names: Iterable[str]) -> bool:
        """Whether it is there already, in whatever file."""
        return any(name.endswith(self._mark(record)) for name in names)

    def path(self, name: str) -> str:
        """Below the shelf."""
        return f"{self.folder}/{name}" if self.folder else name

    def holds(self, path: str) -> bool:
        """Whether a file below the shelf is one of these."""
        folder, _, name = path.rpartition("/")
        return folder == self.folder and name.endswith(".json")

    def parsed(self, content: bytes, where: str) -> R:
        """A record that was read. Raises StoreError."""
        try:
            return self.model.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise StoreError(
                f"{where}: not the numbers of a run: {place}: {first['msg']}"
            ) from error

    def content(self, record: R) -> bytes:
        """What its file holds."""
        return record.model_dump_json(indent=1).encode() + b"\n"

    def _mark(self, record: R) -> str:
        """What two records of one run have in common: a report may be written twice."""
        numbers = record.model_dump_json(exclude=set(self.again))
        return f"-{record.head[:12]}-{hashlib.sha256(numbers.encode()).hexdigest()[:8]}.json"


_AGAIN = frozenset({"made_at", "patchmark_version"})
DIGESTS = Kind(Digest, "", _AGAIN)
LIVE = Kind(LiveResult, "live", _AGAIN)


class Shelf(Protocol[R]):
    """A place for records."""

    def read(self) -> list[R]:
        """All of them, the oldest first. Raises StoreError naming what cannot be read."""

    def add(self, record: R) -> bool:
        """Keep one more; False where it is there already."""


def shelf(where: str, repository: Path) -> Shelf[Digest]:
    """The shelf of digests that is meant by a folder's path, or by `branch:NAME`."""
    return _shelf(where, repository, DIGESTS)


def live_shelf(where: str, repository: Path) -> Shelf[LiveResult]:
    """The same for results of the live trial."""
    return _shelf(where, repository, LIVE)


def _shelf(where: str, repository: Path, kind: Kind[R]) -> Shelf[R]:
    if not where.startswith(BRANCH):
        return FolderShelf(Path(where).expanduser(), kind)
    branch = where.removeprefix(BRANCH)
    opened = Repository(repository)
    try:
        opened.git("check-ref-format", f"refs/heads/{branch}")
    except RepositoryError as error:
        raise UsageError(f"--history {where}: {branch!r} cannot be a branch") from error
    return BranchShelf(opened, branch, kind)


def unfit(report: Report) -> str | None:
    """Why a run is none for a history, which holds what was measured of models; None = it is."""
    if report.fiction:
        return "answers of this run are invented"
    if report.tasks_broken:
        return "tasks of this run are broken"
    if report.partial:
        return "this run is not whole"
    if report.change:
        return "this is a check of a change"
    if not any(row.scored and not row.baseline for row in report.entrants):
        return "no model was scored"
    return None


def put(onto: Shelf[R], record: R, where: str) -> str:
    """Add a run; what to tell of it."""
    return f"{where}: run added" if onto.add(record) else f"{where}: this run is there already"


@dataclass(frozen=True)
class FolderShelf(Generic[R]):
    """Records as files of a folder."""

    folder: Path
    kind: Kind[R]

    def read(self) -> list[R]:
        """As the protocol says."""
        try:
            found = [(path, path.read_bytes()) for path in sorted(self._place.glob("*.json"))]
        except OSError as error:
            raise StoreError(f"{error.filename}: cannot be read: {error.strerror}") from error
        return [self.kind.parsed(content, str(path)) for path, content in found]

    def add(self, record: R) -> bool:
        """As the protocol says; the file is on disk when this returns."""
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            names = [path.name for path in self._place.iterdir()]
        except OSError as error:
            raise StoreError(f"{self._place}: cannot be written: {error}") from error
        if self.kind.is_among(record, names):
            return False
        write_durably(self._place / self.kind.name(record), self.kind.content(record))
        return True

    @property
    def _place(self) -> Path:
        return self.folder / self.kind.folder


@dataclass(frozen=True)
class BranchShelf(Generic[R]):
    """Records as files of a branch that shares no commit with the others."""

    repository: Repository
    branch: str
    kind: Kind[R]

    def read(self) -> list[R]:
        """As the protocol says."""
        tip, _ = self._tip()
        if tip is None:
            return []
        entries = [e for e in self.repository.tree(tip) if self.kind.holds(e.path)]
        contents = self.repository.blobs([entry.blob for entry in entries])
        found = zip(entries, contents, strict=True)
        return [self.kind.parsed(content, f"{self.branch}:{e.path}") for e, content in found]

    def add(self, record: R) -> bool:
        """As the protocol says. Who adds at the same time is waited for, not overwritten."""
        for _ in range(_TRIES):
            tip, old = self._tip()
            there = self.repository.tree(tip) if tip else []
            if self.kind.is_among(record, [e.path for e in there if self.kind.holds(e.path)]):
                return False
            try:
                made = self._commit(record, tip)
                self.repository.git("update-ref", f"refs/heads/{self.branch}", made, old)
            except RepositoryError as error:
                if self._tip() != (tip, old):
                    continue
                raise StoreError(f"branch {self.branch}: cannot be written: {error}") from error
            return True
        raise StoreError(f"branch {self.branch}: others write to it all the time")

    def _tip(self) -> tuple[str | None, str]:
        """The newest commit, here or as fetched, and what the branch is here."""
        here, fetched = self._at("heads"), self._at("remotes/origin")
        if here is None or (fetched is not None and self._follows(fetched, here)):
            return fetched, here or _UNBORN
        return here, here

    def _follows(self, newer: str, older: str) -> bool:
        try:
            self.repository.git("merge-base", "--is-ancestor", older, newer)
        except RepositoryError:
            return False
        return True

    def _at(self, place: str) -> str | None:
        try:
            return self.repository.resolve(f"refs/{place}/{self.branch}")
        except RepositoryError:
            return None

    def _commit(self, record: R, tip: str | None) -> str:
        git = self.repository.git
        content = self.kind.content(record)
        blob = git("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        entry = f"100644 blob {blob}\t{self.kind.name(record)}"
        if folder := self.kind.folder:
            entry = f"040000 tree {self._with(tip and f'{tip}:{folder}', entry)}\t{folder}"
        tree = self._with(tip, entry)
        parents = ("-p", tip) if tip else ()
        message = f"Results of {record.head[:12]}\n".encode()
        return git(*_AUTHOR, "commit-tree", tree, *parents, stdin=message).decode().strip()

    def _with(self, tree: str | None, entry: str) -> str:
        """A tree that is there, or an empty one, with one more entry, or this in its place."""
        there: list[bytes] = []
        if tree and (":" not in tree or self._has_tree(tree)):
            there = self.repository.git("ls-tree", "-z", tree).split(b"\0")
        name = entry.partition("\t")[2].encode()
        kept: list[bytes] = [line for line in there if line and line.partition(b"\t")[2] != name]
        lines = b"".join(line + b"\0" for line in (*kept, entry.encode()))
        return self.repository.git("mktree", "-z", stdin=lines).decode().strip()

    def _has_tree(self, tree: str) -> bool:
        try:
            return self.repository.text("cat-file", "-t", tree).strip() == "tree"
        except RepositoryError:
            return False
