"""The image of a commit: base → dependencies → source, each layer shared by all that can."""

from __future__ import annotations

import hashlib
import posixpath
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import EngineError, InfrastructureError
from core.git import Repository
from sandbox.base import FUNCTIONS, USER, ensure_base, last_lines
from sandbox.engine import Build, Engine, Ran
from sandbox.network import Network
from sandbox.own_image import own_image
from sandbox.recipe import EnvironmentSettings, Recipe, Toolchain
from sandbox.recipes_at import recipes_at
from sandbox.store import NOWHERE, Store
from sandbox.submodules import Submodule, submodules


class BrokenEnvironmentError(Exception):
    """A commit's environment cannot be built: the repository's or the machine's doing.

    `lasting` is False where it was the machine's, so that trying again may help.
    """

    def __init__(self, message: str, *, lasting: bool = True):
        super().__init__(message)
        self.lasting = lasting


class _NotThereError(Exception):
    """The image would have to be built."""


@dataclass(frozen=True)
class Prepared:
    """An image that holds one commit, ready to run its tests."""

    image: str
    """Content id."""
    recipe: Recipe


_LEFT_OUT = (
    "submodule {} at {} is not in this clone, so tests go without its files "
    "(`git submodule update --init` brings them)"
)
_COMMIT = """
cd /repo
rm -rf .git
git init -q
git add -A -f
git commit -q --no-verify -m base
"""


class Images:
    """Builds images and keeps them; equal keys are built once, whoever asks first."""

    def __init__(
        self,
        *,
        engine: Engine,
        repository: Repository,
        settings: EnvironmentSettings,
        network: Network,
        logs: Path,
        tell: Callable[[str], None],
        pythons: Sequence[Path] = (),
        mark: Callable[[str], None] = lambda _: None,
        store: Store = NOWHERE,
        fill: Callable[[str, str], None] = lambda *_: None,
    ):
        self._engine = engine
        self._repository = repository
        self._settings = settings
        self._network = network
        self._logs = logs
        self._tell = tell
        self._pythons = pythons
        self._mark = mark
        self._store = store
        self._fill = fill
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._bases: dict[str, str | InfrastructureError] = {}
        self._left_out: set[str] = set()

    def recipes(self, commit: str, committed_at: datetime) -> list[Recipe]:
        """Ways to build a commit, best first."""
        return recipes_at(self._repository, self._settings, commit, committed_at)

    def prepare(self, commit: str, recipe: Recipe) -> Prepared:
        """The image of a commit.

        Raises BrokenEnvironmentError or EngineError.
        """
        return Prepared(self._prepared(commit, recipe, self._layer), recipe)

    def fetched(self, commit: str, recipe: Recipe) -> str | None:
        """Its content id where nothing but its base must be built. Raises as `prepare`."""
        try:
            return self._prepared(commit, recipe, self._there)
        except _NotThereError:
            return None

    def _prepared(self, commit: str, recipe: Recipe, layer: Callable[..., str]) -> str:
        dependencies = self._dependencies(commit, recipe, layer)
        tree = self._repository.text("rev-parse", f"{commit}^{{tree}}").strip()
        steps = recipe.install_script()
        there = [f"{one.path} {one.commit}" for one in self._submodules(commit)]
        key = _hash(self._engine.image_id(dependencies) or "", tree, steps, _COMMIT, *there)
        tag = f"patchmark/task:{key}"
        # The commit stands before the install: what that leaves behind is no source.
        own = f"chown -R {USER}:{USER} /repo\n"
        script = f"mkdir -p /patchmark\n{_COMMIT}{steps}\n{own}"
        return layer(tag, dependencies, script, commit)

    def _dependencies(self, commit: str, recipe: Recipe, layer: Callable[..., str]) -> str:
        base = self._base(commit, recipe.toolchain)
        script = recipe.dependencies_script()
        key = _hash(self._engine.image_id(base) or base, script, recipe.inputs)
        tag = f"patchmark/dependencies:{key}"
        layer(tag, base, f"{script}\ncd /\nrm -rf /repo\n", commit)
        return tag

    def _base(self, commit: str, toolchain: Toolchain) -> str:
        """The base image. Asked for in vain, it is not asked for again for the next commit."""
        image = self._settings.image or self._own(commit)
        with self._only_one(f"base:{toolchain.name}:{image}"):
            base = self._base_on(image, toolchain)
            self._mark(base)
            return base

    def _own(self, commit: str) -> str | None:
        """The image that the repository describes, where that is asked for."""
        path = self._settings.dockerfile
        if path is None:
            return None
        try:
            found = own_image(self._repository, commit, path)
        except ValueError as error:
            raise BrokenEnvironmentError(f"{commit[:12]}: {error}") from error
        if found.dockerfile is None:
            return found.image
        tag = f"patchmark/own:{_hash(found.dockerfile, found.context, found.text)}"
        with self._only_one(tag):
            if self._engine.image_id(tag) is None and self._store.fetch(tag) is None:
                context = self._repository.archive(commit, "", found.context)
                inside = posixpath.relpath(found.dockerfile, found.context)
                secrets = self._network.build_environment()
                trouble = self._engine.build_dockerfile(context, inside, tag, secrets=secrets)
                if trouble is not None:
                    said = last_lines(trouble)
                    raise BrokenEnvironmentError(f"{found.dockerfile} of {commit[:12]}: {said}")
            self._store.keep(tag)
        return tag

    def _base_on(self, image: str | None, toolchain: Toolchain) -> str:
        name = f"{toolchain.name} {image or ''}"
        if name not in self._bases:
            try:
                self._bases[name] = ensure_base(
                    self._engine,
                    toolchain,
                    self._network,
                    self._tell,
                    image=image,
                    pythons=self._pythons,
                    store=self._store,
                )
            except EngineError:
                raise
            except InfrastructureError as error:
                self._bases[name] = error
        found = self._bases[name]
        if isinstance(found, InfrastructureError):
            raise BrokenEnvironmentError(str(found), lasting=False) from found
        return found

    def _layer(self, tag: str, start: str, script: str, commit: str | None = None) -> str:
        with self._only_one(tag):
            self._mark(tag)
            if self._engine.image_id(tag) is None and self._store.fetch(tag, start) is None:
                self._make(tag, start, script, commit)
            self._store.keep(tag, start)
            made = self._engine.image_id(tag)
            if made is None:
                raise BrokenEnvironmentError(f"{tag} vanished after it was made")
            return made

    def _there(self, tag: str, start: str, *_: str) -> str:
        with self._only_one(tag):
            found = self._engine.image_id(tag) or self._store.fetch(tag, start)
        if found is None:
            raise _NotThereError(tag)
        self._mark(tag)
        self._store.keep(tag, start)
        return found

    def _make(self, tag: str, start: str, script: str, commit: str | None) -> None:
        ran = self._engine.build(self._build(start, script, tag, commit))
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"build-{tag.rpartition('/')[2].replace(':', '-')}.log"
        log.write_text(ran.output, encoding="utf-8")
        if ran.exit_code != 0:
            said = last_lines(ran.output)
            ended = ran.stopped or ("ran out of memory" if ran.out_of_memory else "")
            why = f"it {ended}: {said}" if ended else said
            what = f"{tag.partition(':')[0]} of {(commit or start)[:12]}"
            raise BrokenEnvironmentError(f"{what}: {why}")

    def step(self, commit: str, recipe: Recipe, image: str | None, script: str, tag: str) -> Ran:
        """Run a script on top of an image, or of a recipe's base with the commit in /repo.

        What worked is kept under `tag`. Raises BrokenEnvironmentError or EngineError.
        """
        if image is None:
            return self._engine.build(
                self._build(self._base(commit, recipe.toolchain), script, tag, commit)
            )
        return self._engine.build(self._build(image, script, tag))

    def on_top(self, image: str, script: str) -> str:
        """An image with more in it, made once; its content id.

        Raises BrokenEnvironmentError or EngineError.
        """
        return self._layer(f"patchmark/command:{_hash(image, script)}", image, script)

    def forget(self, tag: str) -> None:
        """Remove an image."""
        self._engine.remove_image(tag)

    def _build(self, start: str, script: str, tag: str, commit: str | None = None) -> Build:
        cache = f"patchmark-cache-{self._cache_name()}"
        self._mark(cache)
        self._fill(cache, start)
        return Build(
            image=start,
            script=f"{FUNCTIONS}{script}",
            archives=self._archives(commit) if commit else (),
            secrets=self._network.build_environment(),
            ca_bundle=self._network.ca_bundle,
            cache_volume=cache,
            tag=tag,
        )

    def _archives(self, commit: str) -> tuple[bytes, ...]:
        inner = (
            one.repository.archive(one.commit, f"repo/{one.path}")
            for one in self._submodules(commit)
            if one.repository is not None
        )
        return (self._repository.archive(commit, "repo"), *inner)

    def _submodules(self, commit: str) -> list[Submodule]:
        """Those that are there; of another it is said once that its files are left out."""
        found = list(submodules(self._repository, commit))
        for one in found:
            if one.repository is None and one.path not in self._left_out:
                self._left_out.add(one.path)
                self._tell(_LEFT_OUT.format(one.path, one.commit[:12]))
        return [one for one in found if one.repository is not None]

    def _cache_name(self) -> str:
        """Builds run the repository's code, so no two repositories share a cache."""
        roots = self._repository.text("rev-list", "--max-parents=0", "HEAD").split()
        return _hash(*sorted(roots))

    @contextmanager
    def _only_one(self, key: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
