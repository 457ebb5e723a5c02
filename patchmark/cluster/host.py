"""A worker's side: one run's repository, engine and images there, for as long as the run lives."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import EngineError, PatchmarkError
from core.git import Repository
from core.outcomes import Outcome, Stop
from core.types import Patch, Task
from patchmark.cluster.host_bench import OpenBenches
from patchmark.cluster.records import Setup
from patchmark.machine import ca_bundle, cache_folder, pythons
from patchmark.secrets import redactor_for
from patchmark.warm import marks, shared_images
from sandbox.discover import connect
from sandbox.docker import DockerEngine
from sandbox.image import BrokenEnvironmentError, Images
from sandbox.judge import Judge
from sandbox.network import PASSED_ON, Network
from sandbox.registry import Registry
from sandbox.store import NOWHERE, Store
from sandbox.validate import Validator

_LOOK_SECONDS = 2.0
_log = logging.getLogger("patchmark.cluster")


class NoRepositoryError(Exception):
    """The run's repository was not sent here yet."""


class NotHereError(Exception):
    """What is wanted cannot be done on this worker; on another it may."""


def repositories() -> Path:
    """Where copies of repositories are kept on this machine."""
    return cache_folder(os.environ) / "repositories"


class Host:
    """What a worker has for one run. Safe from many threads."""

    def __init__(self, setup: Setup):
        """Raises NoRepositoryError, and EngineError or UsageError where no engine can be used."""
        folder = repositories() / setup.repository
        if not folder.is_dir():
            raise NoRepositoryError
        self.setup = setup
        self.heard = time.monotonic()
        self._repository = Repository(folder / "repository")
        self._lock = threading.Lock()
        self._rebuilding: dict[str, threading.Lock] = {}
        self._rebuilt: dict[str, str] = {}
        self.benches = OpenBenches()
        runtime = os.environ.get("PATCHMARK_RUNTIME") or setup.runtime
        self.engine: DockerEngine = connect(os.environ, redactor_for(os.environ), runtime)
        self.images = self._images()
        self.validator = Validator(
            self.engine, self.images, setup.environment, setup.limits, setup.validation_runs
        )
        self.judge = Judge(self.engine, setup.limits)

    def _images(self) -> Images:
        """Made as the run's settings say; the way to package indexes is this machine's own."""
        bundle, cache = ca_bundle(os.environ), cache_folder(os.environ)
        return Images(
            engine=self.engine,
            repository=self._repository,
            settings=self.setup.environment,
            network=Network(
                {name: os.environ[name] for name in PASSED_ON if name in os.environ},
                bundle.read_bytes() if bundle else None,
            ),
            logs=cache / "logs",
            tell=_log.info,
            pythons=pythons(os.environ),
            mark=marks(os.environ).mark,
            store=self._store(),
        )

    def _store(self) -> Store:
        """Where this machine's environment says that images are, else where the run's does."""
        found = shared_images(os.environ, self.setup.registry)
        if found is None:
            return NOWHERE
        push = found.push or self.setup.push
        return Registry(self.engine, found.address, _log.info, push=push)

    def localized(self, task: Task) -> Task:
        """The task with an image that is here: the one it was proven in, or one made anew.

        What was made anew has to show once that the real fix passes in it as it did before.
        Raises NotHereError, EngineError.
        """
        if self.engine.image_id(task.image) is not None:
            return task
        with self._lock:
            lock = self._rebuilding.setdefault(task.id, threading.Lock())
        with lock:
            if task.id not in self._rebuilt:
                self._rebuilt[task.id] = self._rebuild(task)
        return task.model_copy(update={"image": self._rebuilt[task.id]})

    def _rebuild(self, task: Task) -> str:
        for recipe in self.images.recipes(task.base_commit, task.committed_at):
            same = recipe.found_in == task.environment.recipe and recipe.results == task.results
            if not same or not task.test_command.startswith(recipe.test_script()):
                continue
            try:
                image = self.images.prepare(task.base_commit, recipe).image
            except BrokenEnvironmentError as error:
                raise NotHereError(f"its image cannot be made here: {error}") from error
            local = task.model_copy(update={"image": image})
            verdict = self.judge.judge(local, _real_fix(task))
            if verdict.outcome is not Outcome.PASSED:
                raise NotHereError(
                    "in the image that was made of it here the real fix does not pass: "
                    f"{verdict.outcome} {verdict.detail}"
                )
            return image
        raise NotHereError(f"image {task.image} is not here, and no recipe makes it")

    def end(self) -> None:
        """Remove the containers of this run, and let go of the engine."""
        self.benches.end()
        self.engine.close()


def _real_fix(task: Task) -> Patch:
    return Patch(
        task_id=task.id, entrant="reference", attempt=1, diff=task.gold_patch, stop=Stop.ANSWERED,
        cost_usd=None, usage=None, seconds=None,
    )  # fmt: skip


class Hosts:
    """Those of this process. A run of which nothing is heard any more loses all it has here."""

    def __init__(self) -> None:
        self._hosts: dict[str, Host] = {}
        self._gone: deque[str] = deque(maxlen=1000)
        self._lock = threading.Lock()
        self._watching = False

    def get(self, setup: Setup) -> Host:
        """The run's. Raises as Host, and EngineError where the run has ended."""
        with self._lock:
            if setup.session in self._gone:
                raise EngineError("the run has ended")
            if setup.session not in self._hosts:
                self.add(Host(setup))
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="leases", daemon=True).start()
            return self._hosts[setup.session]

    def add(self, host: Host) -> None:
        """From now on it is the one of its run."""
        self._hosts[host.setup.session] = host

    def known(self, session: str) -> Host | None:
        """The run's, if there is one already."""
        return self._hosts.get(session)

    def heard_of(self, session: str) -> None:
        """The run is alive."""
        if host := self._hosts.get(session):
            host.heard = time.monotonic()

    def end(self, session: str) -> None:
        """The run is over: nothing more is begun for it."""
        self._gone.append(session)
        self._drop(session)

    def _drop(self, session: str) -> None:
        with self._lock:
            host = self._hosts.pop(session, None)
        if host is not None:
            host.end()

    def end_silent(self, now: float) -> None:
        """End those of which nothing was heard for as long as their lease says."""
        silent = [name for name, host in list(self._hosts.items())
                  if now - host.heard > host.setup.lease]  # fmt: skip
        for name in silent:
            _log.warning("a run was not heard of for too long: its containers are removed")
            self._drop(name)

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with suppress(PatchmarkError):
                self.end_silent(time.monotonic())


@contextmanager
def placing(name: str) -> Iterator[Path]:
    """A folder in which a repository's copy is made; it becomes the copy when all went well."""
    home = repositories()
    home.mkdir(parents=True, exist_ok=True)
    making = home / f".{name}.{os.getpid()}.{threading.get_ident()}"
    try:
        yield making
        with suppress(OSError):  # another worker of this machine was quicker
            making.rename(home / name)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    _forget_old(home)


_KEPT = 20


def _forget_old(home: Path) -> None:
    kept = sorted((path for path in home.iterdir() if not path.name.startswith(".")),
                  key=lambda path: path.stat().st_mtime)  # fmt: skip
    for path in kept[:-_KEPT]:
        shutil.rmtree(path, ignore_errors=True)
