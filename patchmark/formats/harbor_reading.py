"""Reading Harbor tasks: those that patchmark wrote, and others as far as they tell what one is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import UsageError
from patchmark.formats import harbor_foreign, rows
from patchmark.formats.base import Problem, Read, Told
from patchmark.formats.carried import restored
from patchmark.formats.names import is_name
from patchmark.formats.problem import FRAME
from patchmark.formats.reading import UnfitError, json_of, text_of

SCHEMA = "1.4"
_OLDER = ("1.0", "1.1", "1.2", "1.3")
"""What is read of others' tasks was the same in these."""
INSTRUCTION = "instruction.md"
FIX = "solution/fix.patch"
RECORD = "tests/task.json"
ROW = "tests/config.json"
"""Where tasks that were made from SWE-bench's data set keep its row."""
_SETTINGS = "task.toml"
_PLACE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


def read(path: Path) -> Read:
    """One task's folder, or a folder of such. Raises UsageError where there is none."""
    found: dict[str, Told] = {}
    problems: list[Problem] = []
    for folder in _folders(path):
        try:
            one = _told(folder)
        except UnfitError as error:
            problems.append(_problem(folder, str(error)))
            continue
        if one.name in found:
            first = found[one.name].where
            problems.append(_problem(folder, f"{one.name} stands at {first} already"))
        found.setdefault(one.name, one)
    return Read(tuple(found.values()), tuple(problems))


def _folders(path: Path) -> Iterator[Path]:
    if (path / _SETTINGS).is_file():
        yield path
        return
    try:
        inside = sorted(path.iterdir())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read as a folder: {error.strerror}") from error
    for one in inside:
        if one.is_symlink() or one.is_dir():
            yield one


def _problem(folder: Path, what: str) -> Problem:
    """With the file, and the line where it is known, as part of the place."""
    name, mark, rest = what.partition(": ")
    if mark and re.fullmatch(r"task\.toml(:\d+)?", name):
        return Problem(f"{folder / name}", rest)
    return Problem(str(folder), what)


def _told(folder: Path) -> Told:
    if folder.is_symlink():
        raise UnfitError("is a link; a folder of its own was expected")
    if not is_name(folder.resolve().name):
        raise UnfitError("the folder's name: letters, digits and . _ - were expected")
    ours = (folder / RECORD).exists()
    settings = _settings(folder)
    _check(settings, (SCHEMA,) if ours else (SCHEMA, *_OLDER))
    if ours:
        return _ours(folder)
    if (folder / ROW).exists():
        row = json_of(text_of(folder / ROW, below=folder), ROW)
        return rows.told(row, str(folder / ROW))
    return harbor_foreign.told(folder, settings)


def _settings(folder: Path) -> Mapping[str, Any]:
    text = text_of(folder / _SETTINGS, below=folder)
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = _PLACE.search(str(error))
        line = place[1] if place and place[1] else str(text.count("\n") + 1)
        what = _PLACE.sub("", str(error)).strip()
        raise UnfitError(f"{_SETTINGS}:{line}: TOML was expected: {what}") from error


def _check(settings: Mapping[str, Any], schemas: Sequence[str]) -> None:
    """What a task of another kind would not be judged by. Raises UnfitError."""
    # Harbor reads the old name, and takes a task that names none as one of today.
    version = settings.get("schema_version", settings.get("version", SCHEMA))
    if version not in schemas:
        older = f", or an older one from {_OLDER[0]!r} on," if len(schemas) > 1 else ""
        raise UnfitError(f"{_SETTINGS}: schema_version {version!r}: {SCHEMA!r}{older} was expected")
    if settings.get("steps"):
        raise UnfitError(f"{_SETTINGS}: it has steps; a task of one instruction was expected")
    environment = settings.get("environment")
    system = environment.get("os", "linux") if isinstance(environment, Mapping) else "linux"
    if not (isinstance(system, str) and system.lower() == "linux"):
        raise UnfitError(f"{_SETTINGS}: environment.os {system!r}: 'linux' was expected")


def _ours(folder: Path) -> Told:
    """A task of patchmark's: as it was exported, or as somebody has changed it since."""
    instruction, fix, record = (
        text_of(folder / name, below=folder) for name in (INSTRUCTION, FIX, RECORD)
    )
    found = json_of(record, RECORD)
    if not isinstance(found, dict):
        raise UnfitError(f"{RECORD}: an object was expected")
    return Told(
        where=str(folder),
        name=folder.resolve().name,
        repository=_repository(folder),
        base_commit=_text(found, "base_commit"),
        gold_patch=fix,
        test_patch=_text(found, "test_patch"),
        statement=instruction.removeprefix(FRAME),
        fail_to_pass=rows.tests_of(found.get("fail_to_pass"), f"{RECORD}: fail_to_pass"),
        pass_to_pass=rows.tests_of(found.get("pass_to_pass"), f"{RECORD}: pass_to_pass"),
        task=restored(record, {INSTRUCTION: instruction, FIX: fix}),
    )


def _repository(folder: Path) -> str:
    metadata = _settings(folder).get("metadata")
    found = metadata.get("repository", "") if isinstance(metadata, Mapping) else ""
    return found if isinstance(found, str) else ""


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        raise UnfitError(f"{RECORD}: {name}: text was expected")
    return value
