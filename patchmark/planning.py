"""`patchmark plan`: how a run is split over several machines."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated

import typer

from patchmark.commands import errors
from patchmark.mining import mine_stage
from patchmark.options import (
    ConfigFile,
    IssuesFile,
    Json,
    Labels,
    MaxTasks,
    Out,
    Paths,
    Repo,
    Since,
    Until,
)
from patchmark.progress import Show
from patchmark.run import Run, opened
from patchmark.settings import Flags, make
from patchmark.sharding import MOST, Shard, share

PLANS = "Example: `patchmark plan --shards 5 --json`, then `patchmark run --shard 1/5` and so on."


def plan(
    shards: Annotated[int, typer.Option(min=1, max=MOST, help="Machines to split the run over.")],
    repo: Repo = None,
    out: Out = None,
    max_tasks: MaxTasks = None,
    issues: IssuesFile = None,
    since: Since = None,
    until: Until = None,
    paths: Paths = None,
    labels: Labels = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Mine, and say which shards a run is split into; as JSON, a matrix for GitHub.

    The folder holds what was mined: each shard that begins with a copy mines nothing again.
    """
    flags = Flags(
        repo=repo, out=out, max_tasks=max_tasks, issues=issues, since=since, until=until,
        paths=paths, labels=labels, config=config,
    )  # fmt: skip
    with opened(make(flags, os.environ), lambda budget: Show(errors(), lambda: budget.spent)) as it:
        mine_stage(it)
        words = [_words(it, Shard(number, shards)) for number in range(1, shards + 1)]
    sys.stdout.write(f"{matrix(shards)}\n" if as_json else "\n".join(words) + "\n")


def matrix(shards: int) -> str:
    """What a job's `strategy.matrix` takes."""
    each = [{"shard": number, "of": shards} for number in range(1, shards + 1)]
    return json.dumps({"include": each}, separators=(",", ":"))


def _words(run: Run, shard: Shard) -> str:
    part = share(run.wanted(), run.settings.max_tasks, shard)
    return f"{shard}: at most {part.most} tasks of {len(part.candidates)} candidates"
