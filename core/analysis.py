"""What a report's statistics hold: the numbers, never the words. Field names are a public contract.

Shares are from 0 to 1, money is US dollars, intervals are at 95 %. The unit is always the task:
several attempts at one task are one observation. How each is reckoned: `reports/statistics*.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from core.mined import Part
from core.outcomes import Cause

Finding = Literal["yes", "no", "undecided"]
Called = Literal["better", "worse"]


class Ratio(Part):
    """First divided by second, both summed over the paired tasks."""

    tasks: int
    value: float
    low: float | None
    high: float | None
    """Bootstrap interval, whole tasks drawn; None for too few tasks, and without the anchor."""


class Comparison(Part):
    """Two models on the tasks both were scored on."""

    first: str
    second: str
    tasks: int
    wins: int
    """Tasks of which the first passed the larger share of attempts."""
    losses: int
    ties: int
    difference: float | None
    """Mean over tasks of the first's share minus the second's, -1 to 1; None without a task."""
    low: float | None
    high: float | None
    p: float
    """Two-sided: exact McNemar; with several attempts a permutation within tasks."""
    p_holm: float
    """The same after Holm's correction for all comparisons of the report."""
    called: Called | None
    """What may be said of the first; None = no difference can be called."""
    not_worse: Finding | None = None
    """Whether the first is worse than the second by less than the margin; None where the second
    is not the anchor. Corrected for the number of models that are asked about."""
    not_worse_p: float | None = None
    """One-sided, before that correction."""
    cost: Ratio | None = None
    """None where an attempt's cost is unknown, or nothing was paid."""
    seconds: Ratio | None = None
    detectable: float | None = None
    """The smallest true difference that this many tasks would find 4 times of 5; None = none."""
    more_tasks: int | None = None
    """Tasks to add before a firm answer comes 4 times of 5, if what was seen holds; 0 = there is
    one, None = cannot be told or beyond any repository."""


class PassAt(Part):
    """What several attempts at one task bring."""

    k: int
    tasks: int
    """Tasks with at least k scored attempts."""
    any_of: float
    """pass@k: at least one of k attempts passes."""
    all_of: float
    """pass^k: each of k attempts passes."""


class EntrantFigures(Part):
    """What is known of one entrant beyond its row in the table."""

    entrant: str
    tasks: int
    """Tasks with a scored attempt."""
    rate: float | None
    """Mean over tasks of the share of scored attempts that passed."""
    low: float | None
    high: float | None
    """Score interval with the task as unit; with one attempt each it is Wilson's."""
    asked_rate: float | None
    """The same where an attempt that could not be scored counts as not passed."""
    asked_low: float | None
    asked_high: float | None
    pass_at: tuple[PassAt, ...] = ()
    causes: dict[Cause, int]
    """Who has to answer for the attempts that did not pass."""
    cost_per_attempt_usd: Decimal | None = None
    """Mean of the scored attempts; None when one of them is unknown."""
    on_frontier: bool | None = None
    """Nobody passes as much for less, by what was seen; None where cost or rate is unknown."""
    dominated_by: str | None = None
    """One who passes at least as much and costs no more."""


class Route(Part):
    """A way to use one or several models, reckoned from what they did on the same tasks."""

    kind: Literal["single", "cascade", "label", "difficulty", "oracle"]
    """`cascade`: the next where the tests fail. `label`, `difficulty`: by the kind of task, learned
    on all other tasks. `oracle`: the right one each time, which nobody can know."""
    models: tuple[str, ...]
    """In the order they are asked; all that can be chosen where it is no cascade."""
    solved: float
    """Mean share of tasks."""
    solved_low: float
    solved_high: float
    cost_per_task_usd: Decimal
    cost_low_usd: Decimal | None
    cost_high_usd: Decimal | None
    """Bootstrap interval, whole tasks drawn; None for too few tasks."""


class Routing(Part):
    """Ways to use the models, on the tasks all of them were scored on at a known cost."""

    tasks: int
    best_single: str
    """Solves the most of these tasks; the cheaper of equals."""
    routes: tuple[Route, ...]


class GroupRate(Part):
    """One entrant on one group of tasks."""

    entrant: str
    tasks: int
    rate: float | None
    low: float | None
    high: float | None


class Group(Part):
    """Tasks that have something in common."""

    name: str
    tasks: int
    rates: tuple[GroupRate, ...]


class Breakdown(Part):
    """Pass rates by one property of the tasks. It shows where to look and proves no difference."""

    by: Literal["difficulty", "year", "cutoff", "area", "statement"]
    """`cutoff`: each model by its own training cutoff."""
    groups: tuple[Group, ...]


class Analysis(Part):
    """What can be said about the models of a run, and how surely."""

    current: str | None
    """The model that the team uses, where it was named and took part."""
    anchor: str | None
    """Whom the others are compared with: the current model, else the highest pass rate."""
    margin: float
    """How much worse is still as good, as a share."""
    fewest_tasks: int
    """Below this many paired tasks nothing can be called."""
    comparisons: tuple[Comparison, ...] = ()
    """Those with the anchor first, it being the second of them; then every other pair."""
    entrants: tuple[EntrantFigures, ...] = ()
    routing: Routing | None = None
    """None without two models, or without tasks they share at known costs."""
    breakdowns: tuple[Breakdown, ...] = ()


class Gate(Part):
    """A condition that the run was asked to meet."""

    name: Literal["fail-under", "fail-if-worse-than", "max-cost-per-solve"]
    asked: str
    state: Literal["met", "not met", "cannot be told"]
    why: str
