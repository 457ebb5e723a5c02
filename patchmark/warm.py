"""What makes a run start warm: images from where other machines, or earlier runs, left them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from sandbox.docker import DockerEngine
from sandbox.registry import ADDRESS, Registry
from sandbox.stock import Marks
from sandbox.store import NOWHERE, Store

REGISTRY, PUSH = "PATCHMARK_REGISTRY", "PATCHMARK_REGISTRY_PUSH"
_YES, _NO = ("1", "true", "yes"), ("", "0", "false", "no")


@dataclass(frozen=True)
class SharedImages:
    """The registry that machines share images through."""

    address: str
    """`host:5000/team`."""
    push: bool
    """Whether what is built here goes there."""


def shared_images(environment: Mapping[str, str], of_the_file: str | None) -> SharedImages | None:
    """What the environment says, else patchmark.toml. Raises UsageError.

    The file lies in the repository under test: it may say where images come from, as it may name
    the image to start from, but only the environment says that anything is sent there.
    """
    address = environment.get(REGISTRY, "").strip() or of_the_file
    if not address:
        return None
    if not ADDRESS.fullmatch(address):
        raise UsageError(
            f"{REGISTRY}: {address!r} is no registry; write host/team or host:5000/team, in lower "
            "case and without https://"
        )
    return SharedImages(address, flag(environment, PUSH))


def flag(environment: Mapping[str, str], name: str) -> bool:
    """Whether a variable says yes. Raises UsageError for what is neither yes nor no."""
    given = environment.get(name, "").strip().lower()
    if given not in (*_YES, *_NO):
        raise UsageError(f"{name}: {given!r} is neither true nor false")
    return given in _YES


def store_for(
    shared: SharedImages | None, engine: DockerEngine, tell: Callable[[str], None]
) -> Store:
    """Where the images of one engine come from and go to."""
    if shared is None:
        return NOWHERE
    return Registry(engine, shared.address, tell, push=shared.push)


def marks(cache: Path) -> Marks:
    """When images were last used on this machine."""
    return Marks(cache / "images")
