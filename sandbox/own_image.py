"""The image that a repository itself describes: its Dockerfile, or what its devcontainer names."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass
from typing import Any

from core.git import Repository
from sandbox.facts import table

_MARKS = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)


@dataclass(frozen=True)
class OwnImage:
    """Either an image to pull, or a Dockerfile to build with the commit as its context."""

    image: str | None = None
    dockerfile: str | None = None
    context: str = "."
    """Folder of the repository that the Dockerfile sees."""
    text: str = ""
    """The Dockerfile's content."""


def own_image(repository: Repository, commit: str, path: str) -> OwnImage:
    """What a Dockerfile or devcontainer.json of a commit asks for.

    Raises ValueError saying what is missing at this commit.
    """
    text = repository.read(commit, path)
    if text is None:
        raise ValueError(f"there is no {path}")
    if not path.endswith(".json"):
        return OwnImage(dockerfile=path, text=text)
    settings = _json(path, text)
    if isinstance(settings.get("image"), str):
        return OwnImage(image=settings["image"])
    build = table(settings, "build")
    named = build.get("dockerfile") or settings.get("dockerFile")
    if not isinstance(named, str):
        raise ValueError(f"{path} names neither an image nor a Dockerfile")  # noqa: TRY004
    folder = posixpath.dirname(path)
    inner = posixpath.normpath(posixpath.join(folder, named))
    context = str(build.get("context") or settings.get("context") or ".")
    found = repository.read(commit, inner)
    if found is None:
        raise ValueError(f"{path} names {inner}, which is not there")
    place = posixpath.normpath(posixpath.join(folder, context))
    return OwnImage(dockerfile=inner, context=place, text=found)


def _json(path: str, text: str) -> dict[str, Any]:
    """A devcontainer.json may hold comments and commas at the end of lists."""
    plain = _MARKS.sub(lambda found: found[0] if found[0].startswith('"') else "", text)
    try:
        settings = json.loads(plain)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if isinstance(settings, dict):
        return settings
    raise ValueError(f"{path} cannot be read: it is no object")
