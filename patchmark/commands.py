"""What the commands have in common: settings of a stage alone, progress, and what is printed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from rich.console import Console

from core.errors import UsageError
from core.types import Candidate, Dropped, Task
from models.spec import parse
from patchmark import asked, dry_run
from patchmark.batches import awaited
from patchmark.pipeline import AWAITING, TIME_UP, Finished
from patchmark.progress import Show
from patchmark.run import Run, opened
from patchmark.secrets import redactor_for
from patchmark.settings import Flags, Settings, make
from patchmark.streams import QuietConsole
from reports.terminal import show

T = TypeVar("T")
CODES = (
    "Exit codes: 0 ok, 1 gate not met, 2 usage or configuration, 3 infrastructure, "
    "4 answers are awaited from a batch, 5 a gate cannot be told, 6 the time was up."
)


def errors() -> Console:
    """Where everything is said that is not the result."""
    return QuietConsole(redactor_for(os.environ), stderr=True)


def known(flags: Flags) -> Settings:
    """Settings of a stage alone: what is not given is what the run folder was asked before."""
    settings = make(flags, os.environ)
    before = asked.read(settings.out)
    if before is None:
        return settings
    if flags.models is None and any(parse(n).version for n in before.models if ":" in n):
        raise UsageError(
            f"{settings.out}: holds a check of a change; `patchmark check-change`, asked the same "
            "again, writes its report anew and pays for nothing twice"
        )
    filled = replace(
        flags,
        repo=flags.repo or before.repo,
        models=flags.models or ",".join(before.models),
        attempts=flags.attempts or before.attempts,
        max_tasks=flags.max_tasks or before.max_tasks,
        since=_given(flags.since, before.since),
        until=_given(flags.until, before.until),
        paths=_given(flags.paths, before.paths),
        labels=_given(flags.labels, before.labels),
        include_apart=_given(flags.include_apart, before.include_apart),
        rewrite_with=_given(flags.rewrite_with, before.rewrite_with),
        probe=_given(flags.probe, before.probe or None),
        current_model=_given(flags.current_model, before.current_model or None),
        margin=_given(flags.margin, before.margin),
        shard=_given(flags.shard, before.shard or None),
    )
    return make(filled, os.environ)


def _given(flag: T | None, before: T) -> T:
    return before if flag is None else flag


def one_stage(settings: Settings, stage: Callable[[Run], None], *, as_json: bool) -> int:
    """Run one stage, print what the folder holds after it, and return the exit code."""
    with opened(settings, lambda budget: Show(errors(), lambda: budget.spent)) as going:
        stage(going)
        waiting = awaited(going)
        counts = {
            "folder": str(going.folder.path),
            "candidates": len({c.id for c in going.folder.read(Candidate)}),
            "dropped": len({d.commit for d in going.folder.read(Dropped)}),
            "tasks": len({t.id for t in going.folder.read(Task)}),
            "patches": len(going.patches()),
            "verdicts": len(going.verdicts()),
        }
        late = going.clock.late
    if as_json:
        sys.stdout.write(json.dumps(counts) + "\n")
    else:
        folder = counts.pop("folder")
        words = ", ".join(f"{n} {name}" for name, n in counts.items())
        sys.stdout.write(f"{folder}: {words}\n")
    return TIME_UP if late else AWAITING if waiting else 0


def estimated(settings: Settings, *, as_json: bool) -> int:
    """Print what a run would cost, and return the exit code."""
    with opened(settings, lambda budget: Show(errors(), lambda: budget.spent)) as going:
        rows = dry_run.dry_run(going)
    if as_json:
        sys.stdout.write(dry_run.as_json(rows) + "\n")
    else:
        dry_run.show(rows, settings, Console())
    return 0


def to_report(settings: Settings, work: Callable[[Run], Finished], *, as_json: bool) -> int:
    """Run what ends in a report, print the report, and return the exit code."""
    with opened(settings, lambda budget: Show(errors(), lambda: budget.spent)) as going:
        done = work(going)
    if as_json:
        sys.stdout.write(done.report.model_dump_json(indent=1) + "\n")
    else:
        show(done.report, Console())
        for path in done.files:
            sys.stdout.write(f"{path}\n")
    return done.exit_code
