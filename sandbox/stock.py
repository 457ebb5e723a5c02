"""The images that patchmark keeps on a machine: listing, pruning, saving, moving."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import EngineError, UsageError
from sandbox.docker import DockerEngine
from sandbox.leftovers import remove_images
from sandbox.owned import LABEL, is_gone, owner
from sandbox.registry import RegistryError, push

KINDS = ("root", "base", "own", "dependencies", "task", "command")
"""What images hold, each built on the one before."""
CACHE = "cache"
"""A volume of packages; no image is built on it."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One image, or one cache."""

    tag: str
    kind: str
    layers: tuple[str, ...]
    """Digests, the lowest first."""
    sizes: Mapping[str, int]
    """Layer → bytes."""
    used_at: datetime
    """When it was last asked for; when it was made, where that is not known."""

    @property
    def own_bytes(self) -> int:
        """The size of the layer that makes it what it is."""
        return self.sizes[self.layers[-1]] if self.layers else 0


class Marks:
    """When images and caches were last used, and by whom: the engine does not know."""

    def __init__(self, folder: Path):
        self._folder = folder

    def mark(self, tag: str) -> None:
        """The image is used now, by this process."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path, mine = self._path(tag), f"{owner()}\n"
        users = self._users(tag)
        if owner() in users:
            path.touch()
        elif any(users):
            # Added in one go: another run may do the same in this moment.
            with path.open("a", encoding="utf-8") as file:
                file.write(mine)
        else:
            path.write_text(mine, encoding="utf-8")

    def in_use(self, tag: str) -> bool:
        """Whether another run that used it is still going."""
        return bool(self._users(tag) - {owner()})

    def _users(self, tag: str) -> set[str]:
        try:
            seen_at = self._path(tag).stat().st_mtime
            lines = self._path(tag).read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return set()
        return {line for line in lines if not is_gone(line, seen_at)}

    def used_at(self, tag: str) -> datetime | None:
        """When it was last marked."""
        path = self._path(tag)
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None

    def forget(self, tag: str) -> None:
        """The image is gone."""
        self._path(tag).unlink(missing_ok=True)

    def _path(self, tag: str) -> Path:
        return self._folder / tag.replace("/", "_").replace(":", "@")


class Stock:
    """patchmark's images in one engine."""

    def __init__(self, engine: DockerEngine, marks: Marks, prefix: str = "patchmark/"):
        self._engine = engine
        self._marks = marks
        self._prefix = prefix

    def kept(self) -> list[Kept]:
        """All of them, the longest unused first."""
        with self._engine.api() as api:
            tags = [tag for one in api.images() for tag in one.get("RepoTags") or []]
            found = [self._kept(api, tag) for tag in tags if tag.startswith(self._prefix)]
        return sorted(found, key=lambda one: (one.used_at, one.tag))

    def caches(self) -> list[Kept]:
        """The package caches that builds of a repository share, the longest unused first."""
        prefix = f"{self._prefix.rstrip('/')}-cache-"
        with self._engine.api() as api:
            ours = api.volumes(filters={"name": prefix, "label": f"{LABEL}=cache"})["Volumes"] or ()
            names = {one["Name"] for one in ours if one["Name"].startswith(prefix)}
            # The engine measures everything at once, which takes its time.
            measured = api.df()["Volumes"] if names else ()
            found = [self._cache(one) for one in measured if one["Name"] in names]
        return sorted(found, key=lambda one: (one.used_at, one.tag))

    def prune(self, budget_bytes: int) -> list[Kept]:
        """Remove what was unused longest until the rest fits; what is gone is returned.

        An image goes after those that are built on it. What a container or another run that
        is still going uses stays. What killed runs left half made goes in any case.
        """
        with self._engine.api() as api:
            remove_images(api, self._prefix)
        removed: list[Kept] = []
        left, held = [*self.kept(), *self.caches()], set()
        while total_bytes(left) > budget_bytes:
            upper = [one for one in left if not any(_is_below(one, other) for other in left)]
            free = (one for one in upper if one.tag not in held)
            oldest = min(free, key=lambda one: (one.used_at, one.tag), default=None)
            if oldest is None:
                break
            if not self._marks.in_use(oldest.tag) and self._remove(oldest):
                removed.append(oldest)
                left.remove(oldest)
            else:
                held.add(oldest.tag)
        return removed

    def save(self, path: Path, tags: Iterable[str]) -> None:
        """Write images with all their layers to one compressed archive."""
        names = list(tags)
        if not names:
            raise UsageError("there are no images to save; run patchmark first")
        part = path.with_name(f"{path.name}.part")
        with self._engine.api() as api:
            # The client's own method saves one image; together they share their layers.
            url = f"{api.base_url}/v{api.api_version}/images/get"
            answer = api.get(url, params={"names": names}, stream=True)
            answer.raise_for_status()
            with closing(answer), gzip.open(part, "wb", compresslevel=1) as out:
                for chunk in answer.iter_content(1 << 20):
                    out.write(chunk)
        part.replace(path)

    def load(self, path: Path) -> list[str]:
        """Read such an archive; the tags that are new. Raises UsageError for any other file."""
        before = {one.tag for one in self.kept()}
        try:
            with tarfile.open(path, "r:gz") as tar:
                tar.getmember("manifest.json")
        except (OSError, EOFError, KeyError, tarfile.TarError) as error:
            raise UsageError(f"{path}: no archive of images: {error}") from error
        with gzip.open(path, "rb") as stream, self._engine.api() as api:
            _follow(api.load_image(stream), f"load {path}")
        return sorted({one.tag for one in self.kept()} - before)

    def push(self, registry: str, tags: Iterable[str]) -> list[str]:
        """Put images into a registry, under `registry/patchmark/…`. Raises EngineError."""
        pushed = []
        for tag in tags:
            try:
                push(self._engine, registry, tag)
            except RegistryError as error:
                raise EngineError(f"push {tag}: {error}") from error
            pushed.append(tag)
        return pushed

    def _kept(self, api: Any, tag: str) -> Kept:
        about = api.inspect_image(tag)
        layers = tuple(about["RootFS"].get("Layers") or ())
        made = datetime.fromisoformat(about["Created"][:19] + "+00:00")
        return Kept(
            tag=tag,
            kind=tag.removeprefix(self._prefix).partition(":")[0],
            layers=layers,
            sizes=_sizes(layers, api.history(tag), about["Size"]),
            used_at=self._marks.used_at(tag) or made,
        )

    def _cache(self, volume: dict[str, Any]) -> Kept:
        name = volume["Name"]
        made = datetime.fromisoformat(volume["CreatedAt"][:19] + "+00:00")
        return Kept(
            tag=name,
            kind=CACHE,
            layers=(name,),
            sizes={name: max(0, volume["UsageData"]["Size"])},
            used_at=self._marks.used_at(name) or made,
        )

    def _remove(self, one: Kept) -> bool:
        try:
            if one.kind == CACHE:
                with self._engine.api() as api:
                    api.remove_volume(one.tag)
            else:
                self._engine.remove_image(one.tag)
        except EngineError:
            return False
        self._marks.forget(one.tag)
        return True


def total_bytes(kept: Iterable[Kept]) -> int:
    """What images take together, shared layers counted once."""
    sizes: dict[str, int] = {}
    for one in kept:
        sizes.update(one.sizes)
    return sum(sizes.values())


def _is_below(one: Kept, other: Kept) -> bool:
    return one.tag != other.tag and other.layers[: len(one.layers)] == one.layers


def _sizes(layers: tuple[str, ...], history: list[dict[str, Any]], total: int) -> dict[str, int]:
    """Layer → bytes. The history tells sizes without digests, and steps that made no layer."""
    steps = [int(step["Size"]) for step in reversed(history)]
    if len(steps) != len(layers):
        steps = [size for size in steps if size]
    if len(steps) != len(layers):
        return dict.fromkeys(layers[:-1], 0) | dict.fromkeys(layers[-1:], total)
    return dict(zip(layers, steps, strict=True))


def _follow(lines: Iterator[dict[str, Any]], what: str) -> None:
    for line in lines:
        if "error" in line:
            raise EngineError(f"{what}: {line['error']}")
