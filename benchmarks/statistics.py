"""How often the report's statistics are wrong, and how often they find what is there.

    python benchmarks/statistics.py [--runs 1000]

Simulates runs where the truth is known, with 2 and 5 models, 1 and 3 attempts, on 10, 30, 100 and
300 tasks, and lets the report's own functions decide. A task has a chance to be solved, most often
near 0 or 1; 6 of 10 tasks are as hard for every model, the others are drawn for each anew.

- false winner: models that are equally good on average; how often one is called better than
  another, by direction, and how often anybody is, in either direction. `by eye`: how often the
  best of them leads the second by more than 10 points.
- power: one model is better than all others by 10, 20 or 30 points; how often it is called better
  than the next.
- as good: candidates worse by exactly the margin of 10 points; how often one is called as good.
  Power of the same where all are equally good.

Then, with one attempt, the largest error of "as good" over all shares of tasks that differ, counted
exactly; and how often `patchmark history` calls noise a drift, in histories of a model that never
changes and of one that loses 20 points before the latest run. Ends with 1 where an error of anybody
is surely above 2.5 %. 1,000 runs take ten minutes.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder, whose statistics.py is not the library's

from core.digest import Digest, DigestRow  # noqa: E402 - the path above first
from reports.comparison import Margin, Pair, called, findings  # noqa: E402
from reports.drift import drifts  # noqa: E402
from reports.results import Did  # noqa: E402
from reports.statistics import wilson  # noqa: E402
from reports.statistics_paired import holm, permutation_p  # noqa: E402
from reports.statistics_score import p_above  # noqa: E402

TASKS = (10, 30, 100, 300)
MODELS = (2, 5)
ATTEMPTS = (1, 3)
MARGIN = 0.1
LIMIT = 0.025
ALIKE = 0.6
"""Share of tasks that are as hard for every model."""
SHAPE = (0.6, 0.4)
"""Of the beta distribution of chances: mean 0.6, most near 0 or 1."""
MEAN = SHAPE[0] / sum(SHAPE)
EASY = (5.0, 0.5)
"""Of tasks that a model nearly always solves."""
RUNS = (4, 12)
"""In a history, a week apart."""
LOST = 0.2

Chances = list[list[float]]
"""By model and task."""


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    tasks: int
    models: int
    attempts: int


def chances(of: Setting, draw: random.Random) -> Chances:
    """Models that are equally good on average, and on most tasks."""
    common = [draw.betavariate(*SHAPE) for _ in range(of.tasks)]
    alike = [draw.random() < ALIKE for _ in range(of.tasks)]
    return [
        [p if same else draw.betavariate(*SHAPE) for p, same in zip(common, alike, strict=True)]
        for _ in range(of.models)
    ]


def attempted(model: Sequence[float], attempts: int, draw: random.Random) -> list[Did]:
    """What a model did, from its chances."""
    return [_DID[attempts][sum(draw.random() < p for _ in range(attempts))] for p in model]


_DID = {n: [Did(n, n, passed, None, None) for passed in range(n + 1)] for n in ATTEMPTS}


def pairs(did: Sequence[Sequence[Did]]) -> list[Pair]:
    """Every two models."""
    names = range(len(did))
    return [Pair(str(a), str(b), did[a], did[b]) for a in names for b in names if a < b]


def said(of: Sequence[Pair]) -> list[str | None]:
    """What the report would call each first model."""
    corrected = holm([permutation_p(pair.differences) for pair in of])
    return [called(pair, p) for pair, p in zip(of, corrected, strict=True)]


def false_winner(of: Setting, draw: random.Random) -> tuple[bool, bool, bool]:
    """Whether the first is called better than the second; anybody than anybody; by eye."""
    did = [attempted(model, of.attempts, draw) for model in chances(of, draw)]
    verdicts = said(pairs(did))
    rates = sorted((sum(one.share for one in row) / of.tasks for row in did), reverse=True)
    return verdicts[0] == "better", any(verdicts), rates[0] - rates[1] > Fraction(1, 10)


def power(of: Setting, draw: random.Random, lead: float) -> bool:
    """Whether a model that is better by `lead` is called better than the first of the others."""
    truth = chances(of, draw)
    truth[0] = [p + (1 - p) * lead / (1 - MEAN) for p in truth[0]]
    return said(pairs([attempted(model, of.attempts, draw) for model in truth]))[0] == "better"


def as_good(of: Setting, draw: random.Random, behind: float) -> tuple[bool, bool]:
    """Whether the first candidate is called as good as the last model; whether any is."""
    truth = chances(of, draw)
    for at in range(of.models - 1):
        truth[at] = [p * (1 - behind / MEAN) for p in truth[at]]
    did = [attempted(model, of.attempts, draw) for model in truth]
    beside = [Pair(str(at), "last", row, did[-1]) for at, row in enumerate(did[:-1])]
    found = findings([Margin(pair, MARGIN, len(beside)) for pair in beside])
    return found[0] == "yes", "yes" in found


def exact_error(tasks: int) -> tuple[float, float]:
    """The largest chance that a model 10 points worse is called as good, and at how many wins.

    One attempt: all numbers of wins and losses, each with its probability.
    """
    passes = [
        (wins, losses)
        for wins in range(tasks + 1)
        for losses in range(tasks + 1 - wins)
        if wins > losses - MARGIN * tasks and _p(wins, losses, tasks) <= LIMIT
    ]
    shares = [at / 50 for at in range(23)]
    return max((_chance(passes, tasks, share), share) for share in shares)


def _p(wins: int, losses: int, tasks: int) -> float:
    equal = tasks - wins - losses
    values = [Fraction(1)] * wins + [Fraction(-1)] * losses + [Fraction(0)] * equal
    return p_above(values, -MARGIN)


def _chance(counts: Sequence[tuple[int, int]], tasks: int, won: float) -> float:
    logs = [math.log(p) if p > 0 else -math.inf for p in (won, won + MARGIN, 1 - 2 * won - MARGIN)]
    total = 0.0
    for wins, losses in counts:
        parts = (wins, losses, tasks - wins - losses)
        ways = math.lgamma(tasks + 1) - sum(math.lgamma(n + 1) for n in parts)
        terms = [n * log for n, log in zip(parts, logs, strict=True) if n]
        total += math.exp(ways + sum(terms))
    return total


def drift(
    shape: tuple[float, float], tasks: int, runs: int, lost: float, draw: random.Random
) -> bool:
    """Whether a model is said to have changed that loses so much before the latest run."""
    truth = [draw.betavariate(*shape) for _ in range(tasks)]
    less = 1 - lost * sum(shape) / shape[0]
    history = [
        _digest(week, [draw.random() < p * (less if week == runs - 1 else 1) for p in truth])
        for week in range(runs)
    ]
    return any(one.found for one in drifts(history))


def _digest(week: int, passed: Sequence[bool]) -> Digest:
    row = DigestRow(
        name="a", baseline=False, tasks=len(passed), scored=len(passed), passed=sum(passed),
        cost_usd=None, cost_per_solve_usd=None, seconds_p50=None,
        results={f"{task:012x}": (int(did), 1) for task, did in enumerate(passed)},
    )  # fmt: skip
    return Digest(
        repository="a/b", head="0" * 40, made_at=datetime(2026, 1, 1, tzinfo=UTC)
        + timedelta(weeks=week), patchmark_version="", rows=(row,),
    )  # fmt: skip


def drift_row(tasks: int, runs: int, repeats: int) -> bool:
    """Simulate and print one row about histories; whether its errors keep the limit."""
    draw = random.Random(f"{tasks} {runs}")  # noqa: S311 - a simulation
    kinds = ((SHAPE, 0.0), (EASY, 0.0), (SHAPE, LOST))
    noise, easy, real = (
        [drift(shape, tasks, runs, lost, draw) for _ in range(repeats)] for shape, lost in kinds
    )
    words = " | ".join(f"{100 * share(hits):.1f} %" for hits in (noise, easy, real))
    print(f"| {tasks} | {runs} | {words} |", flush=True)
    return not any(surely_above(hits) for hits in (noise, easy))


def share(hits: Sequence[bool]) -> float:
    """Of the runs."""
    return sum(hits) / len(hits)


def surely_above(hits: Sequence[bool]) -> bool:
    """Whether the 95 % interval of an error's share lies above the limit."""
    interval = wilson(sum(hits), len(hits))
    return interval is not None and interval.low > LIMIT


def row(of: Setting, runs: int) -> bool:
    """Simulate and print one row; whether its errors keep the limit."""
    draw = random.Random(f"{of}")  # noqa: S311 - a simulation

    def repeated(one: Callable[[], tuple[bool, ...]]) -> list[tuple[bool, ...]]:
        return list(zip(*(one() for _ in range(runs)), strict=True))

    wrong, anybody, eye = repeated(lambda: false_winner(of, draw))
    powers = [
        share(repeated(lambda lead=lead: (power(of, draw, lead),))[0])  # type: ignore[misc]
        for lead in (0.1, 0.2, 0.3)
    ]
    edge, any_edge = repeated(lambda: as_good(of, draw, MARGIN))
    equal = share(repeated(lambda: as_good(of, draw, 0.0))[0])
    figures = (
        share(wrong),
        share(anybody),
        share(eye),
        *powers,
        share(edge),
        share(any_edge),
        equal,
    )
    words = " | ".join(f"{100 * figure:.1f} %" for figure in figures)
    print(f"| {of.tasks} | {of.models} | {of.attempts} | {words} |", flush=True)
    return not any(surely_above(hits) for hits in (anybody, any_edge))


def main() -> int:
    """Print both tables, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    print(
        "| tasks | models | attempts | false winner, a direction | anybody | by eye | power at 10 "
        "| at 20 | at 30 points | as good, wrongly | anybody | as good, rightly |"
    )
    print("|--:" * 12 + "|")
    settings = [Setting(t, m, a) for m in MODELS for a in ATTEMPTS for t in TASKS]
    kept = [row(of, runs) for of in settings]
    for tasks in TASKS:
        error, won = exact_error(tasks)
        kept.append(error <= LIMIT)
        print(f"as good, wrongly, on {tasks} tasks, exactly: at most {100 * error:.2f} % "
              f"(where {100 * won:.0f} % are won)", flush=True)  # fmt: skip
    print("| tasks | runs | noise is drift | easy tasks | 20 points lost, found |")
    print("|--:" * 5 + "|")
    kept += [drift_row(tasks, weeks, runs) for weeks in RUNS for tasks in (12, 30)]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
