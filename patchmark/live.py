"""`patchmark live`: what the models would have done with one pull request."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from core.git import Repository
from patchmark.commands import CODES, errors
from patchmark.live_run import Live
from patchmark.live_targets import Finder, NothingToTryError, Target, commit_alone
from patchmark.options import (
    Attempts,
    Budget,
    ConfigFile,
    IssuesFile,
    Json,
    Models,
    Record,
    Replay,
    Repo,
    RewriteWith,
    TimeLimit,
    Workers,
)
from patchmark.posting import repository_at
from patchmark.progress import Show
from patchmark.settings import Flags, Settings, make
from patchmark.shelf import USUAL, live_shelf, put
from patchmark.sources import name_at
from patchmark.trial import EPILOG as TRIALS
from patchmark.trial import trial
from patchmark.under_test import open_repository
from reports.live import plain

EPILOG = f"Example: `patchmark live --pull 123 --models anthropic:claude-opus-4-8`\n\n{CODES}"
FOLDER = "patchmark-live"


def add_to(app: typer.Typer) -> None:
    """Make `live` and `trial` commands of it."""
    app.command("live", epilog=EPILOG)(live)
    app.command("trial", epilog=TRIALS)(trial)


def live(
    commit: Annotated[
        str | None,
        typer.Option(metavar="SHA", help="The commit that a merged pull request ended with."),
    ] = None,
    pull: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="The pull request, by its number.")
    ] = None,
    allow_forks: Annotated[
        bool, typer.Option("--allow-forks", help="Also one from a fork that is not merged yet.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was tried before, as for other models.")
    ] = False,
    repo: Repo = None,
    models: Models = None,
    attempts: Attempts = None,
    budget_usd: Budget = None,
    out: Annotated[
        Path | None, typer.Option(help=f"Folder for the run folders. [default: {FOLDER}]")
    ] = None,
    where: Annotated[
        str,
        typer.Option(
            "--history",
            metavar="WHERE",
            help="Where results are added: a folder, or `branch:NAME`, an orphan branch.",
        ),
    ] = USUAL,
    replay: Replay = None,
    record: Record = None,
    issues: IssuesFile = None,
    rewrite_with: RewriteWith = None,
    config: ConfigFile = None,
    workers: Workers = None,
    time_limit: TimeLimit = None,
    as_json: Json = False,
) -> None:
    """Make one pull request a task, have every entrant try it, and add that to the live trial.

    Merged ones are tried as they were merged, open ones from where they left their base branch.
    Without a token, `--commit` is one commit against its parent.
    """
    flags = Flags(
        repo=repo, out=out or Path(FOLDER), models=models, attempts=attempts,
        budget_usd=budget_usd, replay=replay, record=record, issues=issues,
        rewrite_with=rewrite_with, config=config, workers=workers, time_limit=time_limit,
    )  # fmt: skip
    settings = make(flags, os.environ)
    shelf = live_shelf(where, settings.repo)
    known = shelf.read()
    trying = trying_with(settings)
    if ended := trying.ended(known, config):
        errors().print(ended, markup=False)
        return
    targets = _find(settings, commit, pull, allow_forks=allow_forks)
    trying.begin(targets, [] if again else known)
    results, failed = trying.attempt()
    for result in results:
        errors().print(put(shelf, result, where), markup=False)
    if as_json:
        sys.stdout.write(json.dumps([one.model_dump(mode="json") for one in results]) + "\n")
    else:
        sys.stdout.write("".join(f"{plain(one)}\n" for one in results))
    if failed is not None:
        raise failed


def trying_with(settings: Settings) -> Live:
    """What tries with these settings, and says what it does where everything is said."""
    console = errors()
    return Live(
        settings,
        lambda words: console.print(words, markup=False, highlight=False, soft_wrap=True),
        lambda budget: Show(console, lambda: budget.spent),
    )


def _find(
    settings: Settings, commit: str | None, pull: int | None, *, allow_forks: bool
) -> Sequence[Target]:
    if (commit is None) == (pull is None):
        raise UsageError("name what to try: --commit SHA, or --pull NUMBER")
    git = open_repository(settings.repo)
    token = settings.variables.get("GITHUB_TOKEN", "").strip()
    name = name_at(settings, git)
    if not token or not name:
        if commit is None:
            raise UsageError("--pull asks GitHub: set GITHUB_TOKEN, and a remote called origin")
        return [commit_alone(git, commit)]
    variables = {**settings.variables, "GITHUB_REPOSITORY": name}
    bundle = str(settings.ca_bundle) if settings.ca_bundle else ""
    with repository_at(variables, token, bundle) as github:
        finder = Finder(git, github)
        if pull is not None:
            return finder.of_number(pull, allow_forks=allow_forks)
        return _of_commit(finder, git, commit or "")


def _of_commit(finder: Finder, git: Repository, commit: str) -> Sequence[Target]:
    try:
        return finder.of_commit(commit)
    except NothingToTryError:
        return [commit_alone(git, commit)]  # pushed without a pull request
