"""What workers do. A worker is told the name of one of these functions, and bytes.

`validate` to `close_way` are Dask tasks, which take one of a worker's threads. The async ones are
answered beside them, at once.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.bench import BenchEndedError
from core.errors import EngineError, PatchmarkError
from core.git_copy import read_copy
from core.outlet import NotInstalledError
from core.types import Candidate, Patch, Task
from patchmark.cluster import looking
from patchmark.cluster.host import (
    Host,
    Hosts,
    NoRepositoryError,
    NotHereError,
    placing,
    repositories,
)
from patchmark.cluster.host_bench import Frame
from patchmark.cluster.link import here
from patchmark.cluster.records import Kind, Reply, made, pack, read_setup, unpack
from sandbox.bench import DockerBenches
from sandbox.command_bench import DockerOpenBenches
from sandbox.isolation import confinement

_HOSTS = Hosts()
_PATIENCE_SECONDS = 10.0
_PAUSE_SECONDS = 0.02


def validate(setup: bytes, by: bytes, candidate: bytes) -> Reply:
    """Candidate → Task or Dropped."""
    given = Candidate.model_validate_json(unpack(candidate))

    def work(host: Host) -> str:
        found = host.validator.validate(given)
        return json.dumps([type(found).__name__, found.model_dump(mode="json")])

    return _reply(setup, by, work)


def judge(setup: bytes, by: bytes, task: bytes, patch: bytes) -> Reply:
    """Task, Patch → Verdict, whose key is of the image that the verdict is from."""
    order = Task.model_validate_json(unpack(task)), Patch.model_validate_json(unpack(patch))
    return _reply(
        setup,
        by,
        lambda host: host.judge.judge(host.localized(order[0]), order[1]).model_dump_json(),
    )


def held(setup: bytes, by: bytes) -> Reply:
    """What test runs are held to here."""
    return _reply(
        setup, by, lambda host: confinement(host.engine, host.setup.limits).model_dump_json()
    )


def open_bench(
    setup: bytes, by: bytes, name: str, task: bytes, install: tuple[str, ...] | None
) -> Reply:
    """Open a workbench that stays, with something installed or (None) no way out."""
    given = Task.model_validate_json(unpack(task))

    def work(host: Host) -> str:
        local, limits = host.localized(given), host.setup.limits
        if install is None:
            bench: Any = DockerBenches(host.engine, limits)(local)
        else:
            benches = DockerOpenBenches(host.engine, limits, lambda: host.images)
            bench = benches(local, install)
        return json.dumps(host.benches.add(name, bench).bench.tests)

    return _reply(setup, by, work)


def run(setup: bytes, by: bytes, name: str, command: str, given: str, seconds: float) -> Reply:
    """See Workbench.run."""
    return _reply(
        setup,
        by,
        lambda host: json.dumps(
            vars(host.benches.get(name).bench.run(command, given=given, seconds=seconds))
        ),
    )


def read(setup: bytes, by: bytes, name: str, path: str) -> Reply:
    """See Workbench.read."""
    return _reply(setup, by, lambda host: json.dumps(host.benches.get(name).bench.read(path)))


def diff(setup: bytes, by: bytes, name: str) -> Reply:
    """See Workbench.diff."""
    return _reply(setup, by, lambda host: json.dumps(host.benches.get(name).bench.diff()))


def open_way(setup: bytes, by: bytes, name: str) -> Reply:
    """Begin a workbench's way out."""
    return _reply(setup, by, lambda host: json.dumps(host.benches.get(name).open_way()))


def close_way(setup: bytes, by: bytes, name: str) -> Reply:
    """End it when all that was asked is answered."""

    def work(host: Host) -> str:
        host.benches.get(name).close_way()
        return "null"

    return _reply(setup, by, work)


def _reply(setup: bytes, by: bytes, work: Callable[[Host], str]) -> Reply:
    if by != made():
        return Reply("refuses", here(), made())
    try:
        host = _HOSTS.get(read_setup(setup))
    except NoRepositoryError:
        return _said("wants", "")
    except PatchmarkError as error:
        return _said("down", str(error))
    try:
        return Reply("did", here(), pack(work(host)))
    except NotHereError as error:
        return _said("elsewhere", str(error))
    except BenchEndedError as error:
        return _said("ended", str(error))
    except NotInstalledError as error:
        return _said("not installed", str(error))
    except EngineError as error:
        return _said("failed" if host.engine.answers() else "down", str(error))


def _said(kind: Kind, words: str) -> Reply:
    return Reply(kind, here(), pack(words))


async def who() -> bytes:
    """What this worker is made of."""
    return await asyncio.to_thread(made)


async def look() -> str:
    """What this worker has."""
    return await asyncio.to_thread(looking.look)


async def keep(session: str) -> None:
    """The run is alive."""
    _HOSTS.heard_of(session)


async def end(session: str) -> None:
    """The run is over."""
    await asyncio.to_thread(_HOSTS.end, session)


async def has(name: str) -> bool:
    """Whether a repository is here."""
    return (repositories() / name).is_dir()


async def take(name: str, part: bytes, first: bool) -> None:
    """One more part of a repository's copy."""
    await asyncio.to_thread(_take, name, part, first)


async def unfold(name: str) -> None:
    """All of it is here."""
    await asyncio.to_thread(_unfold, name)


async def questions(session: str, name: str) -> list[tuple[int, dict[str, Any]]] | None:
    """What is asked in a workbench, waited for a while; None where it is gone."""
    for _ in range(int(_PATIENCE_SECONDS / _PAUSE_SECONDS)):
        host = _HOSTS.known(session)
        try:
            waiting = host.benches.get(name).questions if host else None
        except EngineError:
            waiting = None
        if waiting is None:
            return None
        if found := waiting.next():
            return [(number, vars(sent)) for number, sent in found]
        await asyncio.sleep(_PAUSE_SECONDS)
    return []


async def answer(session: str, name: str, number: int, frames: list[Frame]) -> None:
    """Pass on what comes next of an answer; nobody may be left who wants it."""
    if host := _HOSTS.known(session):
        try:
            waiting = host.benches.get(name).questions
        except EngineError:
            return
        if waiting is not None:
            await asyncio.to_thread(waiting.answer, number, frames)


async def stop(session: str, name: str) -> None:
    """End what is being run in a workbench."""
    if host := _HOSTS.known(session):
        await asyncio.to_thread(host.benches.get(name).end)


async def shut(session: str, name: str) -> None:
    """Close a workbench."""
    if host := _HOSTS.known(session):
        await asyncio.to_thread(host.benches.close, name)


def _part(name: str) -> Path:
    return repositories() / f".{name}.{os.getpid()}.part"


def _take(name: str, part: bytes, first: bool) -> None:
    repositories().mkdir(parents=True, exist_ok=True)
    if first:
        _part(name).unlink(missing_ok=True)
    with _part(name).open("ab") as file:
        file.write(part)


def _unfold(name: str) -> None:
    with placing(name) as folder, _part(name).open("rb") as stream:
        read_copy(stream, folder)
    _part(name).unlink(missing_ok=True)
