"""`patchmark env`: what keeps a repository's past from being built and tested."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.console import Console

from patchmark.commands import CODES, errors
from patchmark.environments import (
    DEFAULT_COMMITS,
    DEFAULT_YEARS,
    show,
    spread,
    try_and_repair,
    write_down,
)
from patchmark.environments import (
    as_json as environments_json,
)
from patchmark.options import Budget, ConfigFile, Json, Out, Repo, Workers
from patchmark.progress import Show
from patchmark.run import opened
from patchmark.settings import Flags, make

EPILOG = f"Example: `patchmark env --repo . --commits 10 --years 5`\n\n{CODES}"


def env(
    repo: Repo = None,
    out: Out = None,
    commits: Annotated[
        int, typer.Option(min=0, help="Historical commits to try besides HEAD.")
    ] = DEFAULT_COMMITS,
    years: Annotated[
        float, typer.Option(min=0.1, help="How far back they are spread.")
    ] = DEFAULT_YEARS,
    write: Annotated[bool, typer.Option(help="Write what was learned into patchmark.toml.")] = True,
    repair_with: Annotated[
        str | None,
        typer.Option(help="A model that may find out what detection could not; costs money."),
    ] = None,
    budget_usd: Budget = None,
    config: ConfigFile = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Try to build and test HEAD and a spread of its past; say what keeps the rest from running."""
    flags = Flags(repo=repo, out=out, budget_usd=budget_usd, config=config, workers=workers)
    settings = make(flags, os.environ)
    with opened(settings, lambda budget: Show(errors(), lambda: budget.spent)) as going:
        tried = spread(going.repository, commits, years)
        found, repaired = try_and_repair(going, tried, repair_with)
        learned = write_down(found, settings.repo, repaired) if write else ""
    if as_json:
        typer.echo(environments_json(found))
    else:
        show(found, Console())
    if learned:
        errors().print(learned, markup=False, highlight=False, soft_wrap=True)
