"""`patchmark models`, and `patchmark doctor`: what is there, and what verdicts are worth here."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer
from rich.console import Console

from patchmark.options import ConfigFile, Json, Models, Repo
from patchmark.settings import Flags, make

EPILOG = (
    "Example: `patchmark doctor --repo . --models google:gemini-3.5-flash`\n\n"
    "Exit codes of `--attacks`: 0 none got through, 3 one did or an honest patch was misjudged."
)
MODELS_EPILOG = "Example: `patchmark models --json`"
Attacks = Annotated[
    bool,
    typer.Option(
        "--attacks",
        help="Instead, judge patches that try to cheat or do harm, on samples of our own: "
        "none may pass. No key; some minutes.",
    ),
]
OfAction = Annotated[
    bool,
    typer.Option(
        "--action",
        help="Instead, read the workflow files that use patchmark: permissions, secrets, pins, "
        "runner, and what a run may cost and take. With GITHUB_TOKEN, GitHub is asked for secrets.",
    ),
]
OfCluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Instead, ask the workers of this Dask scheduler what each of them has.",
    ),
]


def doctor(
    repo: Repo = None,
    models: Models = None,
    config: ConfigFile = None,
    attacks: Attacks = False,
    of_action: OfAction = False,
    cluster: OfCluster = None,
    as_json: Json = False,
) -> None:
    """Check engine, git, keys, token, configuration and disk, and say how to mend each."""
    flags = Flags(repo=repo, models=models, config=config)
    if attacks:
        from patchmark.attacks import attack_all

        raise typer.Exit(attack_all(make(flags, os.environ), as_json=as_json))
    from patchmark import action_doctor
    from patchmark.cluster import looking
    from patchmark.doctor import examine, show

    if cluster:
        found = looking.examine(cluster)
    else:
        found = (action_doctor.examine if of_action else examine)(flags, os.environ)
    if as_json:
        typer.echo(json.dumps([check.as_dict() for check in found], indent=1))
    else:
        show(found, Console())
    raise typer.Exit(max((check.exit_code for check in found), default=0))


def list_models(repo: Repo = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """List models with price, window, cutoff and whether their key is there."""
    from patchmark.listing import listing, show

    settings = make(Flags(repo=repo, config=config), os.environ)
    rows = listing(settings)
    if as_json:
        typer.echo(json.dumps([row.as_dict() for row in rows], indent=1))
    else:
        show(rows, settings, Console())
