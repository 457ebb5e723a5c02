"""What every entrant did at every task: the numbers that all statistics start from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from core.report import Cell, TaskRow
from core.types import Outcome


@dataclass(frozen=True)
class Did:
    """One entrant's attempts at one task."""

    asked: int
    scored: int
    passed: int
    cost: Decimal | None
    """Mean of the scored attempts, US dollars; None when one is unknown."""
    seconds: float | None
    """Likewise, of their answers."""

    @cached_property
    def share(self) -> Fraction:
        """Passed of the scored attempts; there has to be one."""
        return Fraction(self.passed, self.scored)


Results = Mapping[str, Mapping[str, Did]]
"""By entrant and task; tasks in the order of the report."""


def results(tasks: Sequence[TaskRow]) -> Results:
    """All attempts, put together by entrant and task."""
    cells: dict[str, dict[str, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for task in tasks:
        for cell in task.cells:
            cells[cell.entrant][task.id].append(cell)
    return {
        entrant: {task: _did(tries) for task, tries in by_task.items()}
        for entrant, by_task in cells.items()
    }


def scored(table: Results, entrant: str) -> dict[str, Did]:
    """The tasks where an entrant has a scored attempt."""
    return {task: did for task, did in table.get(entrant, {}).items() if did.scored}


def _did(cells: Sequence[Cell]) -> Did:
    counted = [cell for cell in cells if cell.outcome.scored]
    costs = [cell.cost_usd for cell in counted if cell.cost_usd is not None]
    seconds = [cell.seconds for cell in counted if cell.seconds is not None]
    known, timed = len(costs) == len(counted) > 0, len(seconds) == len(counted) > 0
    return Did(
        asked=len(cells),
        scored=len(counted),
        passed=sum(cell.outcome is Outcome.PASSED for cell in counted),
        cost=sum(costs, Decimal(0)) / len(costs) if known else None,
        seconds=sum(seconds) / len(seconds) if timed else None,
    )
