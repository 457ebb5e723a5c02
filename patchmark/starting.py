"""`patchmark demo` and `patchmark init`: the first steps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from patchmark.commands import to_report
from patchmark.options import Json, MaxTasks, Models, Repo
from patchmark.pipeline import run_all
from patchmark.settings import make

DEMO_EPILOG = "Example: `patchmark demo`"
INIT_EPILOG = "Example: `patchmark init --models anthropic:claude-opus-4-8`"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the demo; made anew.")] = Path("demo-run"),
    models: Models = None,
    max_tasks: MaxTasks = None,
    as_json: Json = False,
) -> None:
    """The main job on a small sample repository, with recorded answers: no key, no cost.

    With `--models` those are asked instead.
    """
    from patchmark.demo import prepare

    settings = make(prepare(out, models, max_tasks), os.environ)
    raise typer.Exit(to_report(settings, run_all, as_json=as_json))


def init(
    repo: Repo = None,
    models: Models = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write patchmark.toml and a workflow file for this repository."""
    from patchmark.init import write_files

    for path in write_files(repo or Path(), models, force=force):
        typer.echo(f"wrote {path}")
