"""Manifests that hold the settings of a test runner among other things, by what changed.

The miner asks it where a change belongs, and so does the supervisor inside of a container,
which is given this file: standard library only, and no newer Python than 3.9.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Callable, Iterator
from enum import IntEnum
from pathlib import PurePosixPath
from typing import Any

try:
    import tomllib
except ImportError:  # In a container, below Python 3.11.
    tomllib = None  # type: ignore[assignment]

_LONGEST = 1_000_000
"""Characters of a manifest that are read."""

Key = tuple[str, ...]
Settings = dict[Key, object]


class Steers(IntEnum):
    """What a change of a file does to the run of the tests."""

    NOTHING = 0
    ALSO = 1
    """Among other things: it cannot be left to the tests alone."""
    ALONE = 2


_TABLES: dict[str, frozenset[Key]] = {
    "pyproject.toml": frozenset(
        {
            ("tool", "pytest"), ("tool", "coverage"), ("tool", "tox"), ("tool", "nox"),
            ("dependency-groups", "test"), ("dependency-groups", "tests"),
            ("project", "optional-dependencies", "test"),
            ("project", "optional-dependencies", "tests"),
            ("project", "optional-dependencies", "testing"),
            ("tool", "hatch", "envs", "test"), ("tool", "hatch", "envs", "hatch-test"),
            ("tool", "poetry", "group", "test"), ("project", "entry-points", "pytest11"),
        }
    ),
    "setup.cfg": frozenset(
        {
            ("tool:pytest",), ("pytest",), ("coverage:run",), ("coverage:report",),
            ("coverage:paths",), ("aliases", "test"), ("nosetests",), ("unittest",), ("tox",),
            ("tox:tox",), ("testenv",),
        }
    ),
    "package.json": frozenset(
        {
            ("jest",), ("vitest",), ("mocha",), ("ava",), ("nyc",), ("c8",), ("tap",), ("karma",),
            ("babel",),
            ("scripts", "test"), ("scripts", "pretest"), ("scripts", "posttest"),
        }
    ),
    "cargo.toml": frozenset(
        {
            ("test",), ("dev-dependencies",), ("profile", "test"), ("lib", "test"),
            ("lib", "harness"), ("package", "autotests"), ("package", "build"),
        }
    ),
}  # fmt: skip
NAMES = frozenset(_TABLES)
"""Of such manifests, in lower case."""


def steering(path: str, before: str | None, after: str | None) -> Steers | None:
    """What a manifest's change does; None for other files, and for what cannot be read."""
    name = PurePosixPath(path).name.lower()
    if name not in _TABLES or (before is None and after is None):
        return None
    try:
        old, new = _settings(name, before), _settings(name, after)
    except (ValueError, RecursionError, configparser.Error):
        return None
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    of_tests = {key for key in changed if _of_tests(key, _TABLES[name])}
    if not of_tests:
        return Steers.NOTHING
    return Steers.ALONE if of_tests == changed else Steers.ALSO


def _of_tests(key: Key, tables: frozenset[Key]) -> bool:
    # `scripts.test:unit` is as good as `scripts.test`.
    plain = tuple(part.partition(":")[0] if key[0] == "scripts" else part for part in key)
    return any(plain[:length] in tables for length in range(1, len(plain) + 1))


def _settings(name: str, text: str | None) -> Settings:
    if text is None:
        return {}
    if len(text) > _LONGEST:
        raise ValueError(f"{name} is too long to be read")
    return dict(_flat((), _READ[PurePosixPath(name).suffix](text)))


def _flat(above: Key, value: object) -> Iterator[tuple[Key, object]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat((*above, str(name)), inner)
    else:
        yield above, value


def _of_cfg(text: str) -> object:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _of_toml(text: str) -> Any:
    if tomllib is None:
        raise ValueError("this Python cannot read TOML")
    return tomllib.loads(text)


_READ: dict[str, Callable[[str], object]] = {
    ".toml": _of_toml,
    ".json": json.loads,
    ".cfg": _of_cfg,
}
