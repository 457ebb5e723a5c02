"""`patchmark doctor --cluster`: who is there, what each has, and whether it can take part."""

from __future__ import annotations

import json
import os
import shutil
import socket
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import PatchmarkError
from patchmark.cluster.link import Link
from patchmark.cluster.records import made, read_made
from patchmark.doctor import LEAST_DISK_GB, Check
from patchmark.machine import cache_folder
from patchmark.secrets import redactor_for
from sandbox.discover import connect
from sandbox.isolation import offered

_MEMORY_GB = 4.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a worker sees on its machine."""

    made: str
    machine: str
    engine: str
    """Where it answers, and as what; "" where none does."""
    trouble: str
    free_gb: float
    memory_gb: float
    processors: int


def look() -> str:
    """As JSON, on a worker."""
    environment = os.environ
    engine = trouble = ""
    try:
        found = connect(
            environment, redactor_for(environment), environment.get("PATCHMARK_RUNTIME")
        )
        gives = offered(found)
        engine = f"{found.endpoint} {found.version.get('Version', '?')}, {gives.runtime}"
        found.close()
    except PatchmarkError as error:
        trouble = str(error)
    folder = cache_folder(environment)
    there = next(path for path in (folder, *folder.parents) if path.exists())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    seen = Seen(
        made=str(read_made(made())),
        machine=socket.gethostname(),
        engine=engine,
        trouble=trouble,
        free_gb=shutil.disk_usage(there).free / 1e9,
        memory_gb=memory / 1e9,
        processors=os.cpu_count() or 1,
    )
    return json.dumps(asdict(seen))


def examine(address: str) -> list[Check]:
    """The scheduler, then each worker. Never raises: what is wrong is a result."""
    from patchmark.cluster import work

    try:
        link = Link(address, lambda _: None)
    except PatchmarkError as error:
        mend = "start one with `dask scheduler`, or mend the address; see docs/cluster.md"
        found = str(error)
        return [
            Check(name="scheduler", ok=False, found=found, mend=mend, exit_code=error.exit_code)
        ]
    try:
        threads = dict(link.workers)
        told = link.ask_all(work.look)
    except PatchmarkError as error:
        return [_missing(error, "")]
    finally:
        link.close(lambda: None)
    many = sum(threads.values())
    words = f"{address}: {len(told)} workers, {many} containers at once"
    mend = "" if told else f"start one: dask worker {address} --nthreads 2"
    first = Check(
        name="scheduler", ok=bool(told), found=words, mend=mend, exit_code=0 if told else 3
    )
    return [first, *(_worker(at, told[at], threads.get(at, 0)) for at in sorted(told))]


def _missing(error: PatchmarkError, mend: str) -> Check:
    code = error.exit_code
    return Check(name="scheduler", ok=False, found=str(error), mend=mend, exit_code=code)


def _worker(at: str, told: Any, threads: int) -> Check:
    if isinstance(told, BaseException):
        mend = f"install there what is here: {read_made(made())}"
        found = f"{at}: cannot run patchmark: {type(told).__name__}: {told}"
        return Check(name="worker", ok=False, found=found, mend=mend, exit_code=2)
    seen = Seen(**json.loads(told))
    room = (
        f"{threads} at once, {seen.processors} processors, {seen.memory_gb:.0f} GB of memory, "
        f"{seen.free_gb:.0f} GB free"
    )
    found = f"{at} on {seen.machine}: {seen.engine or seen.trouble}; {room}; {seen.made}"
    code, mend = 0, ""
    if seen.made != str(read_made(made())):
        code, mend = 2, f"install there what is here: {read_made(made())}"
    elif not seen.engine:
        code, mend = 3, "start Docker or Podman there, or set DOCKER_HOST for `dask worker`"
    elif seen.free_gb < LEAST_DISK_GB:
        mend = f"images need room: free at least {LEAST_DISK_GB:g} GB"
    elif threads > seen.processors or threads * _MEMORY_GB > seen.memory_gb:
        mend = f"{threads} at once are many for it: give `dask worker` a smaller --nthreads"
    return Check(name="worker", ok=not mend, found=found, mend=mend, exit_code=code)
