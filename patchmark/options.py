"""The options of the command line, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Repo = Annotated[Path | None, typer.Option(help="Path of the git repository. [default: .]")]
Out = Annotated[Path | None, typer.Option(help="Run folder. [default: patchmark-run]")]
Models = Annotated[
    str | None,
    typer.Option(
        help="Entrants, separated by commas: reference, empty, SERVICE:MODEL as `patchmark models` "
        "lists them, such a name with +effort=high, replay:NAME. [default: reference,empty]"
    ),
]
Attempts = Annotated[int | None, typer.Option(min=1, help="Attempts per task. [default: 1]")]
MaxTasks = Annotated[
    int | None,
    typer.Option(
        min=1, help="Use at most this many tasks, spread over time and size. [default: 20]"
    ),
]
Budget = Annotated[
    str | None, typer.Option(help="Never spend more US dollars than this. [default: no cap]")
]
CurrentModel = Annotated[
    str | None,
    typer.Option(metavar="ENTRANT", help="The model you use: is another better, or as good?"),
]
Margin = Annotated[
    float | None,
    typer.Option(
        min=0.001, max=0.999, help="How much lower a pass rate is still as good. [default: 0.1]"
    ),
]
FailUnder = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Exit with 1 if the best model passes less, 0 to 1."),
]
FailIfWorseThan = Annotated[
    str | None,
    typer.Option(
        metavar="ENTRANT",
        help="Exit with 1 if a paired test says that the best other model is worse.",
    ),
]
MaxCostPerSolve = Annotated[
    str | None,
    typer.Option(
        metavar="USD", help="Exit with 1 if the best model costs more for each solved task."
    ),
]
Replay = Annotated[
    Path | None, typer.Option(help="Answer from this run folder's recordings; call no one.")
]
IssuesFile = Annotated[
    Path | None,
    typer.Option("--issues", help="JSON list of issues and pull requests, instead of GitHub's."),
]
ClusterAt = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Have the workers of this Dask scheduler run the containers, as tls://host:8786. "
        "[default: PATCHMARK_CLUSTER, else this machine]",
    ),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Settings. [default: patchmark.toml in the repo]")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what models would be asked and cost; ask no one.")
]
JudgeModel = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Have this model judge the quality of what passed, blind; two answers a patch.",
    ),
]
Rubric = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write such pairs for a person to judge; read back what was filled in.",
    ),
]
History = Annotated[
    str | None,
    typer.Option(
        "--history",
        metavar="WHERE",
        help="Show the runs kept there beside this one, and add it: a folder, or branch:NAME.",
    ),
]
Batch = Annotated[
    bool | None,
    typer.Option(
        "--batch",
        help="Ask in batches, at half price, where that can be; answers take up to a day.",
    ),
]
BatchWait = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="MINUTES",
        help="Wait this long for batches; the same command goes on later. [default: 60]",
    ),
]
Record = Annotated[
    Path | None,
    typer.Option(help="Copy what is asked and answered to this folder, for --replay later."),
]
ShardOf = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="K/N",
        help="Take the Kth of N shares of tasks and budget; `patchmark merge` puts them together.",
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        metavar="MINUTES",
        help="Have ended by then, with what was done so far; the same command goes on. "
        "[default: none]",
    ),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Containers at once. [default: cores]")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")]
Since = Annotated[
    str | None, typer.Option(metavar="DATE", help="Only fixes from this day on, as 2026-01-31.")
]
Until = Annotated[
    str | None, typer.Option(metavar="DATE", help="Only fixes up to this day, itself included.")
]
Paths = Annotated[
    str | None,
    typer.Option(metavar="GLOBS", help="Only fixes in these files or folders, as src/api,**/*.ts."),
]
Labels = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Only fixes whose issue or pull request has one of these."),
]
IncludeApart = Annotated[
    bool | None,
    typer.Option(
        "--include-apart",
        help="Also run tasks whose statement gives the fix away or says nothing; reported apart.",
    ),
]
RewriteWith = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL", help="Have this model write the statements anew; its cost counts."
    ),
]
Probe = Annotated[
    bool | None,
    typer.Option(
        "--probe",
        help="Also ask each model for the fixes from their titles alone: does it remember them? "
        "Costs an answer a task.",
    ),
]
