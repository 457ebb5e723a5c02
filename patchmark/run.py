"""One run folder being worked on: its settings, repository, engine and records."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar

from core.attempts import Key
from core.confinement import Confinement
from core.git import Repository
from core.opinion import Opinion, opinion_key
from core.store import RunFolder
from core.types import Candidate, Dropped, Patch, Probe, Record, Task, Verdict
from miner.outline import outline
from models.base import Entrant
from models.batch_store import pledged
from models.batching import Batcher
from models.budget import Budget
from models.desk import Desk
from models.lanes import Lanes
from models.probe import Prober
from models.registry import batcher, build, prober, repairer, reviewer, rewriter
from models.repair import Repairer
from models.review import Reviewer
from models.rewrite import Rewriter
from models.spent import spent
from patchmark import asked
from patchmark.clock import Clock
from patchmark.cluster.place import Cluster
from patchmark.here import Here
from patchmark.place import Place
from patchmark.progress import Show
from patchmark.recording import check, record
from patchmark.rewriting import originals
from patchmark.settings import Settings
from patchmark.sharding import Share, share
from patchmark.under_test import SHALLOW, open_repository, refuse_tracked
from patchmark.warm import FOLDER, Warm, marks
from sandbox.discover import connect
from sandbox.docker import DockerEngine
from sandbox.image import Images
from sandbox.recipe import EnvironmentSettings
from sandbox.validate import Validator

T = TypeVar("T")


@dataclass
class Run:
    """One run folder being worked on."""

    settings: Settings
    folder: RunFolder
    repository: Repository
    budget: Budget
    show: Show
    lanes: Lanes = field(default_factory=Lanes)
    clock: Clock = field(default_factory=Clock)
    _engine: DockerEngine | None = None
    _connecting: Lock = field(default_factory=Lock)
    _made: dict[str, tuple[int, Any]] = field(default_factory=dict)

    @property
    def engine(self) -> DockerEngine:
        """The container engine, looked for when first needed. Raises EngineError."""
        with self._connecting:
            if self._engine is None:
                settings = self.settings
                self._engine = connect(settings.variables, settings.redactor, settings.runtime)
            return self._engine

    @cached_property
    def place(self) -> Place:
        """Where candidates are proven, patches judged and agents at work."""
        if self.settings.cluster:
            return Cluster.joined(self.settings, self.repository, self.show.tell)
        return Here(self)

    def close(self) -> None:
        """Let go of the engine and of what still runs in it."""
        left = [*self._ended_place(), *(self._engine.close() if self._engine is not None else ())]
        if names := ", ".join(name[:12] for name in left):
            self.show.tell(f"containers that the engine does not remove: {names}")

    def leave(self) -> None:
        """Keep what was made here where the next run finds it."""
        if "warm" in self.__dict__:
            self.warm.leave(self.all_tasks, marks(self.settings.variables))

    def break_off(self) -> None:
        """End what is under way: no question is sent any more, and no container goes on."""
        self.lanes.close()
        self._ended_place()
        if self._engine is not None:
            self._engine.close()

    def _ended_place(self) -> list[str]:
        return self.place.close() if "place" in self.__dict__ else []

    @cached_property
    def _desk(self) -> Desk:
        settings = self.settings
        return Desk(
            exchanges=self.folder.exchanges,
            budget=self.budget,
            lanes=self.lanes,
            caps=settings.caps,
            redactor=settings.redactor,
            replay=settings.replay,
            keys=settings.keys,
            base_urls=settings.base_urls,
            cloud=settings.cloud,
            prices=settings.prices,
            max_output_tokens=settings.max_output_tokens,
            benches=self.place.bench,
            outline=outline,
            commands=settings.commands,
            open_benches=self.place.open_bench,
            agent_limits=settings.agent_limits,
            versions=settings.change.versions if settings.change else {},
            ca_bundle=settings.ca_bundle,
        )

    @cached_property
    def entrants(self) -> tuple[Entrant, ...]:
        """Who takes part. Raises UsageError for a missing key, recording or price."""
        return tuple(build(name, self._desk) for name in self.settings.models)

    @cached_property
    def batchers(self) -> dict[str, Batcher]:
        """What asks in batches, by the entrant it asks for; not all can be asked so."""
        found = {entrant.name: batcher(entrant, self._desk) for entrant in self.entrants}
        return {name: one for name, one in found.items() if one is not None}

    @cached_property
    def rewriter(self) -> Rewriter | None:
        """Who writes statements anew, if anybody. Raises UsageError as `entrants` does."""
        name = self.settings.rewrite_with
        return rewriter(name, self._desk) if name else None

    @cached_property
    def reviewer(self) -> Reviewer | None:
        """Who judges the quality of what passed, if any model. Raises as `entrants` does."""
        name = self.settings.judge_model
        return reviewer(name, self._desk) if name else None

    @cached_property
    def probers(self) -> tuple[Prober, ...]:
        """Who is asked what it remembers; nobody unless that is wanted. Raises as `entrants`."""
        names = self.settings.models if self.settings.probe else ()
        made = (prober(name, self._desk) for name in names)
        return tuple(one for one in made if one is not None)

    @cached_property
    def validator(self) -> Validator:
        """Proves candidates on this run's engine."""
        settings = self.settings
        images = self.images(settings.environment)
        return Validator(
            self.engine, images, settings.environment, settings.limits, settings.validation_runs
        )

    @cached_property
    def warm(self) -> Warm:
        """What is made already, and what is left for the next run."""
        return Warm(self.engine, self.settings.registry, self.settings.kept, self.show.tell)

    def images(self, environment: EnvironmentSettings) -> Images:
        """Images made as these settings say, on this run's engine."""
        settings = self.settings
        return Images(
            engine=self.engine,
            repository=self.repository,
            settings=environment,
            network=settings.network,
            logs=self.folder.logs,
            tell=self.show.tell,
            pythons=settings.pythons,
            mark=marks(settings.variables).mark,
            store=self.warm.store,
            fill=self.warm.fill,
        )

    def repairer(self, name: str) -> Repairer:
        """Who mends recipes. Raises UsageError as `entrants` does."""
        return repairer(name, self._desk)

    def _once(self, name: str, kinds: tuple[type[Record], ...], make: Callable[[], T]) -> T:
        """What is made of records of these kinds, until more of them are written."""
        written = self.folder.written(*kinds)
        if name not in self._made or self._made[name][0] != written:
            self._made[name] = (written, make())
        made: T = self._made[name][1]
        return made

    def candidates(self) -> list[Candidate]:
        """Everything mined that was not taken back since."""
        return [*self._once("candidates", (Candidate, Dropped), self._candidates)]

    def _candidates(self) -> list[Candidate]:
        gone = {d.commit for d in self.folder.read(Dropped) if d.stage == "mine"}
        latest = self.folder.latest(Candidate, lambda candidate: candidate.fix_commit)
        return [c for commit, c in latest.items() if commit not in gone]

    def chosen(self, *, apart: bool = False) -> list[Candidate]:
        """The candidates that pass the filters, in the order in which they are taken.

        `apart` = those instead whose statement gives the fix away, or says nothing.
        """
        return [*self._share(apart=apart).candidates]

    def wanted(self, *, apart: bool = False) -> list[Candidate]:
        """The same, of all shards, in no order."""
        choice = self.settings.choice
        return [c for c in self.candidates() if choice.wants(c) and bool(choice.apart(c)) is apart]

    def most_tasks(self, *, apart: bool = False) -> int:
        """How many tasks this run, or this shard of one, makes of them at most."""
        return self._share(apart=apart).most

    def _share(self, *, apart: bool) -> Share:
        settings = self.settings
        return share(self.wanted(apart=apart), settings.max_tasks, settings.shard)

    def tasks(self, *, apart: bool = False) -> list[Task]:
        """The tasks this run is about, at most `most_tasks`; `apart` as in `chosen`."""
        if apart and not self.settings.include_apart:
            return []
        proven = self._once("proven", (Task,), self._proven)
        part = self._share(apart=apart)
        return [proven[c.id] for c in part.candidates if c.id in proven][: part.most]

    def all_tasks(self) -> list[Task]:
        """Those that count and, where they are asked for, those apart."""
        return [*self.tasks(), *self.tasks(apart=True)]

    def _proven(self) -> dict[str, Task]:
        """By id. Statements that a model wrote are used only where that is asked for."""
        if self.settings.rewrite_with is None:
            return originals(self.folder.read(Task))
        return {task.id: task for task in self.folder.read(Task)}

    def patches(self) -> Mapping[Key, Patch]:
        """The latest patch of each (task, entrant, attempt), read when it is looked at."""
        return self.folder.attempts(Patch)

    def probes(self) -> dict[object, Probe]:
        """The latest probe of each (task, entrant)."""
        return dict(self.folder.latest(Probe, lambda p: (p.task_id, p.entrant)))

    def opinions(self) -> dict[object, Opinion]:
        """The latest opinion of each judge, (task, entrant, attempt) and order."""
        return dict(self.folder.latest(Opinion, opinion_key))

    def confinement(self) -> Confinement | None:
        """What test runs were held to; None where nothing was judged."""
        return next(reversed([*self.folder.read(Confinement)]), None)

    def verdicts(self) -> Mapping[Key, Verdict]:
        """The latest verdict of each (task, entrant, attempt), read when it is looked at."""
        return self.folder.attempts(Verdict)


@contextmanager
def opened(settings: Settings, show_on: Callable[[Budget], Show]) -> Iterator[Run]:
    """Open repository and run folder; what is asked is noted in run.toml."""
    check(settings.record, settings.out, settings.replay)
    repository = open_repository(settings.repo)
    refuse_tracked(repository, settings.out)
    refuse_tracked(repository, settings.kept, FOLDER)
    if settings.change:  # tasks come from what both versions have in common
        repository.head = settings.change.about.base
    with RunFolder(settings.out, settings.redactor) as folder:
        # What earlier runs of this folder were billed counts against the cap as well.
        billed = Decimal(0)
        if settings.replay is None:
            billed = spent(folder.exchanges) + pledged(folder.exchanges)
        budget = Budget(settings.budget_usd, billed)
        clock = Clock(settings.time_limit)
        run = Run(settings, folder, repository, budget, show_on(budget), clock=clock)
        asked.write(folder.path, settings, repository)
        if repository.is_shallow:
            run.show.tell(SHALLOW)
        try:
            yield run
        finally:
            # Not where somebody waits for it to end.
            if not isinstance(sys.exc_info()[1], KeyboardInterrupt):
                run.leave()
            run.close()
            if settings.record is not None:
                new = record(folder.exchanges, settings.record)
                run.show.tell(f"{settings.record}: {new} files recorded")
