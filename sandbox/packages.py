"""The package cache of a repository's builds: a volume of the engine, and a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from core.errors import EngineError
from sandbox.docker import DockerEngine
from sandbox.owned import LABEL, OWNER, owner

_AT = "/cache"


class Packages:
    """Files in a folder, each with what one volume held: one is a repository's."""

    def __init__(self, folder: Path, tell: Callable[[str], None]):
        self._folder = folder
        self._tell = tell
        self._lock = Lock()
        self._filled: dict[str, str] = {}

    def fill(self, engine: DockerEngine, volume: str, image: str) -> None:
        """Bring the cache, unless the engine has it. `image`: any that is there.

        Builds alone write it, never a patch; what cannot be brought is downloaded anew.
        """
        with self._lock:
            if volume in self._filled:
                return
            self._filled[volume] = image
            file = self._file(volume)
            if not file.is_file() or volume in _volumes(engine):
                return
            try:
                with _holding(engine, volume, image) as (api, name), file.open("rb") as content:
                    api.put_archive(name, "/", content)
            except (EngineError, OSError) as error:
                self._tell(f"{file}: packages are downloaded anew: {error}")

    def write(self, engine: DockerEngine, limit_bytes: int) -> bool:
        """Leave the cache that builds used, if they used one; whether anything was written.

        One that has grown beyond the limit is removed, here and there.
        """
        for volume, image in self._filled.items():
            self._write(engine, volume, image, limit_bytes)
        return bool(self._filled)

    def _write(self, engine: DockerEngine, volume: str, image: str, limit_bytes: int) -> None:
        file = self._file(volume)
        part = file.with_name(f"{file.name}.part")
        with _holding(engine, volume, image) as (api, name):
            fits = _copy(api, name, part, limit_bytes)
        if fits:
            part.replace(file)
            return
        part.unlink()
        file.unlink(missing_ok=True)
        with suppress(EngineError), engine.api() as api:
            api.remove_volume(volume)
        self._tell(f"the package cache grew beyond {limit_bytes / 1e9:g} GB and is begun anew")

    def _file(self, volume: str) -> Path:
        return self._folder / f"{volume}.tar"


def _copy(api: Any, name: str, to: Path, limit_bytes: int) -> bool:
    to.parent.mkdir(parents=True, exist_ok=True)
    stream, _ = api.get_archive(name, _AT)
    with to.open("wb") as file:
        for chunk in stream:
            file.write(chunk)
            if file.tell() > limit_bytes:
                stream.close()
                return False
    return True


def _volumes(engine: DockerEngine) -> set[str]:
    with engine.api() as api:
        return {one["Name"] for one in api.volumes()["Volumes"] or ()}


@contextmanager
def _holding(engine: DockerEngine, volume: str, image: str) -> Iterator[tuple[Any, str]]:
    """A container that has the volume and is never started."""
    with engine.api() as api:
        api.create_volume(volume, labels={LABEL: "cache"})
        name = api.create_container(
            image,
            entrypoint=["true"],
            labels={LABEL: "container", OWNER: owner()},
            host_config=api.create_host_config(binds=[f"{volume}:{_AT}"]),
            use_config_proxy=False,
        )["Id"]
        try:
            yield api, name
        finally:
            api.remove_container(name, force=True)
