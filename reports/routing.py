"""What it would have cost, and solved, to use several models together: from what they did here.

A cascade asks the next model where the tests fail. It takes for granted what is true of a
benchmark only: that the tests are there before the fix is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, combinations
from typing import Literal

from core.analysis import Route, Routing
from core.report import TaskRow
from reports.breakdown import size_of
from reports.results import Results, scored
from reports.statistics_bootstrap import bootstrap
from reports.statistics_score import score_interval

Kind = Literal["single", "cascade", "label", "difficulty", "oracle"]
MOST_MODELS = 6
_CENTS = Decimal("0.000001")


@dataclass(frozen=True)
class _Task:
    """One task: what share of attempts each model passed, and what an attempt cost."""

    row: TaskRow
    shares: dict[str, Fraction]
    costs: dict[str, Decimal]


@dataclass(frozen=True)
class _End:
    """How a route ended on one task."""

    solved: Fraction
    cost: Decimal


def routing(table: Results, rows: Sequence[TaskRow], models: Sequence[str]) -> Routing | None:
    """Every way to use these models, at most `MOST_MODELS`, on the tasks they share.

    None with fewer than two models or without a task that all were scored on at a known cost.
    """
    tasks = _shared(table, rows, models[:MOST_MODELS])
    names = sorted(models[:MOST_MODELS], key=lambda name: (_cost(tasks, name), name))
    if len(names) < 2 or not tasks:
        return None
    best = max(names, key=lambda name: (_solved(tasks, name), -names.index(name)))
    routes = [_route("single", (name,), [_single(task, name) for task in tasks]) for name in names]
    chains = [*combinations(names, 2), *([tuple(names)] if len(names) > 2 else [])]
    routes += [_route("cascade", of, [_cascade(task, of) for task in tasks]) for of in chains]
    routes += _by_kind("label", tasks, names, _labels(tasks))
    routes += _by_kind("difficulty", tasks, names, lambda task: size_of(task.row))
    routes.append(_route("oracle", names, [_oracle(task) for task in tasks]))
    return Routing(tasks=len(tasks), best_single=best, routes=tuple(routes))


def _shared(table: Results, rows: Sequence[TaskRow], models: Sequence[str]) -> list[_Task]:
    did = {name: scored(table, name) for name in models}
    found = []
    for row in rows:
        here = {name: did[name][row.id] for name in models if row.id in did[name]}
        costs = {name: one.cost for name, one in here.items() if one.cost is not None}
        if len(costs) == len(models):
            found.append(_Task(row, {name: one.share for name, one in here.items()}, costs))
    return found


def _cost(tasks: Sequence[_Task], name: str) -> Decimal:
    return sum((task.costs[name] for task in tasks), Decimal(0))


def _solved(tasks: Sequence[_Task], name: str) -> Fraction:
    return sum((task.shares[name] for task in tasks), Fraction(0))


def _single(task: _Task, name: str) -> _End:
    return _End(task.shares[name], task.costs[name])


def _cascade(task: _Task, names: Sequence[str]) -> _End:
    """Expected over attempts: each next model is asked with the chance that all before failed."""
    *asked, left = _left(tuple(task.shares[name] for name in names))
    cost = Decimal(0)
    for name, chance in zip(names, asked, strict=True):
        cost += task.costs[name] * chance.numerator / chance.denominator
    return _End(1 - left, cost)


@lru_cache(maxsize=10_000)
def _left(shares: tuple[Fraction, ...]) -> list[Fraction]:
    """The chance that all before failed, of each and of one more; few differ between tasks."""
    return list(accumulate(shares, lambda left, share: left * (1 - share), initial=Fraction(1)))


def _oracle(task: _Task) -> _End:
    """The surest model, the cheapest of equals."""
    name = min(task.shares, key=lambda name: (-task.shares[name], task.costs[name]))
    return _single(task, name)


def _labels(tasks: Sequence[_Task]) -> Callable[[_Task], str]:
    """A task's most frequent label; empty where it has none."""
    counts = Counter(label for task in tasks for label in task.row.labels)

    def label(task: _Task) -> str:
        return min(task.row.labels, key=lambda name: (-counts[name], name), default="")

    return label


def _by_kind(
    kind: Kind, tasks: Sequence[_Task], names: Sequence[str], group: Callable[[_Task], str]
) -> list[Route]:
    """The model that did best on all other tasks of the same kind; none where that is always one.

    A task has no say in who is chosen for it, or every route would look better than it is.
    """
    groups = [group(task) for task in tasks]
    members: dict[str, list[_Task]] = {name: [] for name in groups}
    for task, name in zip(tasks, groups, strict=True):
        members[name].append(task)
    sums = {group: _sums(alike, names) for group, alike in members.items()}
    overall = _sums(tasks, names)
    chosen = []
    for task, mine in zip(tasks, groups, strict=True):
        seen = sums[mine] if len(members[mine]) > 1 else overall
        chosen.append(min(names, key=lambda name: _without(seen[name], task, name)))
    if len(set(groups)) < 2 or len(set(chosen)) < 2:
        return []
    ends = [_single(task, name) for task, name in zip(tasks, chosen, strict=True)]
    return [_route(kind, [name for name in names if name in chosen], ends)]


def _sums(tasks: Sequence[_Task], names: Sequence[str]) -> dict[str, tuple[Fraction, Decimal]]:
    return {name: (_solved(tasks, name), _cost(tasks, name)) for name in names}


def _without(
    sums: tuple[Fraction, Decimal], task: _Task, name: str
) -> tuple[Fraction, Decimal, str]:
    """What ranks a model for a task: all it solved but that one, then what that cost."""
    return task.shares[name] - sums[0], sums[1] - task.costs[name], name


def _route(kind: Kind, names: Sequence[str], ends: Sequence[_End]) -> Route:
    solved = [end.solved for end in ends]
    interval = score_interval(solved)
    assert interval is not None  # there is a task
    costs = [float(end.cost) for end in ends]
    drawn = bootstrap([costs, [1.0] * len(ends)])
    return Route(
        kind=kind,
        models=tuple(names),
        solved=float(sum(solved) / len(solved)),
        solved_low=interval.low,
        solved_high=interval.high,
        cost_per_task_usd=_money(sum((end.cost for end in ends), Decimal(0)) / len(ends)),
        cost_low_usd=_money(Decimal(drawn.low)) if drawn else None,
        cost_high_usd=_money(Decimal(drawn.high)) if drawn else None,
    )


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(_CENTS)
