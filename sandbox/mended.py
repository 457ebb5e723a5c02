"""A model's diff as the judging container will read it: the container's own code reads it here."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib.resources import as_file, files
from types import ModuleType


def mended(diff: str) -> tuple[str, tuple[str, ...]]:
    """The diff without what does not matter (fences, prefixes, line ends), and words for that.

    What is protected is looked for in this text, so that no mending can hide a file's name.
    """
    text, words = _mending().mend(diff.encode("utf-8", "surrogateescape"))
    return text.decode("utf-8", "surrogateescape"), tuple(words)


@cache
def _mending() -> ModuleType:
    with as_file(files("sandbox") / "container") as folder:
        spec = importlib.util.spec_from_file_location("patchmark_mending", folder / "mending.py")
        if spec is None or spec.loader is None:
            raise ImportError("sandbox/container/mending.py is missing")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module
