"""A workbench with a coding agent's command line in it, and one way out of it for its questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from core.outlet import NotInstalledError, OpenBench, Outlet
from core.types import Task
from sandbox.bench import Bench, prepared
from sandbox.docker import DockerEngine
from sandbox.engine import Limits
from sandbox.image import BrokenEnvironmentError, Images
from sandbox.session import Session


@dataclass(frozen=True)
class DockerOpenBenches:
    """Makes them on one engine; what is installed is kept as an image."""

    engine: DockerEngine
    limits: Limits
    images: Callable[[], Images]
    """Asked for only where something is to be installed."""

    @contextmanager
    def __call__(self, task: Task, install: tuple[str, ...]) -> Iterator[OpenBench]:
        """See OpenBenches."""
        image = self._installed(task.image, install)
        with Session.opened(self.engine, image, self.limits) as session:
            prepared(session)
            yield CommandBench(session, task.test_command, self.limits)

    def _installed(self, image: str, install: tuple[str, ...]) -> str:
        if not install:
            return image
        try:
            return self.images().on_top(image, "\n".join(("cd /", *install)))
        except BrokenEnvironmentError as error:
            raise NotInstalledError(str(error)) from error


class CommandBench(Bench):
    """One of them."""

    def through(self, outlet: Outlet) -> AbstractContextManager[str]:
        """See OpenBench.through."""
        return self._session.bridged(outlet)

    def end(self) -> None:
        """See OpenBench.end."""
        self._session.end()
