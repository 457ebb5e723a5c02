"""The versions that a lock file pins, whichever tool wrote it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from sandbox.facts import Facts, table, tables

_TOML_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
_LOCAL = {"editable", "virtual", "directory", "path", "git"}


def pins(facts: Facts) -> tuple[str, ...]:
    """`name==version` of each locked package, sorted; empty without a lock.

    A package locked in several versions (one for each platform or Python) is left to the
    resolver, which knows by date.
    """
    versions: dict[str, set[str]] = defaultdict(set)
    for name, version in _locked(facts):
        versions[re.sub(r"[-_.]+", "-", name).lower()].add(version)
    return tuple(
        f"{name}=={found.copy().pop()}"
        for name, found in sorted(versions.items())
        if len(found) == 1
    )


def _locked(facts: Facts) -> Iterator[tuple[str, str]]:
    lock = next((name for name in _TOML_LOCKS if facts.has(name)), None)
    if lock is None:
        yield from _pipenv(facts.json("Pipfile.lock"))
        return
    toml = facts.toml(lock)
    for package in tables(toml.get("package")) or tables(toml.get("packages")):
        name, version = package.get("name"), package.get("version")
        if isinstance(name, str) and isinstance(version, str) and not _is_local(package):
            yield name, version


def _is_local(package: dict[str, Any]) -> bool:
    source = package.get("source")
    kinds = set(source) | {str(source.get("type"))} if isinstance(source, dict) else set()
    return bool(kinds & _LOCAL)


def _pipenv(lock: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for section in ("default", "develop"):
        for name, package in table(lock, section).items():
            version = package.get("version") if isinstance(package, dict) else None
            if isinstance(version, str) and version.startswith("=="):
                yield name, version.removeprefix("==")
