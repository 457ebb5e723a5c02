"""A history in a terminal: every model's runs, and whether it changed or only its luck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.digest import Digest, DigestRow, Drift
from reports.drift import drifts
from reports.escape import one_line
from reports.numbers import counted, money, per_cent, rate, seconds
from reports.statistics import FEWEST_TASKS

if TYPE_CHECKING:
    from rich.console import Console

_RUNS = 12
_NOTHING = "There is no run in this history yet."


def show(history: Sequence[Digest], console: Console) -> None:
    """Print it, at 80 columns. Nothing in it is taken for markup."""
    for line in text(history).splitlines():
        console.print(line, markup=False, highlight=False, soft_wrap=False, emoji=False)


def text(history: Sequence[Digest]) -> str:
    """All of it in words and aligned numbers; the latest run last."""
    runs = sorted(history, key=lambda digest: digest.made_at)
    if not runs:
        return _NOTHING
    days = " to ".join(dict.fromkeys(f"{runs[at].made_at:%Y-%m-%d}" for at in (0, -1)))
    names = " and ".join(dict.fromkeys(one_line(run.repository, 60) for run in runs))
    lines = [f"{names}: {counted(len(runs), 'run')}, {days}"]
    found = {drift.entrant: drift for drift in drifts(runs)}
    models = dict.fromkeys(row.name for run in runs for row in run.rows if not row.baseline)
    for name in models:
        said = [f"  {line}" for line in words(found.get(name))]
        lines += ["", one_line(name, 78), *_runs(name, runs), *said]
    return "\n".join(lines)


def _runs(name: str, runs: Sequence[Digest]) -> list[str]:
    mine = [(run, row) for run in runs for row in run.rows if row.name == name]
    table = [_cells(run, row) for run, row in mine[-_RUNS:]]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    more = [f"  … {counted(len(mine) - _RUNS, 'earlier run')}"] if len(mine) > _RUNS else []
    rows = [[cell.ljust(size) for cell, size in zip(row, widths, strict=True)] for row in table]
    return more + [f"  {'  '.join(row)}".rstrip() for row in rows]


def _cells(run: Digest, row: DigestRow) -> tuple[str, ...]:
    solve = money(row.cost_per_solve_usd)
    return (
        f"{run.made_at:%Y-%m-%d}",
        run.head[:7],
        rate(row.pass_rate, row.passed, row.scored),
        f"{solve} per solve" if row.cost_per_solve_usd is not None else "",
        seconds(row.seconds_p50),
    )


def words(drift: Drift | None) -> list[str]:
    """What may be said of one model's change, a sentence a line."""
    if drift is None:
        return ["Seen once: nothing to compare with."]
    if drift.tasks < FEWEST_TASKS:
        shared = counted(drift.tasks, "task")
        return [f"{shared} shared with an earlier run; below {FEWEST_TASKS} no change can be told."]
    end = {
        None: "noise can explain it",
        "better": "it solves more than before",
        "worse": "it solves fewer than before",
    }[drift.found]
    slope, shared = _points(drift.per_30_days), counted(drift.tasks, "shared task")
    rates = f"{per_cent(drift.before)} → {per_cent(drift.latest)}"
    return [
        f"Latest run against all before, {shared}: {rates} (p = {drift.p:.2g}),",
        f"{slope} (p = {drift.trend_p:.2g}): {end}.",
        *_served(drift),
    ]


def _points(share: float | None) -> str:
    if share is None:
        return "all at one moment"
    sign = "+" if share >= 0 else "−"
    return f"{sign}{abs(100 * share):.1f} points in 30 days"


def _served(drift: Drift) -> list[str]:
    return [
        f"From {day:%Y-%m-%d} answered by {one_line(', '.join(names), 48)}."
        if names
        else f"From {day:%Y-%m-%d} answered by the model asked for."
        for day, names in drift.served_models
    ]
