"""`patchmark compare`: two finished runs, paired by task."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.errors import UsageError
from patchmark.history import load
from patchmark.options import Json
from reports.across import across, text
from reports.analysis import MARGIN

EPILOG = "Example: `patchmark compare last-week/ this-week/`"


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", help="Run folder or report.json.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", help="The later of the two.")],
    margin: Annotated[
        float, typer.Option(help="How much worse is still as good: a share between 0 and 1.")
    ] = MARGIN,
    as_json: Json = False,
) -> None:
    """Say what changed from one run to another, on the tasks that both have."""
    if not 0 < margin < 1:
        raise UsageError(f"--margin {margin}: is a share, more than 0 and less than 1")
    before, after = load(first), load(second)
    if before.repository != after.repository:
        raise UsageError(f"{first} is about {before.repository}, {second} about {after.repository}")
    found = across(before, after, margin)
    if as_json:
        rows = [
            {**asdict(one), "comparison": one.comparison.model_dump(mode="json")}
            for one in found.changes
        ]
        typer.echo(json.dumps({**asdict(found), "changes": rows}))
        return
    for line in text(found, margin).splitlines():
        Console().print(line, markup=False, highlight=False, emoji=False)
