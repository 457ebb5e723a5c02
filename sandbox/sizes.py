"""What images take, layers that they share counted once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.store import layers


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One image, or one cache."""

    tag: str
    kind: str
    layers: tuple[str, ...]
    """Digests, the lowest first."""
    sizes: Mapping[str, int]
    """Layer → bytes."""
    used_at: datetime
    """When it was last asked for; when it was made, where that is not known."""

    @property
    def own_bytes(self) -> int:
        """The size of the layer that makes it what it is."""
        return self.sizes[self.layers[-1]] if self.layers else 0


def measured(api: Any, tag: str, prefix: str, used_at: datetime | None = None) -> Kept:
    """One image, as the engine has it."""
    about = api.inspect_image(tag)
    of_it = layers(about)
    made = datetime.fromisoformat(about["Created"][:19] + "+00:00")
    return Kept(
        tag=tag,
        kind=tag.removeprefix(prefix).partition(":")[0],
        layers=of_it,
        sizes=_sizes(of_it, api.history(tag), about["Size"]),
        used_at=used_at or made,
    )


def oldest_free(kept: Iterable[Kept], held: Iterable[str] = ()) -> Kept | None:
    """What goes first: unused longest, of those on which no other is built."""
    left = [*kept]
    upper = (one for one in left if not any(is_below(one, other) for other in left))
    free = (one for one in upper if one.tag not in held)
    return min(free, key=lambda one: (one.used_at, one.tag), default=None)


def total_bytes(kept: Iterable[Kept]) -> int:
    """What images take together, shared layers counted once."""
    sizes: dict[str, int] = {}
    for one in kept:
        sizes.update(one.sizes)
    return sum(sizes.values())


def is_below(one: Kept, other: Kept) -> bool:
    """Whether the other is built on it."""
    return one.tag != other.tag and other.layers[: len(one.layers)] == one.layers


def _sizes(layers: tuple[str, ...], history: list[dict[str, Any]], total: int) -> dict[str, int]:
    """Layer → bytes. The history tells sizes without digests, and steps that made no layer."""
    steps = [int(step["Size"]) for step in reversed(history)]
    if len(steps) != len(layers):
        steps = [size for size in steps if size]
    if len(steps) != len(layers):
        return dict.fromkeys(layers[:-1], 0) | dict.fromkeys(layers[-1:], total)
    return dict(zip(layers, steps, strict=True))
