"""The demo: a sample repository of our own, and recorded answers that are fiction."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from core.git import clean_environment, git_command
from patchmark.asked import NAME
from patchmark.commands import to_report
from patchmark.options import Json, MaxTasks, Models
from patchmark.pipeline import run_all
from patchmark.settings import Flags, make

EPILOG = "Example: `patchmark demo`"
MODELS = "reference,empty,replay:careful,replay:hasty"
REPOSITORY = "sundial"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the demo; made anew.")] = Path("demo-run"),
    models: Models = None,
    max_tasks: MaxTasks = None,
    as_json: Json = False,
) -> None:
    """The main job on a small sample repository, with recorded answers: no key, no cost.

    With `--models` those are asked instead.
    """
    settings = make(prepare(out, models, max_tasks), os.environ)
    raise typer.Exit(to_report(settings, run_all, as_json=as_json))


def prepare(out: Path, models: str | None = None, max_tasks: int | None = None) -> Flags:
    """Lay out the sample repository in a fresh folder and say how to run it.

    `models` are asked instead of taking the recorded answers.

    Raises UsageError rather than removing a folder that no demo made.
    """
    if out.exists():
        if not (out / REPOSITORY / ".git").is_dir() or not (out / "run" / NAME).is_file():
            raise UsageError(f"{out} exists and is no demo's folder; give another with --out")
        shutil.rmtree(out)
    sample = Path(str(files("patchmark") / "sample"))
    repository = out / REPOSITORY
    import_history(sample / "history.fast-export", repository)
    return Flags(
        repo=repository,
        out=out / "run",
        models=models or MODELS,
        replay=None if models else sample / "exchanges",
        issues=sample / "issues.json",
        max_tasks=max_tasks or 100,
    )


def import_history(stream: Path, repository: Path) -> None:
    """Make a repository from a `git fast-export` stream and check out its main branch."""
    repository.mkdir(parents=True)
    environment = clean_environment()
    for arguments in (("init", "--quiet", "--initial-branch=main"), ("fast-import", "--quiet")):
        with stream.open("rb") as history:
            subprocess.run(
                git_command(*arguments, directory=repository),
                stdin=history,
                check=True,
                env=environment,
            )
    subprocess.run(
        git_command("checkout", "--quiet", "main", directory=repository),
        check=True,
        env=environment,
    )
