"""Whether a model changed over the weeks, or only its luck: paired by task, over a history."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Literal

from core.digest import Digest, DigestRow, Drift
from reports.statistics import ALPHA, FEWEST_TASKS
from reports.statistics_paired import holm
from reports.statistics_trend import Trend, latest_p, trend

_DAY = 86_400
_Seen = tuple[float, int, int]
"""One run at one task: its moment in days, passed and scored attempts."""


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
    tasks = _tasks(runs)
    draw = random.Random(0)  # noqa: S311 - statistics, and the same in every report
    even = {task: _even(seen, draw) for task, seen in tasks.items()}
    shared = [task for task in runs[-1][1].results if len(tasks[task]) > 1]
    shares = [_shares(tasks[task]) for task in shared]
    slope = _trend(tasks)
    fair = slope if even == tasks else _trend(even)
    return Drift(
        entrant=name,
        runs=len(runs),
        since=runs[0][0].made_at,
        tasks=len(shared),
        before=float(_mean([_mean(one[:-1]) for one in shares])) if shares else None,
        latest=float(_mean([one[-1] for one in shares])) if shares else None,
        p=latest_p([_shares(even[task]) for task in shared]),
        per_30_days=None if slope.slope is None else 30 * slope.slope,
        trend_p=fair.p_value,
        found=None,
        served_models=_served(runs),
    )


def _tasks(runs: Sequence[tuple[Digest, DigestRow]]) -> dict[str, list[_Seen]]:
    """What each task's runs saw, in the order of the runs."""
    found: dict[str, list[_Seen]] = {}
    for run, row in runs:
        for task, (passed, scored) in row.results.items():
            found.setdefault(task, []).append((run.made_at.timestamp() / _DAY, passed, scored))
    return found


def _even(seen: Sequence[_Seen], draw: random.Random) -> list[_Seen]:
    """As many attempts of each run as the one with the fewest has, drawn at random.

    A share of one attempt is 0 or 1 more often than one of three: run by run they could not
    stand in for each other, and fewer attempts than before would pass for drift.
    """
    fewest = min(scored for _, _, scored in seen)
    found = []
    for day, passed, scored in seen:
        if scored == fewest:
            found.append((day, passed, scored))
        else:
            drawn = draw.sample(range(scored), fewest)
            found.append((day, sum(at < passed for at in drawn), fewest))
    return found


def _shares(seen: Iterable[_Seen]) -> list[Fraction]:
    return [Fraction(passed, scored) for _, passed, scored in seen]


def _mean(shares: Sequence[Fraction]) -> Fraction:
    return sum(shares, Fraction(0)) / len(shares)


def _trend(tasks: Mapping[str, Sequence[_Seen]]) -> Trend:
    repeated = (seen for seen in tasks.values() if len(seen) > 1)
    return trend([[(day, passed / scored) for day, passed, scored in seen] for seen in repeated])


def _served(
    runs: Sequence[tuple[Digest, DigestRow]],
) -> tuple[tuple[datetime, tuple[str, ...]], ...]:
    found: list[tuple[datetime, tuple[str, ...]]] = []
    for run, row in runs:
        if not found or found[-1][1] != row.served_models:
            found.append((run.made_at, row.served_models))
    return tuple(found) if len(found) > 1 or runs[0][1].served_models else ()
