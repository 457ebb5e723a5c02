"""`patchmark doctor`: what a run needs, whether it is there, and how to mend it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from core.errors import PatchmarkError, UsageError
from models.services import KEY_VARIABLES
from models.spec import needs_key
from patchmark.secrets import redactor_for
from patchmark.settings import Flags, Settings, make
from patchmark.under_test import open_repository
from sandbox.base import base_tag
from sandbox.discover import connect
from sandbox.docker import DockerEngine
from sandbox.ecosystems.python import toolchain
from sandbox.isolation import offered, seen

LEAST_DISK_GB = 5.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    exit_code: int = 0

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def examine(flags: Flags, environment: Mapping[str, str]) -> list[Check]:
    """Look at everything a run needs. Never raises: what is wrong is a result."""
    try:
        settings = make(flags, environment)
    except PatchmarkError as error:
        wrong = Check(
            name="configuration",
            ok=False,
            found=str(error),
            mend="change the setting it names",
            exit_code=2,
        )
        return [wrong, _git(Path(flags.repo or Path())), *_engine(environment, None)]
    return [
        Check(name="configuration", ok=True, found=f"models: {', '.join(settings.models)}"),
        _git(settings.repo),
        *_engine(environment, settings.runtime),
        _disk(settings.out),
        *_keys(settings),
        _token(environment),
    ]


def show(checks: list[Check], console: Console) -> None:
    """Print one line a check, and the remedy below what is wrong."""
    for check in checks:
        sign, style = ("ok", "green") if check.ok else ("--", "yellow")
        if check.exit_code:
            sign, style = "!!", "red"
        console.print(f"[{style}]{sign}[/] {check.name:<15}", end="")
        console.print(check.found, markup=False, highlight=False, soft_wrap=True)
        if check.mend:
            console.print(f"   {'':<15}{check.mend}", markup=False, style="dim", soft_wrap=True)


def _git(repo: Path) -> Check:
    try:
        repository = open_repository(repo)
    except PatchmarkError as error:
        mend = "give the path of a git repository with --repo"
        return Check(name="git", ok=False, found=str(error), mend=mend, exit_code=2)
    if repository.is_shallow:
        found = f"{repo}: the clone is shallow, most of the history is missing"
        mend = "git fetch --unshallow, or fetch-depth: 0 in actions/checkout"
        return Check(name="git", ok=False, found=found, mend=mend)
    return Check(name="git", ok=True, found=f"{repo.absolute()} at {repository.head[:12]}")


def _engine(environment: Mapping[str, str], runtime: str | None) -> Iterator[Check]:
    try:
        engine = connect(environment, redactor_for(environment), runtime)
    except UsageError as error:
        mend = "name one of those, or none for the engine's own choice"
        yield Check(name="engine", ok=False, found=str(error), mend=mend, exit_code=2)
        return
    except PatchmarkError as error:
        mend = "start Docker or Podman; on Debian or Ubuntu: apt-get install docker.io"
        yield Check(name="engine", ok=False, found=str(error), mend=mend, exit_code=3)
        return
    try:
        yield from _looked_at(engine)
    except PatchmarkError as error:
        mend = "the engine answers but does not do its work: see its log"
        yield Check(name="engine", ok=False, found=str(error), mend=mend, exit_code=3)
    finally:
        engine.close()


def _looked_at(engine: DockerEngine) -> Iterator[Check]:
    base = base_tag(toolchain("3.11"))
    there = engine.image_id(base) is not None
    state = "base image there" if there else "base image will be made at the first run"
    version = engine.version.get("Version", "?")
    yield Check(name="engine", ok=True, found=f"{engine.endpoint} {version}, {state}")
    gives = offered(engine)
    mend = "" if gives.seccomp else "start the engine with its default seccomp profile"
    yield Check(name="isolation", ok=bool(gives.seccomp), found=str(gives), mend=mend)
    if there:
        found = seen(engine, base)
        mend = "" if found.holds else "containers are less shut in than they should be: see README"
        yield Check(name="container", ok=found.holds, found=str(found), mend=mend)


def _disk(out: Path) -> Check:
    folder = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    free = shutil.disk_usage(folder).free / 1e9
    writable = os.access(folder, os.W_OK)
    if not writable:
        mend = "give another run folder with --out"
        return Check(
            name="disk", ok=False, found=f"{folder} is not writable", mend=mend, exit_code=2
        )
    ok = free >= LEAST_DISK_GB
    mend = "" if ok else f"images need room: free at least {LEAST_DISK_GB:g} GB"
    return Check(name="disk", ok=ok, found=f"{free:.0f} GB free at {folder}", mend=mend)


def _keys(settings: Settings) -> Iterator[Check]:
    models = [*settings.models, *([settings.rewrite_with] if settings.rewrite_with else [])]
    wanted = {p for name in models if (p := needs_key(name)) is not None}
    for provider, names in KEY_VARIABLES.items():
        there = provider in settings.keys
        needed = provider in wanted
        yield Check(
            name=f"{provider} key",
            ok=there,
            found="set" if there else ("missing, but asked for" if needed else "not set"),
            mend="" if there else f"set {' or '.join(names)} to use {provider}:MODEL",
            exit_code=2 if needed and not there else 0,
        )


def _token(environment: Mapping[str, str]) -> Check:
    there = bool(environment.get("GITHUB_TOKEN"))
    mend = "" if there else "set GITHUB_TOKEN for the texts of issues; commit messages serve else"
    return Check(name="GitHub token", ok=there, found="set" if there else "not set", mend=mend)
