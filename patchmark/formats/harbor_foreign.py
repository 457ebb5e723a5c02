"""Harbor tasks of others, as far as they tell what a task is: a commit, and two git diffs.

Scripts are read for the diffs in them, and never run: what they would do, nobody can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from patchmark.formats.base import Told
from patchmark.formats.reading import UnfitError, text_of

# Line by line and word by word, so that no text takes more time than it is long.
_HERE = re.compile(r"<<-?[ \t]*['\"]?(\w+)")
_DIFF = re.compile(r"^diff --git .*", re.DOTALL | re.MULTILINE)
_COMMANDS = re.compile(r"[;&|\n]+")
_SHA = re.compile(r"[0-9a-f]{40}")
_ADDRESS = re.compile(r"\S+[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?")
_GOES_TO = {"checkout", "reset", "switch"}
_LONGEST_ADDRESS = 300
_COMMITS = ("base_commit", "base_sha", "commit")
_REPOSITORIES = ("repo", "repository")


def told(folder: Path, settings: Mapping[str, Any]) -> Told:
    """What a folder tells. Raises UnfitError, naming all that it does not."""
    recipe = _text(folder / "environment" / "Dockerfile", folder)
    found = {
        "which commit it starts from": _commit(settings, recipe),
        "its fix as a git diff below solution/": _diff(folder, "solution"),
        "its tests as a git diff below tests/": _diff(folder, "tests"),
    }
    if missing := [what for what, value in found.items() if not value]:
        raise UnfitError(
            f"it does not tell {', nor '.join(missing)}; scripts are not run to find out, and a "
            "number that the tested code can write is no verdict"
        )
    commit, fix, tests = found.values()
    return Told(
        where=str(folder),
        name=folder.resolve().name,
        repository=_named(settings, _REPOSITORIES) or _cloned(recipe),
        base_commit=commit,
        gold_patch=fix,
        test_patch=tests,
        statement=text_of(folder / "instruction.md", below=folder),
    )


def _commit(settings: Mapping[str, Any], recipe: str) -> str:
    """As the metadata say, else the one that the environment checks out."""
    found = {
        word
        for words in _git(recipe)
        if not _GOES_TO.isdisjoint(words)
        for word in words
        if _SHA.fullmatch(word)
    }
    return _named(settings, _COMMITS) or (found.pop() if len(found) == 1 else "")


def _cloned(recipe: str) -> str:
    """`owner/name` of the first address that is cloned, empty where none is."""
    words = (word for words in _git(recipe) if "clone" in words for word in words)
    addresses = (_ADDRESS.fullmatch(word) for word in words if len(word) < _LONGEST_ADDRESS)
    return next((found[1] for found in addresses if found), "")


def _git(recipe: str) -> Iterator[list[str]]:
    """The words of each command that calls git."""
    commands = (command.split() for command in _COMMANDS.split(recipe))
    return (words for words in commands if "git" in words)


def _named(settings: Mapping[str, Any], names: tuple[str, ...]) -> str:
    metadata = settings.get("metadata")
    values = (metadata.get(name) for name in names) if isinstance(metadata, Mapping) else ()
    return next((value for value in values if isinstance(value, str)), "")


def _diff(folder: Path, part: str) -> str:
    """The one diff of a part; empty where there is none. Raises UnfitError for several."""
    found = [*dict.fromkeys(_diffs(folder, part))]
    if len(found) > 1:
        raise UnfitError(f"{part}/ holds {len(found)} different git diffs; one was expected")
    return found[0] if found else ""


def _diffs(folder: Path, part: str) -> Iterator[str]:
    """In files of their own, else in what scripts hold."""
    try:
        names = sorted(path.name for path in (folder / part).iterdir())
    except OSError:
        return
    plain = [name for name in names if name.endswith((".patch", ".diff"))]
    for name in plain:
        yield from _DIFF.findall(text_of(folder / part / name, below=folder))
    for name in names if not plain else ():
        if name.endswith(".sh"):
            script = text_of(folder / part / name, below=folder)
            for body in _bodies(script):
                yield from _DIFF.findall(body)


def _bodies(script: str) -> Iterator[str]:
    """What a script hands to its commands as text of its own."""
    lines = iter(script.splitlines(keepends=True))
    for line in lines:
        if opened := _HERE.search(line):
            body: list[str] = []
            for inner in lines:
                if inner.strip() == opened[1]:
                    yield "".join(body)
                    break
                body.append(inner)


def _text(path: Path, folder: Path) -> str:
    return text_of(path, below=folder) if path.exists() else ""
