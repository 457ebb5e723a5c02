"""Where finished images come from, and go to, besides this engine: other machines, later runs."""

from __future__ import annotations

from typing import Any, Protocol

from sandbox.owned import NAMED


class Store(Protocol):
    """A place of images. Whatever goes wrong there is told, and costs time alone: what cannot be
    fetched is built.
    """

    def fetch(self, tag: str, below: str | None = None) -> str | None:
        """Bring an image, which then has this name here; its content id, None where there is none.

        `below`: the image here that it must be built on.
        """
        ...

    def keep(self, tag: str, below: str | None = None) -> None:
        """Leave an image that is used here, unless it is there. Where another machine was first,
        its image takes the name here, so that what is built on it is known by the same content
        everywhere.
        """
        ...

    def summary(self) -> str:
        """One line about what came of it; empty where there is nothing to tell."""
        ...


class Nowhere:
    """No such place."""

    def fetch(self, *_: object, **__: object) -> None:
        """Nothing."""

    def keep(self, *_: object, **__: object) -> None:
        """Nothing."""

    def summary(self) -> str:
        """Nothing."""
        return ""


NOWHERE = Nowhere()


def wrong(about: dict[str, Any], tag: str, below: dict[str, Any] | None, machine: str) -> str:
    """Why an image from elsewhere cannot be what its name says; empty where it can.

    `about` and `below` as the engine inspects images; `machine`: the engine's architecture.
    """
    named = ((about.get("Config") or {}).get("Labels") or {}).get(NAMED)
    if named != tag:
        return f"it was made as {named}" if named else "it does not say that patchmark made it"
    if machine and about.get("Architecture") != machine:
        return f"it is for {about.get('Architecture')} machines, and this one is {machine}"
    under = layers(below) if below else ()
    if layers(about)[: len(under)] != under:
        return "it is not built on the image that is here"
    return ""


def layers(about: dict[str, Any]) -> tuple[str, ...]:
    """Digests of an image's layers, the lowest first."""
    return tuple((about.get("RootFS") or {}).get("Layers") or ())
