"""`patchmark check-change`: whether a change of AGENTS.md, rules or settings helps your models."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.report import Report
from patchmark.change_check import OUT, Wish, idle_report, prepared
from patchmark.choosing import names
from patchmark.commands import errors, estimated
from patchmark.options import (
    Attempts,
    Budget,
    ConfigFile,
    DryRun,
    IssuesFile,
    Json,
    Labels,
    Margin,
    MaxTasks,
    Paths,
    Record,
    Replay,
    Repo,
    Since,
    TimeLimit,
    Until,
    Workers,
)
from patchmark.pipeline import run_all
from patchmark.progress import Show
from patchmark.run import opened
from patchmark.settings import Flags, Settings
from reports.change_check_text import show
from reports.files import write

EPILOG = "Example: `patchmark check-change --base main --models anthropic:claude-opus-4-8`"


def check_change(
    base: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Where it would go. [default: the default branch]"),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(metavar="REF", help="The changed version. [default: the working tree]"),
    ] = None,
    guidance: Annotated[
        str | None,
        typer.Option(
            metavar="GLOBS", help="Files that are guidance too, separated by commas: `prompts/`."
        ),
    ] = None,
    repo: Repo = None,
    models: Annotated[
        str | None,
        typer.Option(
            help="Whom to ask, separated by commas. [default: the `models` of the base's settings]"
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help=f"Run folder. [default: {OUT}]", show_default=False)
    ] = None,
    attempts: Attempts = None,
    max_tasks: MaxTasks = None,
    budget_usd: Budget = None,
    margin: Margin = None,
    replay: Replay = None,
    record: Record = None,
    issues: IssuesFile = None,
    since: Since = None,
    until: Until = None,
    paths: Paths = None,
    labels: Labels = None,
    config: ConfigFile = None,
    workers: Workers = None,
    time_limit: TimeLimit = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Does a change of AGENTS.md, rules or settings help? The same tasks with both versions.

    Tasks come from where the two versions part, and settings are those there: only how models are
    asked may differ.
    """
    flags = Flags(
        repo=repo, out=out, models=models, attempts=attempts, max_tasks=max_tasks,
        budget_usd=budget_usd, margin=margin, replay=replay, record=record, issues=issues,
        since=since, until=until, paths=paths, labels=labels, config=config, workers=workers,
        time_limit=time_limit,
    )  # fmt: skip
    wish = Wish(base=base, head=head, globs=names(guidance or ""))
    settings = prepared(flags, wish, os.environ)
    if dry_run and settings.change and settings.change.about.entrants:
        raise typer.Exit(estimated(settings, as_json=as_json))
    raise typer.Exit(_checked(settings, as_json=as_json))


def _checked(settings: Settings, *, as_json: bool) -> int:
    """Measure, print, and return the exit code: never 1, for no gate looks at it."""
    plan = settings.change
    if plan is None or not plan.about.entrants:
        report = idle_report(settings)
        files, code = write(report, settings.out), 0
    else:
        with opened(settings, lambda budget: Show(errors(), lambda: budget.spent)) as going:
            done = run_all(going)
        report, files, code = done.report, done.files, done.exit_code
    _print(report, as_json=as_json)
    if not as_json:
        for path in files:
            sys.stdout.write(f"{path}\n")
    return code


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(report.model_dump_json(indent=1) + "\n")
    elif report.change is not None:
        show(report, report.change, Console())
