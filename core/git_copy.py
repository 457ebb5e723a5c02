"""A repository's commits as one stream of bytes, and a bare copy made of it on another machine.

Clones of submodules come along. No `git bundle`: one cannot be made of a shallow clone. What is
read back comes from our own side, yet git checks every object that it takes in.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO

from core.errors import RepositoryError
from core.git import Repository, clean_environment, git_command

_PACK, _REFS, _HEAD, _SHALLOW = "pack", "refs", "head", "shallow"


def copy_name(repository: Repository) -> str:
    """A name for the repository as it is now: equal name = equal commits and tags."""
    known = hashlib.sha256()
    for place, one in _clones(repository):
        known.update(f"{place}\0{one.head}\0".encode())
        known.update(_refs(one) + b"\0" + _shallow(one) + b"\0")
    return known.hexdigest()[:32]


def write_copy(repository: Repository, out: IO[bytes]) -> None:
    """Write all that `read_copy` needs. Raises RepositoryError."""
    with tarfile.open(fileobj=out, mode="w|") as tar:
        for place, one in _clones(repository):
            with tempfile.TemporaryFile() as pack:
                options = ("--all", "--quiet", "--stdout", "--delta-base-offset")
                with one.stream("pack-objects", *options, stdin=b"") as packed:
                    while part := packed.read(1 << 20):
                        pack.write(part)
                pack.seek(0)
                for name, content in ((_HEAD, one.head.encode()), (_REFS, _refs(one)),
                                      (_SHALLOW, _shallow(one))):  # fmt: skip
                    _add(tar, f"{place}/{name}", content)
                info = tarfile.TarInfo(f"{place}/{_PACK}")
                info.size = pack.seek(0, 2)
                pack.seek(0)
                tar.addfile(info, pack)


def read_copy(stream: IO[bytes], folder: Path) -> None:
    """Make a bare repository at `folder`, which must not be there. Raises RepositoryError."""
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            content = tar.extractfile(member)
            if content is None or path.is_absolute() or ".." in path.parts:
                raise RepositoryError(f"{member.name}: no part of a repository")
            _take(folder / path.parent, path.name, content)


def _take(folder: Path, kind: str, content: IO[bytes]) -> None:
    """One part of one repository, in the order in which they are written."""
    if kind == _HEAD:
        folder.mkdir(parents=True)
        _git(folder, "init", "--quiet", "--bare", "--template=", ".")
        (folder / "HEAD").write_bytes(content.read() + b"\n")
    elif kind == _REFS:
        (folder / "packed-refs").write_bytes(content.read())
    elif kind == _SHALLOW:
        if cut := content.read():
            (folder / "shallow").write_bytes(cut)
    else:
        with tempfile.TemporaryFile() as pack:
            while part := content.read(1 << 20):
                pack.write(part)
            pack.seek(0)
            _git(folder, "index-pack", "--stdin", "--strict", stdin=pack)


def _git(folder: Path, *arguments: str, stdin: IO[bytes] | None = None) -> None:
    done = subprocess.run(
        git_command(*arguments, directory=folder),
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        env=clean_environment(),
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise RepositoryError(f"git {arguments[0]}: {said}")


def _clones(repository: Repository, place: str = "repository") -> Iterator[tuple[str, Repository]]:
    """The repository, and what git keeps of its submodules below it, and of theirs."""
    yield place, repository
    modules = repository.path / repository.text("rev-parse", "--git-common-dir").strip() / "modules"
    if not modules.is_dir():
        return
    seen: set[Path] = set()
    for inner in sorted(head.parent for head in modules.rglob("HEAD")):
        # What lies within one is its own: logs, refs, and its submodules, of which it tells.
        if seen.isdisjoint(inner.parents):
            seen.add(inner)
            with suppress(RepositoryError):  # begun, and without a commit yet
                yield from _clones(
                    Repository(inner), f"{place}/modules/{inner.relative_to(modules).as_posix()}"
                )


def _refs(repository: Repository) -> bytes:
    return repository.git("for-each-ref", "--format=%(objectname) %(refname)")


def _shallow(repository: Repository) -> bytes:
    path = repository.text("rev-parse", "--git-path", "shallow").strip()
    file = repository.path / path
    return file.read_bytes() if file.is_file() else b""


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
