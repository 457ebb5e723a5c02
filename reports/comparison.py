"""Two models on the tasks both were scored on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from core.report import Report
from core.types import Outcome
from reports.statistics import level, mcnemar_exact, tasks_needed

Shares = Mapping[str, Mapping[str, Fraction]]
"""By entrant and task: passed attempts over scored attempts, where any was scored."""


@dataclass(frozen=True)
class Paired:
    """On how many shared tasks one model did better than the other."""

    tasks: int
    wins: int
    losses: int

    @property
    def p_value(self) -> float:
        """Two-sided, exact McNemar."""
        return mcnemar_exact(self.wins, self.losses)

    def called(self, models: int) -> bool:
        """True where the first may be called better, in a run of so many models."""
        enough = self.tasks >= tasks_needed(models)
        return enough and self.wins > self.losses and self.p_value < level(models)


def shares(report: Report) -> Shares:
    """Each entrant's share of passed attempts, task by task."""
    counts: dict[str, dict[str, list[int]]] = {}
    for task in report.tasks:
        for cell in task.cells:
            if cell.outcome.scored:
                count = counts.setdefault(cell.entrant, {}).setdefault(task.id, [0, 0])
                count[0] += cell.outcome is Outcome.PASSED
                count[1] += 1
    return {
        name: {task: Fraction(*count) for task, count in tasks.items()}
        for name, tasks in counts.items()
    }


def compare(table: Shares, first: str, second: str) -> Paired:
    """The paired comparison of two entrants.

    A task is one pair however many attempts it had: whoever passed the larger share of them
    wins it. With one attempt each this is the table of McNemar's test.
    """
    ours, theirs = table.get(first, {}), table.get(second, {})
    both = ours.keys() & theirs.keys()
    return Paired(
        tasks=len(both),
        wins=sum(ours[task] > theirs[task] for task in both),
        losses=sum(ours[task] < theirs[task] for task in both),
    )
