"""Workflow files of a repository, read as data: which of their jobs use patchmark, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import UsageError
from models.spec import check

FOLDER = Path(".github/workflows")
LARGEST = 1_000_000
"""Bytes of a workflow file that is read."""
_OURS = re.compile(r"[\w.-]+/patchmark(?P<part>/on-command)?@\S+")
_SECRET = re.compile(r"\bsecrets\.(\w+)")
_QUOTED = re.compile(r"'([^']+)'")


@dataclass(frozen=True, kw_only=True)
class Used:
    """One step that uses patchmark, with all around it that matters."""

    where: str
    """`file: job`."""
    deciding: bool
    """Whether it is `on-command`, which holds no keys."""
    triggers: frozenset[str]
    permissions: Mapping[str, str] | str | None
    """Of the job, else of the workflow; None = whatever the repository gives."""
    inputs: Mapping[str, str]
    environment: Mapping[str, str]
    """Of workflow, job and step."""
    before: tuple[Mapping[str, Any], ...]
    """Steps of the job before this one."""
    uses: tuple[str, ...]
    """Everything that the file uses of others."""
    runner: str
    contained: bool
    """Whether the job runs in a container."""
    minutes: float | None
    """After which GitHub ends the job; None = not said."""

    def secrets(self) -> set[str]:
        """Names of the secrets that reach this step."""
        return set(_SECRET.findall(" ".join((*self.inputs.values(), *self.environment.values()))))

    def models(self) -> tuple[str, ...]:
        """Who takes part as the file says; none where it does not, or cannot be read off."""
        given = self.inputs.get("models", "")
        texts = _QUOTED.findall(given) if "${{" in given else [given]
        return tuple(
            name.strip() for text in texts for name in text.split(",") if _is_a_name(name.strip())
        )


def read_workflows(repo: Path) -> list[Used]:
    """All uses. Raises UsageError for a file that is no workflow."""
    # GitHub follows no links either.
    there = [path for path in (repo / FOLDER).glob("*.y*ml") if not path.is_symlink()]
    files = sorted(path for path in there if path.suffix in (".yml", ".yaml"))
    return [used for file in files for used in _read(file)]


def _read(path: Path) -> Iterator[Used]:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path}: too large for a workflow")
        parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    workflow = _table(parsed)
    jobs = _table(workflow.get("jobs"))
    uses = tuple(
        _text(step["uses"])
        for job in jobs.values()
        for step in (_table(job), *_steps(job))
        if "uses" in step
    )
    for name, job in jobs.items():
        for number, step in enumerate(_steps(job)):
            ours = _OURS.fullmatch(_text(step.get("uses")))
            if ours:
                where = f"{path.name}: {name}"
                yield _used(where, ours["part"] is not None, workflow, _table(job), number, uses)


def _used(
    where: str,
    deciding: bool,
    workflow: Mapping[Any, Any],
    job: Mapping[Any, Any],
    number: int,
    uses: tuple[str, ...],
) -> Used:
    steps = _steps(job)
    minutes = job.get("timeout-minutes")
    return Used(
        where=where,
        deciding=deciding,
        # YAML 1.1, which is what the library reads, takes the word `on` for a truth.
        triggers=_names(workflow.get("on", workflow.get(True))),
        permissions=_permissions(job.get("permissions", workflow.get("permissions"))),
        inputs=_texts(steps[number].get("with")),
        environment=_texts(workflow.get("env"))
        | _texts(job.get("env"))
        | _texts(steps[number].get("env")),
        before=tuple(steps[:number]),
        uses=uses,
        runner=_text(job.get("runs-on")) or "others",
        contained="container" in job,
        minutes=float(minutes) if isinstance(minutes, int | float) else None,
    )


def _permissions(given: object) -> Mapping[str, str] | str | None:
    return given if given is None or isinstance(given, str) else _texts(given)


def _names(given: object) -> frozenset[str]:
    return frozenset(map(_text, given if isinstance(given, dict | list) else [given]))


def _steps(job: object) -> list[dict[str, Any]]:
    steps = _table(job).get("steps")
    return [_table(step) for step in steps] if isinstance(steps, list) else []


def _table(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> dict[str, str]:
    """A table as GitHub hands it on: everything in it is text."""
    return {str(name): _text(item) for name, item in _table(value).items()}


def _text(value: object) -> str:
    """Of a single value; "" for a list or a table, which may be endless by its aliases."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _is_a_name(name: str) -> bool:
    try:
        check(name)
    except UsageError:
        return False
    return True
