"""The place that is a cluster: see `patchmark.place`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Self
from uuid import uuid4

from core.bench import Workbench
from core.confinement import Confinement
from core.errors import UsageError
from core.git import Repository
from core.git_copy import copy_name
from core.outcomes import Cause, Outcome
from core.outlet import OpenBench
from core.types import Candidate, Dropped, DropReason, Patch, Task, Verdict
from patchmark.cluster import work
from patchmark.cluster.benches import opened
from patchmark.cluster.link import KilledError, Link
from patchmark.cluster.orders import NotDoneError, Orders, refusal
from patchmark.cluster.records import Setup, made, pack, unpack, write_setup
from patchmark.settings import Settings
from sandbox.judge import verdict_key
from sandbox.recipes_at import recipes_at
from sandbox.validate import proof_key

LEASE_SECONDS = 60.0
"""After which a worker that hears nothing of a run ends what it does for it."""
_KEEP_SECONDS = 10.0


class Cluster:
    """See Place."""

    def __init__(self, settings: Settings, repository: Repository, link: Link,
                 tell: Callable[[str], None]):  # fmt: skip
        self._settings, self._repository, self._link = settings, repository, link
        self._session = uuid4().hex
        self._kept = 0.0
        self._tell = tell
        setup = Setup(
            session=self._session,
            lease=LEASE_SECONDS,
            repository=copy_name(repository),
            environment=settings.environment,
            limits=settings.limits,
            validation_runs=settings.validation_runs,
            runtime=settings.runtime,
            registry=settings.registry.address if settings.registry else None,
            push=settings.registry is not None and settings.registry.push,
        )
        self._orders = Orders(link, write_setup(setup), repository, setup.repository, tell)

    @classmethod
    def joined(
        cls, settings: Settings, repository: Repository, tell: Callable[[str], None]
    ) -> Self:
        """Connect. Raises UsageError where the workers are made otherwise, InfrastructureError."""
        link = Link(settings.cluster or "", tell)
        place = cls(settings, repository, link, tell)
        link.begin(place._keep)
        for worker, there in link.ask_all(work.who).items():
            if isinstance(there, BaseException):
                raise UsageError(
                    f"the worker {worker} cannot run patchmark: {there}; install patchmark there"
                ) from there
            if there != made():
                raise refusal(worker, there)
        many = sum(link.workers.values())
        tell(f"{link.address}: {len(link.workers)} workers, {many} containers at once")
        return place

    @property
    def at_once(self) -> int:
        """As many again as the workers do, so that each has the next when one is done."""
        return 2 * max(1, sum(self._link.workers.values()))

    def room(self) -> AbstractContextManager[object]:
        """The scheduler knows who has room."""
        return nullcontext()

    def key(self, candidate: Candidate) -> str:
        """See Place.key."""
        settings = self._settings
        recipes = recipes_at(
            self._repository, settings.environment, candidate.base_commit, candidate.committed_at
        )
        return proof_key(
            candidate, recipes, settings.environment, settings.limits, settings.validation_runs
        )

    def validate(self, candidate: Candidate) -> Task | Dropped:
        """See Place.validate."""
        try:
            reply = self._orders.any(work.validate, pack(candidate.model_dump_json()))
        except (NotDoneError, KilledError) as error:
            return Dropped(
                commit=candidate.fix_commit,
                title=candidate.title,
                stage="validate",
                reason=DropReason.ENVIRONMENT_BROKEN,
                detail=str(error)[:500],
                key="",
            )
        kind, found = json.loads(unpack(reply.content))
        return (Task if kind == "Task" else Dropped).model_validate_json(json.dumps(found))

    def holds(self, task: Task) -> bool:  # noqa: ARG002 - whichever it is
        """A worker without the image makes it."""
        return True

    def confinement(self) -> Confinement:
        """That of the first who answers."""
        return Confinement.model_validate_json(unpack(self._orders.any(work.held).content))

    def judge(self, task: Task, patch: Patch) -> Verdict:
        """See Place.judge."""
        key = verdict_key(task, patch, self._settings.limits)
        given = pack(task.model_dump_json()), pack(patch.model_dump_json())
        try:
            reply = self._orders.any(work.judge, *given)
        except (NotDoneError, KilledError) as error:
            return Verdict(
                task_id=task.id,
                entrant=patch.entrant,
                attempt=patch.attempt,
                key=key,
                outcome=Outcome.ENVIRONMENT_BROKEN,
                cause=Cause.ENVIRONMENT,
                detail=str(error)[:1000],
            )
        # A worker may have made the image anew; what is judged is the task as it stands here.
        return Verdict.model_validate_json(unpack(reply.content)).model_copy(update={"key": key})

    def bench(self, task: Task) -> AbstractContextManager[Workbench]:
        """See Place.bench."""
        return opened(self._orders, self._session, task, None)

    def open_bench(self, task: Task, install: tuple[str, ...]) -> AbstractContextManager[OpenBench]:
        """See Place.open_bench."""
        return opened(self._orders, self._session, task, install)

    def close(self) -> list[str]:
        """See Place.close. What a worker cannot remove it names in its own log."""
        self._link.close(lambda: self._all(work.end))
        return []

    def _keep(self) -> None:
        if time.monotonic() - self._kept > _KEEP_SECONDS:
            self._kept = time.monotonic()
            self._all(work.keep)

    def _all(self, function: Callable[..., object]) -> None:
        self._link.ask_all(function, self._session)
