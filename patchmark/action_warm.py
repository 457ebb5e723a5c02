"""What the Action leaves to other jobs and later runs, and when it does not."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from patchmark.action_inputs import RUN
from patchmark.warm import FOLDER, PUSH, REGISTRY

if TYPE_CHECKING:
    from patchmark.action_inputs import ActionInputs


def share_images(inputs: ActionInputs, distrusted: str, notice: Callable[[str], None]) -> None:
    """Tell the program where images come from and go to, in the process's own environment.

    What was built of others' code is pushed nowhere: a build of theirs could have left anything in
    an image that the next run would take for its own.
    """
    for name in (FOLDER, PUSH):  # the job's own would go round what is decided here
        os.environ.pop(name, None)
    if inputs.cache_folder:
        os.environ[FOLDER] = inputs.cache_folder
    if inputs.registry:
        os.environ[REGISTRY] = inputs.registry
    if inputs.registry_push and distrusted:
        notice(f"no image is pushed: {distrusted}")
    elif inputs.registry_push:
        os.environ[PUSH] = "true"


def without_cache(
    inputs: ActionInputs,
    environment: Mapping[str, str],
    notice: Callable[[str], None],
    distrusted: str,
) -> ActionInputs:
    """The inputs for others' code: nothing is read of the cache folder, nor written into it.

    Its records would be believed, its images run: here and, where a later step keeps the folder,
    in runs of the repository's own.
    """
    if not inputs.cache_folder:
        return inputs
    notice(f"the cache folder is neither read nor written: {distrusted}")
    inside = Path(inputs.run_folder).is_relative_to(inputs.cache_folder)
    temporary = environment.get("RUNNER_TEMP") or environment.get("GITHUB_WORKSPACE") or Path.cwd()
    run_folder = str(Path(temporary) / RUN) if inside else inputs.run_folder
    return replace(inputs, cache_folder="", run_folder=run_folder)


_EACH_TIME = ("report.*", "junit.xml", "badge.svg", "run.toml", "partial.json", "*.log", "*.sqlite")
"""Written by each run, though nothing came of it that a later one would have to do again."""


_SMALL = 1 << 20


def traces(folder: str) -> frozenset[tuple[str, object]]:
    """What a cache folder holds that is worth keeping: each file, and what tells it from another.

    Large ones are replaced whole, and so have a time of their own.
    """
    found: set[tuple[str, object]] = set()
    for path in Path(folder).rglob("*") if folder else ():
        if path.is_file() and not any(path.match(name) for name in _EACH_TIME):
            about = path.stat()
            large = about.st_size > _SMALL
            told = about.st_mtime_ns if large else hash(path.read_bytes())
            found.add((str(path), (about.st_size, told)))
    return frozenset(found)
