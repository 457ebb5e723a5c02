"""Reading many objects of a repository by id, from two git processes that stay open."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

from core.errors import RepositoryError
from core.git import Repository, clean_environment, git_command

_AT_ONCE = 400


class Objects:
    """Objects by id. Use as a context manager; for one thread at a time.

    Of a partial clone only what is here is read: git would die of the first object that it
    is not allowed to fetch, so in such a clone the local ids are listed first.
    """

    def __init__(self, repository: Repository):
        self._repository = repository
        self._local = _local(repository) if repository.is_partial else None
        self._sizes: subprocess.Popen[bytes] | None = None
        self._contents: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self._sizes, self._contents):
            if process is None:
                continue
            with suppress(OSError):
                _pipe(process.stdin).close()
            # What was asked for and not read to its end would keep git waiting for us.
            _pipe(process.stdout).close()
            process.wait()

    def sizes(self, names: Sequence[str]) -> list[int | None]:
        """The sizes of objects in bytes, None where this clone lacks one."""
        if self._sizes is None:
            self._sizes = self._started("--batch-check=%(objectname) %(objecttype) %(objectsize)")
        found: dict[str, int | None] = {}
        present = [name for name in dict.fromkeys(names) if not self._is_absent(name)]
        # So few at once that neither git nor we wait with a full pipe for the other.
        for start in range(0, len(present), _AT_ONCE):
            some = present[start : start + _AT_ONCE]
            for name, fields in zip(some, _ask(self._sizes, some), strict=True):
                found[name] = int(fields[2]) if len(fields) == 3 else None
        return [found.get(name) for name in names]

    def read(self, name: str) -> bytes | None:
        """The content of an object, None where this clone lacks it."""
        if self._is_absent(name):
            return None
        if self._contents is None:
            self._contents = self._started("--batch")
        (fields,) = _ask(self._contents, [name])
        if len(fields) != 3:
            return None
        out, length = _pipe(self._contents.stdout), int(fields[2])
        content = out.read(length)
        if len(content) != length or out.read(1) != b"\n":
            raise RepositoryError(f"git cannot read object {name} to its end")
        return content

    def _is_absent(self, name: str) -> bool:
        return self._local is not None and bytes.fromhex(name) not in self._local

    def _started(self, option: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            git_command("cat-file", option, directory=self._repository.path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
        )


def _ask(process: subprocess.Popen[bytes], names: Sequence[str]) -> Iterator[list[bytes]]:
    """What git says of objects: three words where it has one, fewer where it has not."""
    try:
        given = _pipe(process.stdin)
        given.write("".join(f"{name}\n" for name in names).encode())
        given.flush()
    except OSError as error:
        raise RepositoryError("git cannot read objects: it ended early") from error
    for name in names:
        answer = _pipe(process.stdout).readline().split()
        if not answer:
            raise RepositoryError(f"git cannot read object {name}: it ended early")
        yield answer


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RepositoryError("git gave no pipe")
    return pipe


def _local(repository: Repository) -> frozenset[bytes]:
    arguments = ("--batch-check=%(objectname)", "--batch-all-objects", "--unordered")
    with repository.stream("cat-file", *arguments) as out:
        return frozenset(bytes.fromhex(line.decode().strip()) for line in out)
