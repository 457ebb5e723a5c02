"""Trying a commit's recipes without any patch: what builds, and what its tests say."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.base import last_lines
from sandbox.engine import Engine, Limits
from sandbox.image import BrokenEnvironmentError, Images, Prepared
from sandbox.results import Status
from sandbox.suite import Order, retried, run_suite


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What came of one commit."""

    commit: str
    committed_at: datetime
    recipe: str = ""
    """Where the recipe that works was found; of the first one, where none does."""
    ecosystem: str = ""
    toolchain: str = ""
    build_seconds: float = 0
    """All that was tried, layers that were there already included."""
    image_bytes: int = 0
    test_seconds: float = 0
    tests: Mapping[str, int] = field(default_factory=dict)
    """Status → number of tests."""
    trouble: str = ""
    """Why no test ran; empty where some did."""

    @property
    def built(self) -> bool:
        """Whether there is an image at all."""
        return self.image_bytes > 0

    @property
    def works(self) -> bool:
        """Whether at least one test passed."""
        return self.tests.get(Status.PASSED.value, 0) > 0


def probe(
    engine: Engine, images: Images, limits: Limits, commit: str, committed_at: datetime
) -> Probed:
    """Try the recipes in order until tests run. Raises EngineError when the engine is gone."""
    first: Probed | None = None
    for recipe in images.recipes(commit, committed_at):
        started = time.monotonic()
        about = Probed(
            commit=commit,
            committed_at=committed_at,
            recipe=recipe.found_in,
            ecosystem=recipe.toolchain.name.split()[0],
            toolchain=recipe.toolchain.name,
        )
        try:
            prepared = retried(2, lambda recipe=recipe: images.prepare(commit, recipe))  # type: ignore[misc]
        except BrokenEnvironmentError as error:
            seconds = time.monotonic() - started
            found = _with(about, build_seconds=seconds, trouble=str(error))
        else:
            built = _with(about, build_seconds=time.monotonic() - started)
            found = _tested(engine, prepared, limits, built)
            if found.works:
                return found
        first = max(first, found, key=lambda one: one.built) if first else found
    return first or Probed(commit=commit, committed_at=committed_at, trouble="no recipe")


def _tested(engine: Engine, prepared: Prepared, limits: Limits, about: Probed) -> Probed:
    order = Order(
        image=prepared.image,
        command=prepared.recipe.test_script(),
        results=prepared.recipe.results,
        limits=limits,
    )
    suite = run_suite(engine, order)
    statuses = suite.run.statuses.values() if suite.run else ()
    counts = Counter(status.value for status in statuses)
    trouble = ""
    if suite.ran.stopped:
        trouble = f"stopped: it {suite.ran.stopped}"
    elif not counts:
        trouble = last_lines(suite.ran.output, 3)
    return _with(
        about,
        toolchain=" ".join(suite.note("toolchain.txt")[:1]) or about.toolchain,
        image_bytes=engine.image_bytes(prepared.image),
        test_seconds=suite.ran.seconds,
        tests=dict(counts),
        trouble=trouble,
    )


def _with(probed: Probed, **changes: object) -> Probed:
    return Probed(**{**vars(probed), **changes})
