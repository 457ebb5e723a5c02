"""Where the digests of many runs are kept: a folder, or an orphan branch of the repository.

Nothing there is ever changed: a run adds a file, and a run that is already there adds none.
A branch is written without a checkout; sending it to a server is left to its user.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from core.digest import Digest
from core.errors import RepositoryError, StoreError, UsageError
from core.git import Repository
from core.report import Report
from models.exchange_store import write_durably

BRANCH = "branch:"
USUAL = f"{BRANCH}patchmark-history"
_AUTHOR = ("-c", "user.name=patchmark", "-c", "user.email=patchmark@localhost")
_TRIES = 5
_UNBORN = "0" * 40


class Shelf(Protocol):
    """A place for digests."""

    def read(self) -> list[Digest]:
        """All of them, the oldest first. Raises StoreError naming what cannot be read."""

    def add(self, digest: Digest) -> bool:
        """Keep one more; False where it is there already."""


def shelf(where: str, repository: Path) -> Shelf:
    """The shelf that is meant by a folder's path, or by `branch:NAME`."""
    if not where.startswith(BRANCH):
        return FolderShelf(Path(where).expanduser())
    branch = where.removeprefix(BRANCH)
    opened = Repository(repository)
    try:
        opened.git("check-ref-format", f"refs/heads/{branch}")
    except RepositoryError as error:
        raise UsageError(f"--history {where}: {branch!r} cannot be a branch") from error
    return BranchShelf(opened, branch)


def unfit(report: Report) -> str | None:
    """Why a run is none for a history, which holds what was measured of models; None = it is."""
    if report.fiction:
        return "answers of this run are invented"
    if report.tasks_broken:
        return "tasks of this run are broken"
    if report.partial:
        return "this run is not whole"
    if not any(row.scored and not row.baseline for row in report.entrants):
        return "no model was scored"
    return None


def put(onto: Shelf, digest: Digest, where: str) -> str:
    """Add a run; what to tell of it."""
    return f"{where}: run added" if onto.add(digest) else f"{where}: this run is there already"


@dataclass(frozen=True)
class FolderShelf:
    """Digests as files of a folder."""

    folder: Path

    def read(self) -> list[Digest]:
        """As the protocol says."""
        try:
            found = [(path, path.read_bytes()) for path in sorted(self.folder.glob("*.json"))]
        except OSError as error:
            raise StoreError(f"{error.filename}: cannot be read: {error.strerror}") from error
        return [_parsed(content, str(path)) for path, content in found]

    def add(self, digest: Digest) -> bool:
        """As the protocol says; the file is on disk when this returns."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            names = [path.name for path in self.folder.iterdir()]
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be written: {error}") from error
        if _is_among(digest, names):
            return False
        write_durably(self.folder / _name(digest), _content(digest))
        return True


@dataclass(frozen=True)
class BranchShelf:
    """Digests as files of a branch that shares no commit with the others."""

    repository: Repository
    branch: str

    def read(self) -> list[Digest]:
        """As the protocol says."""
        tip, _ = self._tip()
        if tip is None:
            return []
        entries = [e for e in self.repository.tree(tip) if e.path.endswith(".json")]
        contents = self.repository.blobs([entry.blob for entry in entries])
        found = zip(entries, contents, strict=True)
        return [_parsed(content, f"{self.branch}:{entry.path}") for entry, content in found]

    def add(self, digest: Digest) -> bool:
        """As the protocol says. Who adds at the same time is waited for, not overwritten."""
        for _ in range(_TRIES):
            tip, old = self._tip()
            names = [e.path for e in self.repository.tree(tip)] if tip else []
            if _is_among(digest, names):
                return False
            try:
                made = self._commit(digest, tip)
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

    def _commit(self, digest: Digest, tip: str | None) -> str:
        git = self.repository.git
        blob = git("hash-object", "-w", "--stdin", stdin=_content(digest)).decode().strip()
        before = git("ls-tree", "-z", tip) if tip else b""
        entry = f"100644 blob {blob}\t{_name(digest)}\0".encode()
        tree = git("mktree", "-z", stdin=before + entry).decode().strip()
        parents = ("-p", tip) if tip else ()
        message = f"Results of {digest.head[:12]}\n".encode()
        return git(*_AUTHOR, "commit-tree", tree, *parents, stdin=message).decode().strip()


def _content(digest: Digest) -> bytes:
    return digest.model_dump_json(indent=1).encode() + b"\n"


def _name(digest: Digest) -> str:
    return f"{digest.made_at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}{_mark(digest)}"


def _mark(digest: Digest) -> str:
    """What two digests of one run have in common: a report may be written twice."""
    numbers = digest.model_dump_json(exclude={"made_at", "patchmark_version"})
    return f"-{digest.head[:12]}-{hashlib.sha256(numbers.encode()).hexdigest()[:8]}.json"


def _is_among(digest: Digest, names: list[str]) -> bool:
    return any(name.endswith(_mark(digest)) for name in names)


def _parsed(content: bytes, where: str) -> Digest:
    try:
        return Digest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise StoreError(f"{where}: not the numbers of a run: {place}: {first['msg']}") from error
