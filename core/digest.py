"""The numbers of a run, small enough to travel: within a comment, or through years of a history.

Field names are a public contract: digests outlive the program that wrote them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

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
    results: dict[TaskId, tuple[Count, Annotated[Count, Field(ge=1)]]] = Field(default_factory=dict)
    """Task → passed and scored attempts, where any was scored. Empty = left out for its size."""

    @model_validator(mode="after")
    def _no_more_than_there_were(self) -> Self:
        if self.passed > self.scored or any(a > b for a, b in self.results.values()):
            raise ValueError("more attempts passed than were scored")
        return self

    @property
    def pass_rate(self) -> float | None:
        """Passed / scored; None when nothing was scored."""
        return self.passed / self.scored if self.scored else None


class Digest(Record):
    """One run."""

    repository: Name
    head: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")]
    """Commit that the run looked at."""
    made_at: AwareDatetime
    patchmark_version: Name
    rows: tuple[DigestRow, ...]


class Drift(Part):
    """How one entrant changed over the runs of a history, on tasks it was scored on repeatedly."""

    entrant: Name
    runs: int
    """Runs in which it was scored on one of these tasks."""
    since: datetime
    tasks: int
    """Tasks scored in the latest of these runs and in one before."""
    before: float | None
    """Mean over tasks of the mean share passed in earlier runs, 0 to 1; None without a task."""
    latest: float | None
    """The same in the latest run."""
    p: float
    """Two-sided: the latest run against all before; see `reports.drift`."""
    per_30_days: float | None
    """Slope of the share passed, over all runs and within tasks; None without time between."""
    trend_p: float
    found: Literal["better", "worse"] | None
    """What is no noise, corrected for all tests of all entrants; None = noise can explain it."""
    served_models: tuple[tuple[datetime, tuple[Name, ...]], ...] = ()
    """Ids that answered in place of the one asked for, each time they changed."""
