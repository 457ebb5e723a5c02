"""Changes kept in a file, because memory must not grow with a history."""

from __future__ import annotations

import pickle
import tempfile
from array import array
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from miner.history import Change


class Spool:
    """Changes put aside, to be read as often as needed from the last one to the first."""

    def __init__(self) -> None:
        # Gone with the process, and nobody else's to write: what is unpickled is what we wrote.
        self._file = tempfile.TemporaryFile(prefix="patchmark-")  # noqa: SIM115 -- see __exit__
        self._starts = array("Q")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, change: Change) -> None:
        """Put one more change aside."""
        self._starts.append(self._file.tell())
        pickle.dump(change, self._file, pickle.HIGHEST_PROTOCOL)

    def backwards(self) -> Iterator[Change]:
        """All changes, the last one put aside first. Nothing may be added meanwhile."""
        for start in reversed(self._starts):
            self._file.seek(start)
            change = pickle.load(self._file)  # noqa: S301
            if isinstance(change, Change):
                yield change
