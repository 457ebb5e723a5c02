"""`patchmark trial`: the live trial so far, and at its end a decision."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.live import LiveResult
from core.report import Report
from patchmark import __version__
from patchmark.options import ConfigFile, CurrentModel, Json, Margin, Repo
from patchmark.settings import Flags, Settings, make
from patchmark.shelf import USUAL, live_shelf
from patchmark.sources import name_of
from patchmark.trial_term import term_of
from patchmark.under_test import open_repository
from reports.terminal import show
from reports.trial import Asked, pooled

EPILOG = "Example: `patchmark trial --current-model anthropic:claude-opus-4-8`"


def trial(
    where: Annotated[
        str,
        typer.Option(
            "--in",
            metavar="WHERE",
            help="Where the results are: a folder, or `branch:NAME`, as fetched.",
        ),
    ] = USUAL,
    repo: Repo = None,
    current_model: CurrentModel = None,
    margin: Margin = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show the live trial over all its pull requests so far; after its end, what it decided."""
    settings = make(
        Flags(repo=repo, current_model=current_model, margin=margin, config=config), os.environ
    )
    name = name_of(open_repository(settings.repo), settings.repo)
    results = live_shelf(where, settings.repo).read()
    report = summary(settings, name, results, config)
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=1) + "\n")
    elif not results:
        typer.echo(f"{where} holds no pull request yet; patchmark live adds them")
    else:
        show(report, Console())


def summary(
    settings: Settings, name: str, results: Sequence[LiveResult], config: Path | None
) -> Report:
    """One report of them all, by the rules of these settings."""
    asked = Asked(
        repository=name,
        version=__version__,
        now=datetime.now(UTC).replace(microsecond=0),
        term=term_of(config, settings.repo, results),
        current=settings.current_model,
        margin=settings.margin,
    )
    return settings.redactor.record(pooled(results, asked))
