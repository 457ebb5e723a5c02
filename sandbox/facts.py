"""A commit's files, as the search for its recipe reads them."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import yaml

from core.errors import RepositoryError
from core.git import Repository
from sandbox.recipe import EnvironmentSettings

Reader = Callable[[str], str | None]


@dataclass(frozen=True)
class Facts:
    """One commit: what lies in it, when it was made, and what a person decided."""

    names: frozenset[str]
    read: Reader
    committed_at: datetime
    settings: EnvironmentSettings = field(default_factory=EnvironmentSettings)
    release: str = "0.0.0"
    """The last release's number."""

    def has(self, path: str) -> bool:
        """Whether the commit holds this file."""
        return path in self.names

    def text(self, path: str) -> str:
        """A file's text, empty where there is no such file."""
        return (self.read(path) if path in self.names else None) or ""

    def toml(self, path: str) -> dict[str, Any]:
        """A TOML file, empty where it is none."""
        try:
            return tomllib.loads(self.text(path))
        except tomllib.TOMLDecodeError:
            return {}

    def json(self, path: str) -> dict[str, Any]:
        """A JSON object, empty where it is none."""
        try:
            found = json.loads(self.text(path) or "{}")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def yaml(self, path: str) -> dict[str, Any]:
        """A YAML mapping, empty where it is none."""
        try:
            found = yaml.safe_load(self.text(path))
        except (yaml.YAMLError, RecursionError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def ini(self, path: str) -> configparser.RawConfigParser:
        """An INI file, empty where it is none."""
        return ini(self.text(path))

    def named(self, *names: str) -> list[str]:
        """Paths of files with one of these names, those nearest to the root first."""
        found = [path for path in self.names if PurePosixPath(path).name in names]
        return sorted(found, key=lambda path: (path.count("/"), path))

    @cached_property
    def suffixes(self) -> dict[str, int]:
        """How many files have each suffix."""
        counts: dict[str, int] = {}
        for path in self.names:
            suffix = PurePosixPath(path).suffix
            counts[suffix] = counts.get(suffix, 0) + 1
        return counts

    def count(self, suffixes: Iterable[str]) -> int:
        """How many files have one of these suffixes."""
        return sum(self.suffixes.get(suffix, 0) for suffix in suffixes)


def ini(text: str) -> configparser.RawConfigParser:
    """The text of an INI file, empty where it is none."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return configparser.RawConfigParser()
    return parser


def table(toml: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A table inside a table, empty where something else stands in its place."""
    for key in keys:
        inner = toml.get(key)
        toml = inner if isinstance(inner, dict) else {}
    return toml


def tables(value: object) -> list[dict[str, Any]]:
    """The mappings of a list; empty for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def strings(value: object) -> list[str]:
    """The strings of a list, or a single one; empty for anything else."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def release_at(repository: Repository, commit: str) -> str:
    """The last release's number at a commit, as tags tell; `0.0.0` without tags."""
    try:
        tag = repository.text("describe", "--tags", "--abbrev=0", commit)
    except RepositoryError:
        return "0.0.0"
    found = re.search(r"\d+(\.\d+)+", tag)
    return found.group(0) if found else "0.0.0"
