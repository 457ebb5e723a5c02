"""What makes a run start warm: images from where other machines, or earlier runs, left them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import PatchmarkError, UsageError
from core.types import Task
from patchmark.machine import cache_folder
from sandbox.archive import Archive
from sandbox.docker import DockerEngine
from sandbox.packages import Packages
from sandbox.registry import ADDRESS, Registry
from sandbox.stock import Marks, Stock
from sandbox.store import NOWHERE, Store

REGISTRY, PUSH = "PATCHMARK_REGISTRY", "PATCHMARK_REGISTRY_PUSH"
FOLDER = "PATCHMARK_CACHE_FOLDER"
IMAGES_BYTES = 6_000_000_000
"""What kept images may take, their layers counted once: packed, about a third of it."""
CACHE_BYTES = 2_000_000_000
"""What one repository's package cache may take; one that has grown beyond is begun anew."""
_YES, _NO = ("1", "true", "yes"), ("", "0", "false", "no")


@dataclass(frozen=True)
class SharedImages:
    """The registry that machines share images through."""

    address: str
    """`host:5000/team`."""
    push: bool
    """Whether what is built here goes there."""


def shared_images(environment: Mapping[str, str], of_the_file: str | None) -> SharedImages | None:
    """What the environment says, else patchmark.toml. Raises UsageError.

    The file lies in the repository under test: it may say where images come from, as it may name
    the image to start from, but only the environment says that anything is sent there.
    """
    address = environment.get(REGISTRY, "").strip() or of_the_file
    if not address:
        return None
    if not ADDRESS.fullmatch(address):
        raise UsageError(
            f"{REGISTRY}: {address!r} is no registry; write host/team or host:5000/team, in lower "
            "case and without https://"
        )
    return SharedImages(address, flag(environment, PUSH))


def flag(environment: Mapping[str, str], name: str) -> bool:
    """Whether a variable says yes. Raises UsageError for what is neither yes nor no."""
    given = environment.get(name, "").strip().lower()
    if given not in (*_YES, *_NO):
        raise UsageError(f"{name}: {given!r} is neither true nor false")
    return given in _YES


class Warm:
    """What one run finds made, and what it leaves to the next one."""

    def __init__(
        self,
        engine: DockerEngine,
        shared: SharedImages | None,
        folder: Path | None,
        tell: Callable[[str], None],
    ):
        self._engine = engine
        self._tell = tell
        self._folder = folder
        self._archive = Archive(engine, folder, tell) if folder and shared is None else None
        self._packages = Packages(folder, tell) if folder else None
        self._volumes: dict[str, None] = {}
        self.store: Store = self._archive or NOWHERE
        if shared is not None:
            self.store = Registry(engine, shared.address, tell, push=shared.push)

    def fill(self, volume: str, image: str) -> None:
        """Bring the package cache that a build is about to use. `image`: any that is here."""
        self._volumes[volume] = None
        if self._packages is not None:
            self._packages.fill(self._engine, volume, image)

    def leave(self, tasks: Callable[[], Iterable[Task]], marks: Marks) -> None:
        """Keep what the next run would have to make again: of images, those used and the tasks'.

        Trouble is told: it costs the next run time, and this one nothing.
        """
        if done := self.store.summary():
            self._tell(done)
        try:
            images = {task.image for task in tasks()} if self._archive else set()
            if self._archive is not None and self._archive.write(images, IMAGES_BYTES):
                self._tell(f"images are kept in {self._folder}")
            if self._packages is not None:
                self._packages.write(self._engine, CACHE_BYTES)
            if self._volumes:
                Stock(self._engine, marks).prune_caches(CACHE_BYTES, set(self._volumes))
        except (PatchmarkError, OSError) as error:
            self._tell(f"not all that was made could be kept: {error}")


def kept_folder(environment: Mapping[str, str]) -> Path | None:
    """What goes from machine to machine, where there is such a folder."""
    given = environment.get(FOLDER, "").strip()
    return Path(given).expanduser() if given else None


def marks(environment: Mapping[str, str]) -> Marks:
    """When images were last used on this machine."""
    return Marks(cache_folder(environment) / "images")
