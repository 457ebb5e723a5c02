"""What a patchmark that is gone has left on an engine, found by its labels."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from sandbox.once import UNNAMED, once
from sandbox.owned import LABEL, OWNER, is_abandoned

_HALF_MADE_SECONDS = 3600
"""No build takes as long: a nameless step of a Dockerfile that is older belongs to none."""


def containers(api: Any) -> list[str]:
    """The ids of containers whose makers are gone."""
    # Both labels: an image keeps its builder's owner label and hands it to every container
    # that a person starts from it; those are not ours to remove.
    ours = {"label": [f"{LABEL}=container", OWNER]}
    found = api.containers(all=True, filters=ours)
    return [str(c["Id"]) for c in found if is_abandoned(c["Labels"][OWNER], c["Created"])]


def remove_containers(api: Any) -> int:
    """Remove those; how many went."""
    import docker

    removed = 0
    for name in containers(api):
        with suppress(docker.errors.APIError):
            api.remove_container(name, force=True, v=True)
            removed += 1
    return removed


def remove_images(api: Any, prefix: str) -> int:
    """Remove images that their makers never named, or named for the time being; how many went.

    What a living run makes just now stays.
    """
    with once(UNNAMED):
        nameless = api.images(filters={"dangling": True, "label": f"{LABEL}=image"})
        benches = api.images(name=f"{prefix}workbench", filters={"label": f"{LABEL}=image"})
        return sum(_remove(api, one) for one in [*nameless, *benches] if _is_left(one))


def _remove(api: Any, image: dict[str, Any]) -> int:
    import docker

    removed = 0
    for name in image.get("RepoTags") or [image["Id"]]:
        # One that a container holds stays.
        with suppress(docker.errors.APIError):
            api.remove_image(image["Id"] if name == "<none>:<none>" else name)
            removed += 1
    return removed


def _is_left(image: dict[str, Any]) -> bool:
    made_at, named = image["Created"], (image.get("Labels") or {}).get(OWNER)
    if named is None:
        return bool(time.time() - made_at > _HALF_MADE_SECONDS)
    return is_abandoned(named, made_at)
