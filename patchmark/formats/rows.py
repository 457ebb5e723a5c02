"""SWE-bench rows as JSON Lines, one task a line, with the fields of the published data set."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import RepositoryError
from core.types import Task
from patchmark.formats.base import Format, Problem, Read, Source, Told
from patchmark.formats.carried import EXTRA, carried, restored
from patchmark.formats.names import full_slug, is_name
from patchmark.formats.problem import problem_statement
from patchmark.formats.reading import UnfitError, json_of, line_json, lines_of, whole
from patchmark.formats.writing import new_file

Row = dict[str, str]
COLUMNS = (
    "repo", "instance_id", "base_commit", "patch", "test_patch", "problem_statement",
    "hints_text", "created_at", "version", "FAIL_TO_PASS", "PASS_TO_PASS",
    "environment_setup_commit", EXTRA,
)  # fmt: skip
NEEDED = (
    "repo", "instance_id", "base_commit", "patch", "test_patch", "problem_statement",
    "FAIL_TO_PASS", "PASS_TO_PASS",
)  # fmt: skip
KEPT = ("hints_text", "version", "environment_setup_commit")
"""Fields that say nothing to patchmark; of an imported row they come back."""


def row_of(source: Source, task: Task) -> Row:
    """The row of a task. Its extra column holds what has no column."""
    kept = source.kept.get(task.id, {})
    row = {
        "repo": full_slug(source.repository),
        "instance_id": source.names[task.id],
        "base_commit": task.base_commit,
        "patch": task.gold_patch,
        "test_patch": task.test_patch,
        "problem_statement": problem_statement(task),
        "hints_text": "",
        "created_at": task.committed_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "version": version_of(source, task),
        "FAIL_TO_PASS": json.dumps(task.fail_to_pass, ensure_ascii=False),
        "PASS_TO_PASS": json.dumps(task.pass_to_pass, ensure_ascii=False),
        "environment_setup_commit": task.base_commit,
        **{name: kept[name] for name in KEPT if name in kept},
    }
    return {**row, EXTRA: carried(task, elsewhere(row))}


def elsewhere(row: Mapping[str, str]) -> dict[str, str]:
    """What of a task stands in the plain columns, by its own names where it has such."""
    own = {"patch": "gold_patch"}
    return {own.get(name, name): row[name] for name in COLUMNS if name in row and name != EXTRA}


def version_of(source: Source, task: Task) -> str:
    """The last release at the base commit, by its tag; `0.0` without tags."""
    try:
        tag = source.clone.text("describe", "--tags", "--abbrev=0", task.base_commit)
    except RepositoryError:
        return "0.0"
    found = re.search(r"\d+(?:\.\d+)+", tag)
    return found.group(0) if found else "0.0"


def told(row: object, where: str) -> Told:
    """The task of a row. Columns that nobody here knows are passed over. Raises UnfitError."""
    if not isinstance(row, Mapping):
        raise UnfitError("an object with the columns of SWE-bench was expected")
    missing = [name for name in NEEDED if row.get(name) is None]
    if missing:
        raise UnfitError(f"it lacks {', '.join(missing)}")
    texts = {name: _text(row, name) for name in COLUMNS if row.get(name) is not None}
    if not is_name(texts["instance_id"]):
        name = texts["instance_id"][:80]
        raise UnfitError(f"instance_id {name!r}: letters, digits and . _ - were expected")
    return Told(
        where=where,
        name=texts["instance_id"],
        repository=texts["repo"],
        base_commit=texts["base_commit"],
        gold_patch=texts["patch"],
        test_patch=texts["test_patch"],
        statement=texts["problem_statement"],
        created_at=_day(texts.get("created_at", "")),
        fail_to_pass=tests_of(row["FAIL_TO_PASS"], "FAIL_TO_PASS"),
        pass_to_pass=tests_of(row["PASS_TO_PASS"], "PASS_TO_PASS"),
        kept={name: texts[name] for name in KEPT if texts.get(name)},
        task=restored(texts[EXTRA], elsewhere(texts)) if EXTRA in texts else None,
    )


def tests_of(value: object, name: str) -> tuple[str, ...]:
    """A list of tests, or such a list as a JSON string. Raises UnfitError."""
    found = json_of(value, name) if isinstance(value, str) else value
    if not isinstance(found, Sequence) or not all(isinstance(test, str) for test in found):
        raise UnfitError(f"{name}: a list of names was expected, or its JSON as a string")
    if isinstance(found, str):
        raise UnfitError(f"{name}: a list of names was expected, not one string")
    return tuple(whole(test) for test in found)


def gathered(rows: Iterable[tuple[str, Callable[[], Any]]]) -> Read:
    """All rows that are fit, and what is wrong with the others. Of equal names the first counts."""
    found: dict[str, Told] = {}
    problems: list[Problem] = []
    for where, row in rows:
        try:
            one = told(row(), where)
        except UnfitError as error:
            problems.append(Problem(where, str(error)))
            continue
        if one.name in found:
            first = found[one.name].where
            problems.append(Problem(where, f"{one.name} stands at {first} already"))
        found.setdefault(one.name, one)
    return Read(tuple(found.values()), tuple(problems))


def _text(row: Mapping[str, object], name: str) -> str:
    value = row[name]
    if name in ("FAIL_TO_PASS", "PASS_TO_PASS"):
        return whole(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int | float) and name in ("version", "created_at"):
        return str(value)
    raise UnfitError(f"{name}: text was expected, not {type(value).__name__}")


def _day(text: str) -> datetime | None:
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        return None
    return day if day.tzinfo else day.replace(tzinfo=UTC)


def write(source: Source, to: Path) -> list[Problem]:
    """One line a task."""
    rows = (json.dumps(row_of(source, task), ensure_ascii=False) for task in source.tasks)
    new_file(to, "".join(f"{row}\n" for row in rows))
    return []


def read(path: Path) -> Read:
    """All lines of a file."""
    return gathered(
        (f"{path}:{number}", lambda line=line, number=number: line_json(line, number))  # type: ignore[misc]
        for number, line in lines_of(path)
    )


FORMAT = Format(
    name="swebench",
    about="SWE-bench rows, a JSON object a line",
    write=write,
    read=read,
)
