"""What this process left on a container engine."""

from __future__ import annotations

from typing import Any

from sandbox.docker import DockerEngine
from sandbox.owned import LABEL, owner

_NEVER = ("patchmark/base", "patchmark/root", "<none>")


def own_containers(engine: DockerEngine) -> list[dict[str, Any]]:
    """The containers of this process, running or not."""
    mine = {"label": f"{LABEL}.owner={owner()}"}
    return list(engine._api.containers(all=True, filters=mine))


def tags(engine: DockerEngine) -> set[str]:
    """Names of the layers that this process built, without the bases."""
    mine = [f"{LABEL}=image", f"{LABEL}.owner={owner()}"]
    found = engine._api.images(filters={"label": mine})
    names = {tag for image in found for tag in image["RepoTags"] or ()}
    return {name for name in names if not name.startswith(_NEVER)}
