"""What a commit, or the working tree, tells coding agents, and its settings: as data, never run.

Nothing is checked out. Links are followed to guidance of the same version alone.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from core.errors import RepositoryError, UsageError
from core.git import Repository
from core.programs import work_tree
from models.guidance import Guidance

LARGEST = 200_000
"""Bytes of one file."""
MOST = 500
"""Files of a version."""
ALL = 2_000_000
"""Bytes of them together."""
WORKING_TREE = ""


@dataclass(frozen=True)
class _Found:
    """A file that is there, and how to get at it."""

    path: str
    kind: str
    """`file`, `link`, or something else, in words."""
    size: int
    read: Callable[[], bytes]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two versions."""

    guidance: Guidance
    unread: Mapping[str, str]
    """Path → why no model can be given it."""
    settings: str | None
    """Text of the settings file; None where there is none."""


def side(repository: Repository, commit: str, globs: tuple[str, ...], settings: str) -> Side:
    """Read a version; `commit` may be `WORKING_TREE`, `settings` is a path from the root.

    Raises UsageError for a settings file that is no text, or a link.
    """
    found = _in_work_tree(repository) if commit == WORKING_TREE else _in_commit(repository, commit)
    plain = Guidance(files={}, globs=globs)
    wanted: list[_Found] = []
    text = None
    for one in found:
        if one.path == settings:
            text = _settings(one, commit)
        elif plain.covers(one.path):
            wanted.append(one)
    reading = _Reading({one.path: one for one in found}, plain)
    for one in sorted(wanted, key=lambda one: (one.path.count("/"), one.path)):
        reading.take(one)
    guidance = Guidance(files=reading.files, links=reading.links, globs=globs)
    return Side(guidance=guidance, unread=reading.unread, settings=text)


def called(commit: str) -> str:
    """What a version is called in messages."""
    return commit[:12] if commit else "the working tree"


def _settings(one: _Found, commit: str) -> str:
    where = f"{one.path} of {called(commit)}"
    if one.kind != "file":
        raise UsageError(f"{where}: is {_article(one.kind)}, and no file")
    if one.size > LARGEST:
        raise UsageError(f"{where}: {one.size:,} bytes are too many for a settings file")
    try:
        return one.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: cannot be read: {error}") from error


@dataclass
class _Reading:
    """Guidance as it is read, within bounds."""

    there: Mapping[str, _Found]
    covering: Guidance
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    size: int = 0

    def take(self, one: _Found) -> None:
        """Take one file, or note why not."""
        why = self._link(one) if one.kind == "link" else self._file(one, one.path)
        if why:
            self.unread[one.path] = why

    def _file(self, one: _Found, path: str) -> str:
        if not path.isprintable():
            return "its name cannot be shown"
        if one.kind != "file":
            return f"is {_article(one.kind)}"
        if one.size > LARGEST:
            return f"{one.size:,} bytes are more than {LARGEST:,}"
        if len(self.files) >= MOST or self.size + one.size > ALL:
            return f"there are more than {MOST} files or {ALL:,} bytes of guidance"
        content = one.read()
        if b"\0" in content:
            return "is binary"
        try:
            self.files[path] = content.decode()
        except UnicodeDecodeError:
            return "is not UTF-8"
        self.size += one.size
        return ""

    def _link(self, one: _Found) -> str:
        """A link to guidance is laid as one; one to any other text of the repository as a copy."""
        target = os.fsdecode(one.read()) if one.size <= 4096 else "/"
        end = posixpath.normpath(posixpath.join(posixpath.dirname(one.path), target))
        if target.startswith("/") or end.split("/")[0] == "..":
            return "is a link out of the repository"
        to = self.there.get(end)
        if to is None or to.kind != "file":
            return "is a link to no file of the repository"
        if self.covering.covers(end) and target.isprintable():
            self.links[one.path] = target
            return ""
        return self._file(to, one.path)


def _article(kind: str) -> str:
    return f"a {kind}"


def _in_commit(repository: Repository, commit: str) -> list[_Found]:
    entries = repository.tree(commit)
    ids = "".join(f"{entry.blob}\n" for entry in entries).encode()
    told = repository.git("cat-file", "--batch-check=%(objectsize)", stdin=ids)
    lines = told.decode(errors="replace").splitlines()
    return [
        _Found(
            entry.path,
            "link" if entry.mode == "120000" else "file",
            int(line) if line.isdecimal() else 0,
            _blob(repository, entry.blob),
        )
        for entry, line in zip(entries, lines, strict=True)
    ]


def _blob(repository: Repository, blob: str) -> Callable[[], bytes]:
    return lambda: repository.git("cat-file", "blob", blob)


def _in_work_tree(repository: Repository) -> list[_Found]:
    root = work_tree(repository.path)
    listed = Repository(root).git(
        "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name"
    )
    paths = dict.fromkeys(os.fsdecode(name) for name in listed.split(b"\0") if name)
    return [*_there(root, paths)]


def _there(root: Path, paths: Iterable[str]) -> Iterable[_Found]:
    for path in paths:
        full = root / path
        try:
            known = full.lstat()
        except OSError:
            continue  # deleted, and not yet committed as that
        if stat.S_ISLNK(known.st_mode):
            target = os.fsencode(full.readlink())
            yield _Found(path, "link", len(target), partial(bytes, target))
        elif stat.S_ISREG(known.st_mode):
            yield _Found(path, "file", known.st_size, full.read_bytes)
        elif not stat.S_ISDIR(known.st_mode):
            yield _Found(path, "special file", 0, bytes)


def commit_of(repository: Repository, revision: str, which: str) -> str:
    """The commit of a branch, tag or id. Raises UsageError."""
    try:
        return repository.resolve(revision)
    except RepositoryError:
        hint = " (the clone is shallow: fetch-depth: 0)" if repository.is_shallow else ""
        raise UsageError(f"{which} {revision}: is in no part of this clone{hint}") from None


def default_branch(repository: Repository) -> str:
    """What a change would be merged into. Raises UsageError where that cannot be told."""
    for name in ("origin/HEAD", "origin/main", "origin/master", "main", "master"):
        if repository.text("for-each-ref", f"refs/remotes/{name}", f"refs/heads/{name}").strip():
            return name
    raise UsageError("--base: this repository has no branch main or master; name one")


def where_they_part(repository: Repository, base: str, head: str) -> str:
    """The last commit that two commits have in common. Raises UsageError where there is none."""
    try:
        return repository.text("merge-base", base, head).strip()
    except RepositoryError:
        hint = "; the clone is shallow: fetch-depth: 0" if repository.is_shallow else ""
        raise UsageError(f"{base[:12]} and {head[:12]} have no commit in common{hint}") from None
