"""Images in a file: written and read whole, and a folder in which they outlive the engine."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import BinaryIO, cast

from core.errors import EngineError, UsageError
from sandbox.docker import DockerEngine
from sandbox.once import UNNAMED, once
from sandbox.sizes import is_below, measured, oldest_free, total_bytes
from sandbox.store import wrong

_CHUNK = 1 << 20
_ARCHIVE, _INDEX = "images.tar", "images.json"


def save(engine: DockerEngine, path: Path, tags: Iterable[str]) -> None:
    """Write images with all their layers, shared ones once; compressed where the name ends in gz.

    Raises UsageError where there are none.
    """
    names = list(tags)
    if not names:
        raise UsageError("there are no images to save; run patchmark first")
    part = path.with_name(f"{path.name}.part")
    with engine.api() as api:
        # The client's own method saves one image; together they share their layers.
        url = f"{api.base_url}/v{api.api_version}/images/get"
        answer = api.get(url, params={"names": names}, stream=True)
        answer.raise_for_status()
        with closing(answer), _writing(part) as out:
            for chunk in answer.iter_content(_CHUNK):
                out.write(chunk)
    part.replace(path)


def load(engine: DockerEngine, path: Path, prefix: str) -> list[str]:
    """Read such a file; the tags in it. Raises UsageError for another file, or other images."""
    try:
        tags = _tags(path)
    except (OSError, EOFError, KeyError, ValueError, TypeError, tarfile.TarError) as error:
        raise UsageError(f"{path}: no archive of images: {error}") from error
    # It would take the place of what has this name here, whoever's that is.
    if foreign := [tag for tag in tags if not tag.startswith(prefix)]:
        raise UsageError(f"{path}: holds {foreign[0]}, which is none of patchmark's images")
    opened = gzip.open if _is_compressed(path) else open
    # What is read is nameless for a moment, and its maker long gone: nobody may clear up just now.
    with once(UNNAMED), opened(path, "rb") as stream, engine.api() as api:
        for line in api.load_image(stream):
            if "error" in line:
                raise EngineError(f"load {path}: {line['error']}")
    return tags


class Archive:
    """Images kept in a folder that goes from machine to machine.

    Read when the first of them is asked for; `write` leaves there what this run used.
    """

    def __init__(self, engine: DockerEngine, folder: Path, tell: Callable[[str], None]):
        self._engine = engine
        self._folder = folder
        self._tell = tell
        self._lock = Lock()
        self._kept = _index(folder / _INDEX)
        self._read = False
        self._used: set[str] = set()
        self._brought = 0

    def fetch(self, tag: str, below: str | None = None) -> str | None:
        """See Store.fetch."""
        with self._lock:
            wanted = self._kept.get(tag)
            if wanted is None:
                return None
            if self._engine.image_id(tag) == wanted:
                return wanted
            if not self._read:
                self._read_all()
            here = self._engine.image_id(tag)
        return here if here == wanted and self._fits(tag, below) else None

    def keep(self, tag: str, below: str | None = None) -> None:  # noqa: ARG002
        """See Store.keep. It is written with all others, by `write`."""
        with self._lock:
            self._used.add(tag)

    def summary(self) -> str:
        """See Store.summary."""
        return f"{self._brought} images came from {self._folder}" if self._brought else ""

    def write(self, images: Collection[str], limit_bytes: int) -> bool:
        """Leave what was used and what holds `images`, which are content ids, up to a size.

        Whether anything was written: not where all that was used is there already.
        """
        here = {tag: self._engine.image_id(tag) for tag in {*self._used, *self._kept}}
        if all(self._kept.get(tag) == here[tag] for tag in self._used if here[tag]):
            return False
        still = {tag for tag, there in self._kept.items() if there == here[tag]}
        with self._engine.api() as api:
            kept = {tag: measured(api, tag, "") for tag in {*still, *self._used} if here[tag]}
        top = [kept[tag] for tag in kept if tag in self._used or here[tag] in images]
        left = [one for one in kept.values() if one in top or any(is_below(one, x) for x in top)]
        while left and total_bytes(left) > limit_bytes:
            gone = oldest_free(left)
            left = [one for one in left if one is not gone]
        self._folder.mkdir(parents=True, exist_ok=True)
        self._kept = {one.tag: str(here[one.tag]) for one in left}
        (self._folder / _INDEX).unlink(missing_ok=True)
        if left:
            save(self._engine, self._folder / _ARCHIVE, self._kept)
            content = json.dumps(self._kept, indent=1, sort_keys=True)
            (self._folder / _INDEX).write_text(content, encoding="utf-8")
        return True

    def _read_all(self) -> None:
        self._read = True
        path = self._folder / _ARCHIVE
        before = {tag: self._engine.image_id(tag) for tag in self._kept}
        try:
            load(self._engine, path, "patchmark/")
        except (UsageError, EngineError) as error:
            if not self._engine.answers():
                raise
            self._tell(f"images are built anew: {error}")
        self._brought = sum(self._engine.image_id(tag) != there for tag, there in before.items())

    def _fits(self, tag: str, below: str | None) -> bool:
        with self._engine.api() as api:
            under = api.inspect_image(below) if below else None
            why = wrong(api.inspect_image(tag), tag, under, "")
        if why:
            self._tell(f"{tag} of {self._folder} is not used: {why}")
        return not why


def _index(path: Path) -> dict[str, str]:
    """Tag → content id. One that cannot be read is as good as none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(tag): str(there) for tag, there in found.items()} if isinstance(found, dict) else {}


def _tags(path: Path) -> list[str]:
    with tarfile.open(path, "r:*") as tar:
        content = tar.extractfile("manifest.json")
        if content is None:
            raise KeyError("manifest.json")
        return [tag for one in json.load(content) for tag in one.get("RepoTags") or ()]


def _is_compressed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _writing(path: Path) -> BinaryIO:
    if ".gz" in path.suffixes:
        return cast("BinaryIO", gzip.open(path, "wb", compresslevel=1))
    return path.open("wb")
