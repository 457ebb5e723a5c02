"""A change check in words: rows and lines that the comment and the terminal share."""

from __future__ import annotations

from dataclasses import dataclass

from core.analysis import Ratio
from core.change_check import ChangeCheck, ChangedItem, CheckedEntrant
from core.report import Cell, Report, TaskRow
from core.types import Outcome
from reports.change_check import more_words
from reports.escape import one_line
from reports.numbers import NONE, counted, money, p_value, per_cent, seconds
from reports.statistics import FEWEST_TASKS
from reports.view import attempts_note, sandbox_line
from reports.words import SIGNS, listing

_SIGNS = {"helps": "✅", "hurts": "❌", "as good": "🟰", "cannot be told": "❔"}


@dataclass(frozen=True)
class Line:
    """One model."""

    name: str
    base: str
    head: str
    better: str
    worse: str
    p: str
    says: str
    sign: str
    cost: str
    time: str


@dataclass(frozen=True)
class Moved:
    """A task that came out differently."""

    title: str
    entrant: str
    base: str
    head: str
    gained: bool


def lines(report: Report, change: ChangeCheck) -> list[Line]:
    """All models of the check, in their order."""
    return [_line(report, one) for one in change.entrants]


def _line(report: Report, one: CheckedEntrant) -> Line:
    rows = {row.name: row for row in report.entrants}
    base, head = rows.get(one.base), rows.get(one.head)
    comparison, says = one.comparison, one.says or "cannot be told"
    told = comparison is not None and comparison.tasks > 0
    costs = [money(row.cost_usd) if row else NONE for row in (base, head)]
    times = [seconds(row.seconds_p50) if row else NONE for row in (base, head)]
    return Line(
        name=name_of(one),
        base=per_cent(one.base_rate),
        head=per_cent(one.head_rate),
        better=f"{comparison.wins}" if comparison and told else NONE,
        worse=f"{comparison.losses}" if comparison and told else NONE,
        p=p_value(comparison.p_holm) if comparison and told else NONE,
        says=_says(one),
        sign=_SIGNS[says],
        cost=_with_ratio(costs, comparison.cost if comparison else None),
        time=_with_ratio(times, comparison.seconds if comparison else None),
    )


def name_of(one: CheckedEntrant) -> str:
    """A model, and what becomes of its settings."""
    return one.entrant if one.entrant == one.other else f"{one.entrant} → {one.other}"


def _says(one: CheckedEntrant) -> str:
    comparison, says = one.comparison, one.says or "cannot be told"
    if says != "cannot be told" or comparison is None:
        return says
    if comparison.tasks < FEWEST_TASKS:
        return f"{says}: below {FEWEST_TASKS} tasks nothing is called"
    return f"{says}: {more_words(comparison)}"


def _with_ratio(values: list[str], ratio: Ratio | None) -> str:
    text = " → ".join(values)
    if ratio is None:
        return text
    if ratio.low is None or ratio.high is None:
        return f"{text} (× {ratio.value:.2f})"
    return f"{text} (× {ratio.value:.2f}, {ratio.low:.2f}–{ratio.high:.2f})"


def moved(report: Report, change: ChangeCheck) -> list[Moved]:
    """Tasks of which more, or fewer, attempts pass; what got worse first."""
    found = [line for task in report.tasks for one in change.entrants for line in _moved(task, one)]
    return sorted(found, key=lambda line: line.gained)


def _moved(task: TaskRow, one: CheckedEntrant) -> list[Moved]:
    base, head = ([c for c in task.cells if c.entrant == name] for name in (one.base, one.head))
    before, after = _share(base), _share(head)
    if before is None or after is None or before == after:
        return []
    shown = ["".join(SIGNS[cell.outcome].emoji for cell in cells) for cells in (base, head)]
    return [Moved(task.title, name_of(one), shown[0], shown[1], after > before)]


def _share(cells: list[Cell]) -> float | None:
    counted = [cell for cell in cells if cell.outcome.scored]
    if not counted:
        return None
    return sum(cell.outcome is Outcome.PASSED for cell in counted) / len(counted)


def told_words(change: ChangeCheck) -> str:
    """The warning where a change tells the answers; "" where it does not."""
    if not change.told:
        return ""
    titles = listing([one_line(title, 60) for title in change.told], 3)
    return (
        f"What the change adds holds most of the fix of {counted(len(change.told), 'task')} "
        f"({titles}): to solve these with it says nothing about other work."
    )


def item_line(item: ChangedItem) -> str:
    """How it differs, and what there is to say of that."""
    return f"{item.how}; {item.why}" if item.why else item.how


def method(report: Report, change: ChangeCheck) -> list[str]:
    """What was held equal, and how to read the numbers."""
    several = attempts_note(report)
    return [
        _TASKS,
        _GUIDANCE,
        _TEST.format(per_cent(change.margin)),
        _COST,
        *([several] if several else []),
        *report.limits,
        *sandbox_line(report),
    ]


_TASKS = (
    "Both versions are asked the same tasks, which are fixes of the base's own history; of the "
    "change's history none is used. Tasks, attempts, budget, prices, environment, limits and "
    "commands are the base's for both."
)
_GUIDANCE = (
    "Guidance is laid over the repository as it was before each fix, in place of what stood there "
    "then, and is in no patch: guidance of today meets code of then, so rates are not those of a "
    "backtest. Models that are asked once find it in the question, agents also as files."
)
_TEST = (
    "The paired test is McNemar's exact one, with several attempts a permutation within tasks; p "
    f"is corrected for the number of models (Holm). Below {FEWEST_TASKS} tasks nothing is called. "
    "As good = surely not worse by {} of the tasks."
)
_COST = (
    "Cost is all that was billed for a version, time the median from sending a request to its last "
    "token; the factors are of this change by the base on the paired tasks, with 95 % intervals."
)
