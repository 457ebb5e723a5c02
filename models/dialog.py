"""What goes to and fro where a model is asked more than once: tools, calls, results, turns."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, JsonValue

_DEEPEST = 40
"""Levels of a call's arguments; a kept record holds some more around them."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tool(_Part):
    """Something a model may ask to be done."""

    name: str
    description: str
    parameters: dict[str, JsonValue]
    """A JSON schema of an object."""


class Call(_Part):
    """A tool that a model wants to be used."""

    id: str
    name: str
    arguments: dict[str, JsonValue] = {}
    unreadable: str = ""
    """The arguments as they came, where they are no JSON object."""


class Result(_Part):
    """What came of a call."""

    call: Call
    content: str
    failed: bool = False


class Turn(_Part):
    """One answer, and what was said to it."""

    text: str
    calls: tuple[Call, ...] = ()
    said: JsonValue = None
    """The answer in the provider's own form, which some want back unchanged."""
    results: tuple[Result, ...] = ()
    """One for each call, in their order."""
    reply: str = ""
    """Words of ours; "" where there are results alone."""


def call_of(id: str, name: str, arguments: str) -> Call:  # noqa: A002
    """A call whose arguments are JSON text, which a model may have got wrong."""
    id, name = storable(id), storable(name)  # noqa: A001
    read = object_in(arguments)
    if read is not None:
        return Call(id=id, name=name, arguments=read)
    return Call(id=id, name=name, unreadable=storable(arguments))


def object_in(text: str) -> dict[str, JsonValue] | None:
    """The JSON object that a text is, {} for no text; None for all else.

    And for what could not be kept and read again: half surrogate pairs, nesting without end.
    """
    try:
        read = json.loads(text or "{}")
        json.dumps(read, ensure_ascii=False).encode()
        return read if isinstance(read, dict) and not _deeper(read, _DEEPEST) else None
    except (ValueError, RecursionError):
        return None


def storable(text: str) -> str:
    """Without half surrogate pairs, which JSON may carry and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def storable_json(value: JsonValue, deepest: int = 2 * _DEEPEST) -> JsonValue:
    """The same of all texts in it; what is nested deeper than any API's answer becomes None."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        if not deepest:
            return None
        return {storable(key): storable_json(one, deepest - 1) for key, one in value.items()}
    if isinstance(value, list):
        return [storable_json(one, deepest - 1) for one in value] if deepest else None
    return value


def _deeper(value: JsonValue, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_deeper(one, levels - 1) for one in inner)


class Fragments:
    """Calls that arrive in pieces, each piece with its place."""

    def __init__(self) -> None:
        self._parts: dict[int, dict[str, str]] = {}

    def add(self, place: int, **pieces: str | None) -> None:
        """Add to `id`, `name` or `arguments` of the call at this place.

        Some servers repeat id and name with each piece, so only the first counts.
        """
        part = self._parts.setdefault(place, {"id": "", "name": "", "arguments": ""})
        for key, piece in pieces.items():
            if key == "arguments" or not part[key]:
                part[key] += piece or ""

    def calls(self) -> tuple[Call, ...]:
        """All calls, in the order of their places."""
        made = []
        for place, part in sorted(self._parts.items()):
            made.append(call_of(part["id"] or f"call-{place}", part["name"], part["arguments"]))
        return tuple(made)


def arguments_text(call: Call) -> str:
    """The arguments as JSON text, or as they came."""
    return call.unreadable or json.dumps(call.arguments)


def as_object(arguments: object) -> dict[str, JsonValue]:
    """A plain copy of arguments that an SDK has read."""
    plain: dict[str, JsonValue] = json.loads(json.dumps(arguments)) if arguments else {}
    return plain if isinstance(arguments, Mapping) else {}
