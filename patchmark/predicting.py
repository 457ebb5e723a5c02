"""`patchmark judge`: the tests of the repository on patches, made here or elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from core.types import Patch, Stop
from patchmark import asked
from patchmark.commands import known, one_stage
from patchmark.exporting import LEFT_OUT, complain, names_of
from patchmark.formats.base import Problem
from patchmark.formats.predictions import Prediction, read
from patchmark.options import ClusterAt, ConfigFile, Json, MaxTasks, Models, Out, Repo, Workers
from patchmark.run import Run
from patchmark.settings import Flags
from patchmark.solving import judge_stage
from patchmark.sources import name_of

EPILOG = "Example: `patchmark judge --out my-run --predictions patches.jsonl`"


def judge(
    out: Out = None,
    repo: Repo = None,
    models: Models = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also take patches that were made elsewhere: predictions of SWE-bench, as JSON "
            "Lines or JSON. Each model is an entrant, `predictions:NAME`.",
        ),
    ] = None,
    max_tasks: MaxTasks = None,
    cluster: ClusterAt = None,
    config: ConfigFile = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Run the repository's tests on every patch that was not judged yet."""
    flags = Flags(
        repo=repo, out=out, models=models, max_tasks=max_tasks, config=config, workers=workers,
        cluster=cluster,
    )  # fmt: skip
    if predictions is None:
        one_stage(known(flags), judge_stage, as_json=as_json)
        return
    found, problems = _read(predictions)
    one_stage(known(flags), lambda run: problems.extend(_judge(run, found)), as_json=as_json)
    complain(problems)
    raise typer.Exit(LEFT_OUT if problems else 0)


def _read(path: Path) -> tuple[list[Prediction], list[Problem]]:
    found, problems = read(path)
    if not found:
        complain(problems)
        raise UsageError(f"--predictions {path}: holds no patch that can be read")
    return found, problems


def _judge(run: Run, found: list[Prediction]) -> list[Problem]:
    """Take the patches into the run folder, and judge what is to be judged there."""
    tasks = run.all_tasks()
    names = names_of(run.folder.path, name_of(run.repository, run.settings.repo), tasks)
    ids = {name: id_ for id_, name in names.items()} | {task.id: task.id for task in tasks}
    known = [one for one in found if one.name in ids]
    _enter(run, known)
    before = run.patches()
    for one in known:
        patch = _patch(ids[one.name], one)
        if before.get((patch.task_id, patch.entrant, patch.attempt)) != patch:
            run.folder.append(patch)
    judge_stage(run)
    what = f"no proven task of {run.folder.path} is called so"
    return [Problem(one.where, f"{one.name}: {what}") for one in found if one not in known]


def _enter(run: Run, known: list[Prediction]) -> None:
    """Have their models take part, from now on; those of whom no task is known do not."""
    names = dict.fromkeys((*run.settings.models, *(one.entrant for one in known)))
    run.settings = replace(run.settings, models=tuple(names))
    asked.write(run.folder.path, run.settings, run.repository)


def _patch(task_id: str, one: Prediction) -> Patch:
    """What it cost and took is not known, so it is not said either."""
    return Patch(
        task_id=task_id,
        entrant=one.entrant,
        attempt=1,
        diff=one.diff if one.diff.strip() else "",
        stop=Stop.ANSWERED if one.diff.strip() else Stop.EMPTY,
        detail="" if one.diff.strip() else "the prediction holds no patch",
        cost_usd=None,
        usage=None,
        seconds=None,
    )
