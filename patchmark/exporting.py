"""`patchmark export`: the tasks of a run in a format of others."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from core.types import Task
from patchmark import imported
from patchmark.commands import errors, known
from patchmark.formats.base import Format, Problem, Source
from patchmark.formats.names import name_of
from patchmark.formats.registry import FORMATS
from patchmark.options import Out, Repo
from patchmark.progress import Show
from patchmark.run import Run, opened
from patchmark.settings import Flags
from patchmark.sources import name_of as repository_name
from reports.numbers import counted

LEFT_OUT = 7
"""Exit code where some of it could not be written or read; each is named."""
CODE = f"Exit code {LEFT_OUT}: something was left out, each named; the rest is there."
EPILOG = "Example: `patchmark export --out my-run --format swebench --to tasks.jsonl`"


def listed(direction: str) -> str:
    """The formats that go one way, for `--help`."""
    ways = {name: getattr(one, direction) for name, one in FORMATS.items()}
    return "; ".join(f"`{name}`: {FORMATS[name].about}" for name, way in ways.items() if way)


def format_named(name: str, direction: str) -> Format:
    """The format. Raises UsageError for one that does not exist, or does not go this way."""
    found = FORMATS.get(name)
    if found is None or getattr(found, direction) is None:
        able = ", ".join(n for n, one in FORMATS.items() if getattr(one, direction))
        raise UsageError(f"--format {name}: one of {able} was expected")
    return found


def complain(problems: Sequence[Problem]) -> None:
    """Name all that was left out."""
    for problem in problems:
        errors().print(f"patchmark: {problem}", markup=False, highlight=False, soft_wrap=True)


def say(problems: Sequence[Problem], done: str) -> int:
    """Print what is done and what was left out; returns the exit code."""
    complain(problems)
    sys.stdout.write(f"{done}\n")
    return LEFT_OUT if problems else 0


def export(
    format_name: Annotated[str, typer.Option("--format", metavar="NAME", help=listed("write"))],
    to: Annotated[Path, typer.Option(metavar="PATH", help="A new file or folder.")],
    out: Out = None,
    repo: Repo = None,
) -> None:
    """Write a run's tasks, or its patches, in a format of others."""
    one = format_named(format_name, "write")
    if to.exists() and not (to.is_dir() and not any(to.iterdir())):
        raise UsageError(f"--to {to}: is there already; name a new file or folder")
    settings = known(Flags(out=out, repo=repo))
    if not settings.out.is_dir():
        raise UsageError(f"{settings.out}: no such run folder")
    with opened(settings, lambda budget: Show(errors(), lambda: budget.spent)) as run:
        source = _source(run)
        problems = one.write(source, to) if one.write else []
    raise typer.Exit(say(problems, f"{to}: {counted(len(source.tasks), 'task')} as {one.name}"))


def _source(run: Run) -> Source:
    tasks = run.all_tasks()
    if not tasks:
        raise UsageError(
            f"{run.folder.path}: holds no proven task; `patchmark validate` makes them"
        )
    repository = repository_name(run.repository, run.settings.repo)
    return Source(
        repository=repository,
        clone=run.repository,
        tasks=tasks,
        patches=tuple(run.patches().values()),
        names=names_of(run.folder.path, repository, tasks),
        kept=kept_of(run.folder.path),
        engine=lambda: run.engine,
    )


def names_of(folder: Path, repository: str, tasks: Iterable[Task]) -> dict[str, str]:
    """What others call the tasks: as they were called when imported, else by our ids."""
    before = imported.read(folder)
    given = {id_: claim.name for id_, claim in before.tasks.items()} if before else {}
    return {task.id: given.get(task.id) or name_of(repository, task) for task in tasks}


def kept_of(folder: Path) -> dict[str, dict[str, str]]:
    """What a task was imported with and has no field for, by its id."""
    before = imported.read(folder)
    return {id_: claim.kept for id_, claim in before.tasks.items()} if before else {}
