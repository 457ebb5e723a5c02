"""The images that patchmark keeps on a machine: listing, pruning, saving, moving."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import EngineError
from sandbox import archive
from sandbox.docker import DockerEngine
from sandbox.leftovers import remove_images
from sandbox.owned import LABEL, is_gone, owner
from sandbox.registry import RegistryError, push
from sandbox.sizes import Kept, measured, oldest_free, total_bytes

KINDS = ("root", "base", "own", "dependencies", "task", "command")
"""What images hold, each built on the one before."""
CACHE = "cache"
"""A volume of packages; no image is built on it."""


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
            # Podman puts a registry before a name that has none.
            tags = [
                tag.removeprefix("localhost/").removeprefix("docker.io/")
                for one in api.images()
                for tag in one.get("RepoTags") or []
            ]
            found = [self._kept(api, tag) for tag in tags if tag.startswith(self._prefix)]
        return sorted(found, key=lambda one: (one.used_at, one.tag))

    def caches(self) -> list[Kept]:
        """The package caches that builds of a repository share, the longest unused first."""
        prefix = f"{self._prefix.rstrip('/')}-cache-"
        with self._engine.api() as api:
            ours = api.volumes(filters={"name": prefix, "label": f"{LABEL}=cache"})["Volumes"] or ()
            there = [one for one in ours if one["Name"].startswith(prefix)]
            # The engine measures everything at once, which takes its time.
            measured = api.df()["Volumes"] if there else ()
            sizes = {one["Name"]: one["UsageData"]["Size"] for one in measured}
            found = [self._cache(one, sizes[one["Name"]]) for one in there if one["Name"] in sizes]
        return sorted(found, key=lambda one: (one.used_at, one.tag))

    def prune(self, budget_bytes: int) -> list[Kept]:
        """Remove what was unused longest until the rest fits; what is gone is returned.

        An image goes after those that are built on it. What a container or another run that
        is still going uses stays. What killed runs left half made goes in any case.
        """
        with self._engine.api() as api:
            remove_images(api, self._prefix)
        removed: list[Kept] = []
        left = [*self.kept(), *self.caches()]
        held: set[str] = set()
        while total_bytes(left) > budget_bytes:
            oldest = oldest_free(left, held)
            if oldest is None:
                break
            if not self._marks.in_use(oldest.tag) and self._remove(oldest):
                removed.append(oldest)
                left.remove(oldest)
            else:
                held.add(oldest.tag)
        return removed

    def prune_caches(self, each_bytes: int, names: Collection[str] | None = None) -> list[Kept]:
        """Remove the caches, or those of these names, that grew beyond a size; what is gone.

        What another run that is still going uses stays, and so does what a container has.
        """
        return [
            one
            for one in self.caches()
            if (names is None or one.tag in names)
            and one.own_bytes > each_bytes
            and not self._marks.in_use(one.tag)
            and self._remove(one)
        ]

    def save(self, path: Path, tags: Iterable[str]) -> None:
        """Write images with all their layers to one archive."""
        archive.save(self._engine, path, tags)

    def load(self, path: Path) -> list[str]:
        """Read such an archive; the tags that are new. Raises UsageError for any other file."""
        before = {one.tag for one in self.kept()}
        return sorted({*archive.load(self._engine, path, self._prefix)} - before)

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
        return measured(api, tag, self._prefix, self._marks.used_at(tag))

    def _cache(self, volume: dict[str, Any], size: int) -> Kept:
        name = volume["Name"]
        made = datetime.fromisoformat(volume["CreatedAt"][:19] + "+00:00")
        return Kept(
            tag=name,
            kind=CACHE,
            layers=(name,),
            sizes={name: max(0, size)},
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
