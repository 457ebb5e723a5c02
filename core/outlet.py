"""The contract of a way out: what a program in a workbench asks, and who answers it outside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from core.bench import Workbench
from core.errors import PatchmarkError
from core.types import Task


@dataclass(frozen=True, kw_only=True)
class Command:
    """A coding agent's command line, as a person or a preset gives it."""

    install: tuple[str, ...] = ()
    """Shell lines that run as root with the network, on top of a task's image."""
    run: str
    """Shell that runs as the tests' user in the repository, without any network."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment of `run`."""
    asks: tuple[str, ...] = ()
    """The wire formats that it speaks; () = not known, or all."""

    def __hash__(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True, kw_only=True)
class Sent:
    """An HTTP request as it left a container. Nothing in it is to be trusted."""

    method: str
    path: str
    """With what stands behind a question mark."""
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes


class BreakOffError(Exception):
    """The answer ends here, and the connection with it."""


class Answering(Protocol):
    """Where the answer to a request goes; whether anybody still listens there does not matter."""

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Say how it starts, before any part of it."""
        ...

    def part(self, content: bytes) -> None:
        """Hand over what comes next of the body."""
        ...


class Outlet(Protocol):
    """Who answers."""

    def __call__(self, sent: Sent, to: Answering) -> None:
        """Answer one request whole; called from many threads. Raises BreakOffError."""
        ...


class OpenBench(Workbench, Protocol):
    """A workbench with one way out."""

    def through(self, outlet: Outlet) -> AbstractContextManager[str]:
        """The address, as seen from inside, whose requests go to `outlet` meanwhile.

        At the end all that was asked has been answered. Raises EngineError.
        """
        ...

    def end(self) -> None:
        """End what is being run, from another thread."""
        ...


class NotInstalledError(PatchmarkError):
    """A command's installation failed on a task's image."""


class OpenBenches(Protocol):
    """Where such workbenches come from."""

    def __call__(self, task: Task, install: tuple[str, ...]) -> AbstractContextManager[OpenBench]:
        """A fresh one in which a command is installed. Raises EngineError, NotInstalledError."""
        ...
