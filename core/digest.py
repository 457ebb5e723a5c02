"""The numbers of a run, small enough to travel: within a comment, or through years of a history.

Field names are a public contract: digests outlive the program that wrote them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.mined import Part, Record, TaskId

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Name = Annotated[str, Field(max_length=200)]


class DigestRow(Part):
    """One entrant. Money is US dollars, times are seconds."""

    name: Name
    baseline: bool
    tasks: Count
    """(task, attempt) pairs that were asked for."""
    scored: Count
    passed: Count
    cost_usd: Decimal | None
    """All that was billed; None when a part of it is unknown."""
    cost_per_solve_usd: Decimal | None
    seconds_p50: float | None
    served_models: tuple[Name, ...] = ()
    results: dict[TaskId, tuple[Count, Count]] = Field(default_factory=dict)
    """Task → passed and scored attempts, where any was scored. Empty = left out for its size."""

    @property
    def pass_rate(self) -> float | None:
        """Passed / scored; None when nothing was scored."""
        return self.passed / self.scored if self.scored else None


class Digest(Record):
    """One run."""

    repository: Name
    head: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")]
    """Commit that the run looked at."""
    made_at: datetime
    patchmark_version: Name
    rows: tuple[DigestRow, ...]
