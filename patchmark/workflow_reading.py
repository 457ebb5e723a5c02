"""Workflow files of a repository, read as data: which of their jobs use patchmark, and how."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from core.errors import UsageError
from models.spec import check
from patchmark.workflow_values import Given, named

FOLDER = Path(".github/workflows")
LARGEST = 1_000_000
"""Bytes of a workflow file that is read."""
DECIDES, POSTS = "on-command", "post"
TWICE = "change-check"
"""The command that asks everybody twice."""
_OURS = re.compile(
    rf"[\w.-]+/[\w.-]*patchmark[\w.-]*(?:/(?P<part>{DECIDES}|{POSTS}))?@\S+", re.IGNORECASE
)
_SECRET = re.compile(r"\bsecrets\.(\w+)")
_QUOTED = re.compile(r"'([^']+)'")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A job that calls one of the repository's own workflows."""

    where: str
    file: str
    """The called one's name in `.github/workflows`."""
    triggers: frozenset[str]
    permissions: Mapping[str, str] | str | None
    secrets: frozenset[str] | None
    """Names that are handed on; None = all of them."""


@dataclass(frozen=True, kw_only=True)
class Used:
    """One step that uses patchmark, with all around it that matters."""

    file: str
    where: str
    """`file: job`."""
    part: str
    """`""` for patchmark itself, else which of its other actions."""
    triggers: frozenset[str]
    """Those of workflows that call this one as well."""
    permissions: Mapping[str, str] | str | None
    """Of the job, else of the workflow; None = whatever the repository gives."""
    inputs: Mapping[str, str]
    """As written."""
    given: Given
    """What expressions come to, as far as the file tells."""
    environment: Mapping[str, str]
    """Of workflow, job and step."""
    before: tuple[Mapping[str, Any], ...]
    """Steps of the job before this one."""
    steps: tuple[Mapping[str, Any], ...]
    """All of them."""
    uses: tuple[str, ...]
    """Everything that the file uses of others."""
    after: tuple[str, ...]
    """Names of the workflows whose end starts this one."""
    runner: str
    contained: bool
    """Whether the job runs in a container."""
    minutes: float | None
    """After which GitHub ends the job; None = not said."""
    one_at_a_time: bool
    """Whether the job or its workflow is in a concurrency group."""
    jobs: int | None
    """How many the matrix makes of it, 1 without one; None = known when it runs."""
    shards: int | None
    """How many jobs share one run; 1 = it is not shared, None = known when it runs."""
    callers: tuple[Caller, ...] = field(default=())

    @property
    def command(self) -> str:
        """What patchmark itself is to do, as `run`, else the name of the other action."""
        return self.part or self.inputs.get("command") or "run"

    @property
    def sharded(self) -> bool:
        """Whether it is one of the jobs that share a run."""
        return bool(self.inputs.get("shard"))

    @property
    def asks_models(self) -> bool:
        """Whether anything is paid for here."""
        return self.command in ("run", "live", TWICE)

    def value(self, name: str) -> str:
        """An input, with the default of the workflow's own input where it is that."""
        return self.given.value(self.inputs.get(name, ""))

    def secrets(self) -> set[str]:
        """Names of the secrets that reach this step."""
        return set(_SECRET.findall(" ".join((*self.inputs.values(), *self.environment.values()))))

    def models(self) -> tuple[str, ...]:
        """Who takes part as the file says; none where it does not, or cannot be read off."""
        given = self.value("models")
        texts = _QUOTED.findall(given) if "${{" in given else [given]
        return tuple(
            name.strip() for text in texts for name in text.split(",") if _is_a_name(name.strip())
        )


def read_workflows(repo: Path) -> tuple[list[Used], set[str]]:
    """All uses, and what all workflows are called, which is how one waits for another.

    Raises UsageError for a file that is no workflow.
    """
    # GitHub follows no links either.
    there = [path for path in (repo / FOLDER).glob("*.y*ml") if not path.is_symlink()]
    files = sorted(path for path in there if path.suffix in (".yml", ".yaml"))
    parsed = {path.name: _parsed(path) for path in files}
    callers = [caller for name, workflow in parsed.items() for caller in _callers(name, workflow)]
    found = [used for name, workflow in parsed.items() for used in _uses(name, workflow)]
    names = {_text(workflow.get("name")) for workflow in parsed.values()}
    return [_called(used, callers) for used in found], names


def _called(used: Used, callers: list[Caller]) -> Used:
    ours = tuple(caller for caller in callers if caller.file == used.file)
    triggers = used.triggers.union(*(caller.triggers for caller in ours))
    return replace(used, callers=ours, triggers=triggers)


def _parsed(path: Path) -> dict[Any, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path}: too large for a workflow")
        return _table(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error


def _callers(file: str, workflow: Mapping[Any, Any]) -> Iterator[Caller]:
    for name, job in _table(workflow.get("jobs")).items():
        called = _text(_table(job).get("uses"))
        if called.startswith(f"./{FOLDER}/"):
            secrets = _table(job).get("secrets")
            yield Caller(
                where=f"{file}: {name}",
                file=called.rpartition("/")[2],
                triggers=_names(_on(workflow)),
                permissions=_permissions(job.get("permissions", workflow.get("permissions"))),
                secrets=None if secrets == "inherit" else frozenset(_texts(secrets)),
            )


def _uses(file: str, workflow: Mapping[Any, Any]) -> Iterator[Used]:
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
                yield _used(
                    (file, f"{file}: {name}", ours["part"] or ""), workflow, job, number, uses
                )


def _used(
    called: tuple[str, str, str],
    workflow: Mapping[Any, Any],
    job: Mapping[Any, Any],
    number: int,
    uses: tuple[str, ...],
) -> Used:
    steps = _steps(job)
    minutes = job.get("timeout-minutes")
    on = _on(workflow)
    given = Given.of(on)
    inputs = _texts(steps[number].get("with"))
    jobs = _jobs(job)
    return Used(
        file=called[0],
        where=called[1],
        part=called[2],
        triggers=_names(on),
        permissions=_permissions(job.get("permissions", workflow.get("permissions"))),
        inputs=inputs,
        given=given,
        environment=_texts(workflow.get("env"))
        | _texts(job.get("env"))
        | _texts(steps[number].get("env")),
        before=tuple(steps[:number]),
        steps=tuple(steps),
        uses=uses,
        after=tuple(named(_table(_table(on).get("workflow_run")).get("workflows"))),
        runner=", ".join(named(job.get("runs-on"))) or "others",
        contained="container" in job,
        minutes=float(minutes) if isinstance(minutes, int | float) else None,
        one_at_a_time="concurrency" in job or "concurrency" in workflow,
        jobs=jobs,
        shards=_shards(inputs, jobs, workflow, given),
    )


def _jobs(job: Mapping[Any, Any]) -> int | None:
    """How many jobs a matrix of lists makes; what it excludes apart."""
    if "strategy" not in job:
        return 1
    matrix = _table(job["strategy"]).get("matrix")
    if not isinstance(matrix, dict):
        return 1 if matrix is None else None
    axes = [values for name, values in matrix.items() if name not in ("include", "exclude")]
    if not all(isinstance(values, list) for values in (*axes, matrix.get("include", []))):
        return None
    return math.prod(map(len, axes)) if axes else len(matrix.get("include", []))


def _shards(
    inputs: Mapping[str, str], jobs: int | None, workflow: Mapping[Any, Any], given: Given
) -> int | None:
    """By `shard: K/N`, by the job's matrix, or by what `plan` is told in the same file."""
    shard = inputs.get("shard", "")
    if not shard:
        return 1
    if of := re.search(r"/\s*(\d{1,4})$", shard):
        return int(of[1])
    if jobs is not None:
        return jobs
    steps = [step for job in _table(workflow.get("jobs")).values() for step in _steps(job)]
    told = [_texts(step.get("with")) for step in steps]
    plans = [given.value(one.get("shards", "")) for one in told if one.get("command") == "plan"]
    return next((int(text) for text in plans if re.fullmatch(r"[1-9]\d{0,3}", text)), None)


def _on(workflow: Mapping[Any, Any]) -> object:
    # YAML 1.1, which is what the library reads, takes the word `on` for a truth.
    return workflow.get("on", workflow.get(True))


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
