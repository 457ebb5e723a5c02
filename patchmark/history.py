"""`patchmark history`: results over time, and whether a model drifts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from core.errors import StoreError, UsageError
from core.report import Report
from patchmark.options import Json, Out, Repo
from patchmark.secrets import redactor_for
from patchmark.shelf import USUAL, put, shelf, unfit
from reports import history
from reports.digest import digest_of
from reports.drift import drifts

app = typer.Typer(
    help="Results over time: show them with what is drift and what is noise, add a run.",
    invoke_without_command=True,
    rich_markup_mode="markdown",
)
Where = Annotated[
    str,
    typer.Option(
        "--in",
        metavar="WHERE",
        help="A folder, or `branch:NAME`: an orphan branch of the repository.",
    ),
]


@app.callback(epilog="Example: `patchmark history --in ../results`")
def show(
    context: typer.Context, where: Where = USUAL, repo: Repo = None, as_json: Json = False
) -> None:
    """Show every model's runs, and whether it changed or only its luck."""
    if context.invoked_subcommand is not None:
        return
    runs = shelf(where, repo or Path()).read()
    if as_json:
        found = {
            "runs": [run.model_dump(mode="json") for run in runs],
            "drift": [one.model_dump(mode="json") for one in drifts(runs)],
        }
        typer.echo(json.dumps(found))
    else:
        history.show(runs, Console())


@app.command(epilog="Example: `patchmark history add --out my-run --in branch:patchmark-history`")
def add(out: Out = None, where: Where = USUAL, repo: Repo = None) -> None:
    """Add the numbers of a finished run; nothing that is there is changed."""
    report = load(out or Path("patchmark-run"))
    if why := unfit(report):
        raise UsageError(f"{why}; a history holds what was measured of models")
    typer.echo(put(shelf(where, repo or Path()), digest_of(report), where))


def load(run: Path) -> Report:
    """The report of a run folder, or of a `report.json`. Raises StoreError naming the file."""
    path = run / "report.json" if run.is_dir() else run
    try:
        report = Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: no report there: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "".join(f"{part}: " for part in first["loc"])
        raise StoreError(f"{path}: not a report: {place}{first['msg']}") from error
    return redactor_for(os.environ).record(report)
