"""A container to try things in: each command starts from where the last one that worked ended."""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import Self

from sandbox.engine import Ran
from sandbox.image import Images
from sandbox.recipe import Recipe


class Workbench:
    """A commit on the base of a recipe, nothing installed. Leaves no image behind."""

    def __init__(self, images: Images, commit: str, recipe: Recipe):
        self._images = images
        self._commit = commit
        self._recipe = recipe
        self._image: str | None = None
        self._name = f"patchmark/workbench:{uuid.uuid4().hex[:12]}"
        self._steps = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for step in range(self._steps, 0, -1):
            self._images.forget(f"{self._name}-{step}")

    def run(self, script: str) -> Ran:
        """Run shell as root in the repository, with network; what a failure did is undone.

        Raises BrokenEnvironmentError or EngineError.
        """
        tag = f"{self._name}-{self._steps + 1}"
        ran = self._images.step(self._commit, self._recipe, self._image, f"cd /repo\n{script}", tag)
        if ran.exit_code == 0:
            self._image, self._steps = tag, self._steps + 1
        return ran
