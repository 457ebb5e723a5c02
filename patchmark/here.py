"""The place that most runs have: the container engine of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

from core.bench import Workbench
from core.confinement import Confinement
from core.outlet import OpenBench
from core.types import Candidate, Dropped, Patch, Task, Verdict
from patchmark.gated import gated
from sandbox.bench import DockerBenches
from sandbox.command_bench import DockerOpenBenches
from sandbox.image import Images
from sandbox.isolation import confinement
from sandbox.judge import Judge
from sandbox.validate import Validator

if TYPE_CHECKING:
    from patchmark.run import Run


class Here:
    """See Place. The engine is looked for when it is first needed."""

    def __init__(self, run: Run):
        self._run = run
        self._making = Lock()
        self._containers = BoundedSemaphore(run.settings.workers)

    @property
    def at_once(self) -> int:
        """See Place.at_once."""
        return self._run.settings.workers

    def room(self) -> BoundedSemaphore:
        """Held while a container works, so that no test is slow for what others do."""
        return self._containers

    def key(self, candidate: Candidate) -> str:
        """See Place.key."""
        return self._validator().key(candidate)

    def validate(self, candidate: Candidate) -> Task | Dropped:
        """See Place.validate."""
        return self._validator().validate(candidate)

    def holds(self, task: Task) -> bool:
        """A task is of use only while its image is there, or can be fetched."""
        return self._validator().brings(task)

    def confinement(self) -> Confinement:
        """See Place.confinement."""
        return confinement(self._run.engine, self._run.settings.limits)

    def judge(self, task: Task, patch: Patch) -> Verdict:
        """See Place.judge."""
        return self._judge.judge(task, patch)

    def bench(self, task: Task) -> AbstractContextManager[Workbench]:
        """See Place.bench."""
        benches = DockerBenches(self._run.engine, self._run.settings.limits)
        return gated(benches(task), self._containers)

    @contextmanager
    def open_bench(self, task: Task, install: tuple[str, ...]) -> Iterator[OpenBench]:
        """See Place.open_bench."""
        benches = DockerOpenBenches(self._run.engine, self._run.settings.limits, self._images)
        # Held all the time: nobody can tell when it works and when it waits for a model.
        with self._containers, benches(task, install) as bench:
            yield bench

    def close(self) -> list[str]:
        """Nothing: the engine is the run's."""
        return []

    def _validator(self) -> Validator:
        with self._making:
            return self._run.validator

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self._run.engine, self._run.settings.limits)

    def _images(self) -> Images:
        # One for all threads: it is what keeps equal images from being built at once.
        with self._making:
            return self._on_top

    @cached_property
    def _on_top(self) -> Images:
        return self._run.images(self._run.settings.environment)
