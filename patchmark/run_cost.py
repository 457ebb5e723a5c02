"""What one run of a workflow may cost and take, before it is started: estimated, or bounded."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce

from rich.console import Console

from core.git import Snapshot
from core.store import RunFolder
from models.budget import Budget
from models.estimate import NOTHING, Estimate, estimate
from models.services import KEY_VARIABLES
from models.spec import BASELINE_NAMES
from patchmark.progress import Show
from patchmark.run import Run
from patchmark.settings import Settings
from patchmark.under_test import open_repository, refuse_tracked


@dataclass(frozen=True, kw_only=True)
class Expected:
    """For a run that starts from nothing; what a kept run folder holds is not asked again."""

    tasks: int
    proven: bool
    """Whether those are tasks of the run folder, and not as many as there may be."""
    answers: int
    """That models are asked for, repairs and an agent's further steps apart."""
    usd: Estimate | None
    """None where tasks or a price are not known."""
    test_runs: int
    test_seconds: float | None
    """Median of one here; None = none was seen."""


def expected(settings: Settings) -> Expected:
    """Reckon with the tasks of the run folder, if there are any. Asks nobody, changes nothing.

    Raises UsageError where another patchmark holds the folder, or its records are damaged.
    """
    if not (settings.out / "tasks.jsonl").is_file():
        return _expected(settings, None, None, ())
    # Whoever estimates needs no key, and here there need not be one: the repository has them.
    ready = replace(settings, keys=dict.fromkeys(KEY_VARIABLES, "none"), budget_usd=None, caps={})
    repository = open_repository(settings.repo)
    refuse_tracked(repository, settings.out)
    with RunFolder(settings.out, settings.redactor) as folder:
        show = Show(Console(quiet=True), Decimal)
        run = Run(ready, folder, repository, Budget(None, Decimal(0)), show)
        tasks = run.all_tasks()
        found = [
            estimate(entrant, task, Snapshot(repository, task.base_commit))
            for task in tasks
            for entrant in run.entrants
        ]
        seconds = [v.seconds for v in run.verdicts().values() if v.seconds is not None]
    known = [one for one in found if one is not None]
    once = reduce(Estimate.__add__, known, NOTHING) if len(known) == len(found) else None
    return _expected(settings, len(tasks), once, seconds)


def _expected(
    settings: Settings, proven: int | None, once: Estimate | None, seconds: Sequence[float]
) -> Expected:
    tasks = proven or settings.max_tasks
    models = [name for name in settings.models if name not in BASELINE_NAMES]
    times = Decimal(settings.attempts)
    runs = 2 * settings.validation_runs + len(settings.models) * settings.attempts
    return Expected(
        tasks=tasks,
        proven=bool(proven),
        answers=tasks * len(models) * settings.attempts,
        usd=Estimate(once.least * times, once.most * times) if once and proven else None,
        test_runs=tasks * runs,
        test_seconds=statistics.median(seconds) if seconds else None,
    )
