"""The contract of a place: where candidates are proven, patches judged and agents at work."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from core.bench import Workbench
from core.confinement import Confinement
from core.outlet import OpenBench
from core.types import Candidate, Dropped, Patch, Task, Verdict


class Place(Protocol):
    """The engine of this machine, or those of many. Safe from many threads.

    All but `key` raise EngineError where nothing can be run there any more.
    """

    @property
    def at_once(self) -> int:
        """How many threads should wait for its work, so that none of it is idle."""
        ...

    def room(self) -> AbstractContextManager[object]:
        """Entered before a judgement begins: whoever waits here is not at work yet."""
        ...

    def key(self, candidate: Candidate) -> str:
        """Equal key = proving the candidate again would do the same again."""
        ...

    def validate(self, candidate: Candidate) -> Task | Dropped:
        """What the candidate's own tests say about it."""
        ...

    def holds(self, task: Task) -> bool:
        """Whether the task can be run there as it is."""
        ...

    def confinement(self) -> Confinement:
        """What test runs are held to there."""
        ...

    def judge(self, task: Task, patch: Patch) -> Verdict:
        """What the task's tests say about a patch."""
        ...

    def bench(self, task: Task) -> AbstractContextManager[Workbench]:
        """See core.bench.Benches."""
        ...

    def open_bench(self, task: Task, install: tuple[str, ...]) -> AbstractContextManager[OpenBench]:
        """See core.outlet.OpenBenches."""
        ...

    def close(self) -> list[str]:
        """End what is under way; containers that cannot be removed are returned."""
        ...
