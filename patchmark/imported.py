"""`imported.json`: what the files said of a run folder's tasks, where these were mined elsewhere.

Nothing in it decides anything. It gives tasks the names that others know them by, and lets a
reader see which of their tests could not be confirmed here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import StoreError
from core.redact import Redactor
from core.types import Task
from patchmark.formats.harness import names_in_logs

NAME = "imported.json"
_SHOWN = 3


class Claim(BaseModel):
    """What a file said of one task."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """What others call it."""
    where: str
    """The file, and the line in it."""
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    kept: dict[str, str] = Field(default_factory=dict)
    """Fields of the file that no task has."""


class Imported(BaseModel):
    """All of them, by the ids that they have here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: dict[str, Claim] = Field(default_factory=dict)


def read(folder: Path) -> Imported | None:
    """What was imported into a run folder, None where nothing was. Raises StoreError."""
    path = folder / NAME
    try:
        return Imported.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise StoreError(f"{path}: cannot be read: {error}") from error


def write(folder: Path, imported: Imported, redactor: Redactor) -> None:
    """Keep it. Raises StoreError."""
    path = folder / NAME
    unfinished = path.with_name(f"{NAME}.new")
    try:
        text = redactor.record(imported).model_dump_json(indent=1)
        unfinished.write_text(f"{text}\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error


def together(folders: Iterable[Path], out: Path, redactor: Redactor) -> None:
    """Keep for `out` what was imported into all of these. Raises StoreError."""
    every = [one for folder in folders if (one := read(folder)) is not None]
    if every:
        claims = {id_: claim for one in every for id_, claim in one.tasks.items()}
        write(out, Imported(tasks=claims), redactor)


def unconfirmed(folder: Path, tasks: Iterable[Task]) -> tuple[str, ...]:
    """Which tests of the files do not do here what the files say, a sentence a task."""
    imported = read(folder)
    claims: Mapping[str, Claim] = imported.tasks if imported else {}
    sentences = (_sentence(claims[task.id], task) for task in tasks if task.id in claims)
    return tuple(sentence for sentence in sentences if sentence)


def _sentence(claim: Claim, task: Task) -> str:
    called = names_in_logs(task.results)
    fixed = {name for test in task.fail_to_pass for name in (test, *called(test))}
    kept = {name for test in task.pass_to_pass for name in (test, *called(test))}
    parts = [
        _missing("FAIL_TO_PASS", claim.fail_to_pass, fixed),
        _missing("PASS_TO_PASS", claim.pass_to_pass, fixed | kept),
    ]
    found = " and ".join(part for part in parts if part)
    if not found:
        return ""
    return f"Of {claim.name}, {found} could not be confirmed here; what was proven here counts."


def _missing(kind: str, told: tuple[str, ...], proven: Collection[str]) -> str:
    missing = [test for test in told if test not in proven]
    if not missing:
        return ""
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return f"{len(missing)} of {len(told)} {kind} ({', '.join(missing[:_SHOWN])}{more})"
