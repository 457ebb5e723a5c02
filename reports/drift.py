"""Whether a model changed over the weeks, or only its luck: paired by task, over a history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Literal

from core.digest import Digest, DigestRow, Drift
from reports.statistics import ALPHA, FEWEST_TASKS
from reports.statistics_paired import holm
from reports.statistics_trend import Trend, latest_p, trend

_DAY = 86_400


def drifts(history: Sequence[Digest]) -> list[Drift]:
    """One for each model that was scored on the same tasks in two or more runs.

    Two tests an entrant: the latest run against all before (`latest_p`), and the slope over all
    runs (`trend`). Holm's correction over both and all entrants; below `FEWEST_TASKS` tasks
    nothing is found. `history` in any order.
    """
    ordered = sorted(history, key=lambda digest: digest.made_at)
    names = dict.fromkeys(row.name for run in ordered for row in run.rows if not row.baseline)
    made = [one for name in names if (one := _drift(name, ordered)) is not None]
    level = holm([p for one in made for p in (one.p, one.trend_p)])
    return [
        one.model_copy(update={"found": _found(one, level[2 * at], level[2 * at + 1])})
        for at, one in enumerate(made)
    ]


def _found(one: Drift, jump: float, slope: float) -> Literal["better", "worse"] | None:
    if one.tasks < FEWEST_TASKS or min(jump, slope) >= ALPHA:
        return None
    moved = (one.latest or 0) - (one.before or 0) if jump <= slope else (one.per_30_days or 0)
    return "better" if moved > 0 else "worse"


def _drift(name: str, ordered: Sequence[Digest]) -> Drift | None:
    rows = [(run, next((row for row in run.rows if row.name == name), None)) for run in ordered]
    runs = [(run, row) for run, row in rows if row is not None and row.results]
    if len(runs) < 2:
        return None
    latest = runs[-1][1].results
    shares = {task: _shares(runs, task) for task in latest}
    shared = [one for one in shares.values() if len(one) > 1]
    slope = _trend(runs)
    return Drift(
        entrant=name,
        runs=len(runs),
        since=runs[0][0].made_at,
        tasks=len(shared),
        before=float(_mean([_mean(one[:-1]) for one in shared])) if shared else None,
        latest=float(_mean([one[-1] for one in shared])) if shared else None,
        p=latest_p(shared),
        per_30_days=None if slope.slope is None else 30 * slope.slope,
        trend_p=slope.p_value,
        found=None,
        served_models=_served(runs),
    )


def _shares(runs: Sequence[tuple[Digest, DigestRow]], task: str) -> list[Fraction]:
    return [Fraction(*row.results[task]) for _, row in runs if task in row.results]


def _mean(shares: Sequence[Fraction]) -> Fraction:
    return sum(shares, Fraction(0)) / len(shares)


def _trend(runs: Sequence[tuple[Digest, DigestRow]]) -> Trend:
    tasks: dict[str, list[tuple[float, float]]] = {}
    for run, row in runs:
        for task, (passed, scored) in row.results.items():
            days = run.made_at.timestamp() / _DAY
            tasks.setdefault(task, []).append((days, passed / scored))
    return trend([one for one in tasks.values() if len(one) > 1])


def _served(
    runs: Sequence[tuple[Digest, DigestRow]],
) -> tuple[tuple[datetime, tuple[str, ...]], ...]:
    found: list[tuple[datetime, tuple[str, ...]]] = []
    for run, row in runs:
        if not found or found[-1][1] != row.served_models:
            found.append((run.made_at, row.served_models))
    return tuple(found) if len(found) > 1 or runs[0][1].served_models else ()
