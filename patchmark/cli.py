"""The command line; what it ends with says `patchmark.commands.CODES`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from core.errors import PatchmarkError
from patchmark import (
    __version__,
    change_checking,
    checking,
    comparing,
    demo,
    env,
    history,
    images,
    init,
    merging,
    predicting,
)
from patchmark.commands import CODES, errors, estimated, known, one_stage, to_report
from patchmark.for_actions import action, action_post, on_command
from patchmark.interchange import add_to
from patchmark.live import add_to as add_live
from patchmark.mining import mine_stage
from patchmark.options import (
    Attempts,
    Batch,
    BatchWait,
    Budget,
    ClusterAt,
    ConfigFile,
    CurrentModel,
    DryRun,
    FailIfWorseThan,
    FailUnder,
    History,
    IncludeApart,
    IssuesFile,
    Json,
    JudgeModel,
    Labels,
    Margin,
    MaxCostPerSolve,
    MaxTasks,
    Models,
    Out,
    Paths,
    Probe,
    Record,
    Replay,
    Repo,
    RewriteWith,
    Rubric,
    ShardOf,
    Since,
    TimeLimit,
    Until,
    Workers,
)
from patchmark.pipeline import TIME_UP, finish, prove_all, run_all, solve_all
from patchmark.planning import PLANS, plan
from patchmark.secrets import redactor_for
from patchmark.settings import Flags, make
from patchmark.streams import quiet
from patchmark.under_test import trust_absolute_folders_only

INTERRUPTED = 130
app = typer.Typer(
    name="patchmark",
    help="Which coding model is best on your own repository: pass rate, cost and latency.",
    epilog=f"Start with `patchmark doctor`, then `patchmark run --repo .`. {CODES}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(images.app, name="images")
app.add_typer(history.app, name="history")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code. Bugs keep their traceback."""
    trust_absolute_folders_only()
    with quiet(redactor_for(os.environ)):
        return _exit_code(arguments)


def _exit_code(arguments: list[str] | None) -> int:
    try:
        app(args=arguments, prog_name="patchmark")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if code == INTERRUPTED:  # typer has caught the KeyboardInterrupt, and said nothing
            errors().print("stopped; the same command goes on where it was")
        return code
    except PatchmarkError as error:
        errors().print(f"patchmark: {error}", markup=False, highlight=False, soft_wrap=True)
        return error.exit_code
    return 0


@app.callback(invoke_without_command=True)
def top(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Which coding model is best on your own repository: pass rate, cost and latency."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command(
    epilog=f"Example: `patchmark run --models reference,empty,google:gemini-3.5-flash`\n\n{CODES}"
)
def run(
    repo: Repo = None,
    models: Models = None,
    out: Out = None,
    attempts: Attempts = None,
    max_tasks: MaxTasks = None,
    budget_usd: Budget = None,
    current_model: CurrentModel = None,
    margin: Margin = None,
    fail_under: FailUnder = None,
    fail_if_worse_than: FailIfWorseThan = None,
    max_cost_per_solve: MaxCostPerSolve = None,
    replay: Replay = None,
    record: Record = None,
    issues: IssuesFile = None,
    since: Since = None,
    until: Until = None,
    paths: Paths = None,
    labels: Labels = None,
    include_apart: IncludeApart = None,
    rewrite_with: RewriteWith = None,
    probe: Probe = None,
    batch: Batch = None,
    batch_wait: BatchWait = None,
    judge_model: JudgeModel = None,
    rubric: Rubric = None,
    history_at: History = None,
    cluster: ClusterAt = None,
    config: ConfigFile = None,
    workers: Workers = None,
    time_limit: TimeLimit = None,
    shard: ShardOf = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """All stages: mine tasks, prove them, have models solve them, judge, report."""
    flags = Flags(
        repo=repo, out=out, models=models, attempts=attempts, max_tasks=max_tasks,
        budget_usd=budget_usd, current_model=current_model, margin=margin, fail_under=fail_under,
        fail_if_worse_than=fail_if_worse_than, max_cost_per_solve=max_cost_per_solve,
        replay=replay, record=record, issues=issues,
        since=since, until=until, paths=paths, labels=labels, include_apart=include_apart,
        rewrite_with=rewrite_with, probe=probe, batch=batch, batch_wait=batch_wait,
        judge_model=judge_model, rubric=rubric, history=history_at, config=config, workers=workers,
        time_limit=time_limit, shard=shard, cluster=cluster,
    )  # fmt: skip
    if dry_run:
        raise typer.Exit(estimated(make(flags, os.environ), as_json=as_json))
    raise typer.Exit(to_report(make(flags, os.environ), run_all, as_json=as_json))


app.command("env", epilog=env.EPILOG)(env.env)


@app.command(epilog="Example: `patchmark mine --repo . --out my-run --json`")
def mine(
    repo: Repo = None,
    out: Out = None,
    issues: IssuesFile = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Look through the history for fixes with tests; nothing is run."""
    flags = Flags(repo=repo, out=out, issues=issues, config=config)
    one_stage(known(flags), mine_stage, as_json=as_json)


@app.command(epilog="Example: `patchmark validate --out my-run --max-tasks 40`")
def validate(
    out: Out = None,
    repo: Repo = None,
    max_tasks: MaxTasks = None,
    since: Since = None,
    until: Until = None,
    paths: Paths = None,
    labels: Labels = None,
    include_apart: IncludeApart = None,
    cluster: ClusterAt = None,
    config: ConfigFile = None,
    workers: Workers = None,
    time_limit: TimeLimit = None,
    as_json: Json = False,
) -> None:
    """Prove candidates in containers: their tests fail before the fix and pass after it."""
    flags = Flags(
        repo=repo, out=out, max_tasks=max_tasks, since=since, until=until, paths=paths,
        labels=labels, include_apart=include_apart, config=config, workers=workers,
        time_limit=time_limit, cluster=cluster,
    )  # fmt: skip
    late = one_stage(known(flags), prove_all, as_json=as_json) == TIME_UP
    raise typer.Exit(TIME_UP if late else 0)  # what solving awaits is no matter of this


@app.command(epilog="Example: `patchmark solve --out my-run --models anthropic:claude-opus-4-8`")
def solve(
    out: Out = None,
    repo: Repo = None,
    models: Models = None,
    attempts: Attempts = None,
    max_tasks: MaxTasks = None,
    budget_usd: Budget = None,
    replay: Replay = None,
    record: Record = None,
    rewrite_with: RewriteWith = None,
    probe: Probe = None,
    batch: Batch = None,
    batch_wait: BatchWait = None,
    cluster: ClusterAt = None,
    config: ConfigFile = None,
    time_limit: TimeLimit = None,
    shard: ShardOf = None,
    as_json: Json = False,
) -> None:
    """Have every entrant write a patch for every proven task; costs money."""
    flags = Flags(
        repo=repo, out=out, models=models, attempts=attempts, max_tasks=max_tasks,
        budget_usd=budget_usd, replay=replay, record=record, rewrite_with=rewrite_with, probe=probe,
        batch=batch, batch_wait=batch_wait, config=config, time_limit=time_limit,
        shard=shard, cluster=cluster,
    )  # fmt: skip
    raise typer.Exit(one_stage(known(flags), solve_all, as_json=as_json))


app.command("judge", epilog=predicting.EPILOG)(predicting.judge)


@app.command(epilog=f"Example: `patchmark report --out my-run --fail-under 0.5`\n\n{CODES}")
def report(
    out: Out = None,
    repo: Repo = None,
    models: Models = None,
    attempts: Attempts = None,
    max_tasks: MaxTasks = None,
    current_model: CurrentModel = None,
    margin: Margin = None,
    fail_under: FailUnder = None,
    fail_if_worse_than: FailIfWorseThan = None,
    max_cost_per_solve: MaxCostPerSolve = None,
    history_at: History = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Write report.md, report.html and report.json from what the run folder holds."""
    flags = Flags(
        repo=repo, out=out, models=models, attempts=attempts, max_tasks=max_tasks,
        current_model=current_model, margin=margin, fail_under=fail_under,
        fail_if_worse_than=fail_if_worse_than, max_cost_per_solve=max_cost_per_solve,
        history=history_at, config=config,
    )  # fmt: skip
    raise typer.Exit(to_report(known(flags), finish, as_json=as_json))


app.command("demo", epilog=demo.EPILOG)(demo.demo)
app.command("doctor", epilog=checking.EPILOG)(checking.doctor)
app.command("models", epilog=checking.MODELS_EPILOG)(checking.list_models)
app.command("compare", epilog=comparing.EPILOG)(comparing.compare)
app.command("plan", epilog=PLANS)(plan)
app.command("merge", epilog=f"{merging.EPILOG}\n\n{CODES}")(merging.merge)
add_live(app)
app.command("init", epilog=init.EPILOG)(init.init)
app.command("check-change", epilog=change_checking.EPILOG)(change_checking.check_change)
add_to(app)
app.command(hidden=True)(action)
app.command(hidden=True)(action_post)
app.command("on-command", hidden=True)(on_command)
