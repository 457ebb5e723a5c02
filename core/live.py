"""What the models would have done with one pull request: a record of the live trial.

Field names are a public contract: such records outlive the program that wrote them. Read back
from a branch or an artifact they are a stranger's text, so each is bounded.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from core.mined import DropReason, Part, Record, Sha, StatementSource, TaskId
from core.outcomes import RULES, Cause, Outcome

Name = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=500)]


class LiveCell(Part):
    """One entrant's attempt. Money is US dollars, times are seconds."""

    entrant: Name
    attempt: Annotated[int, Field(ge=1, le=100)]
    outcome: Outcome
    cause: Cause | None
    why: Words = ""
    """What kept it from passing."""
    cost_usd: Decimal | None
    """All that was billed; None = unknown, never 0."""
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    replayed: bool = False
    fiction: bool = False

    @model_validator(mode="after")
    def _cause_fits(self) -> Self:
        causes = RULES[self.outcome].causes
        if self.cause not in causes and (causes or self.cause is not None):
            raise ValueError(f"{self.cause} cannot be the cause of `{self.outcome}`")
        return self


class Unmeasured(Part):
    """Why a pull request was no task; that is nobody's failure."""

    reason: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    """A `DropReason`, or one of those below."""
    words: Words = ""


BROKEN = "task_broken"
"""The real change does not pass its own tests here, or no change does."""
APART = "kept_apart"
"""Its words give the change away, or say nothing."""
NOT_WANTED = "not_wanted"
"""The settings leave it out."""
TIME_UP = "time_was_up"
REASONS = frozenset({BROKEN, APART, NOT_WANTED, TIME_UP} | {str(reason) for reason in DropReason})


class LiveResult(Record):
    """One pull request, as a task."""

    repository: Name
    pull_request: Annotated[int, Field(ge=1, le=2**31)] | None
    """None for a commit that none is known of."""
    title: Name
    base: Sha
    head: Sha
    merged: bool
    """False for one that was still open, and tried for its label."""
    made_at: AwareDatetime
    patchmark_version: Name
    task_id: TaskId | None = None
    statement_source: StatementSource | None = None
    unmeasured: Unmeasured | None = None
    fail_to_pass: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Tests that fail before the change and pass with it."""
    cost_usd: Decimal | None
    """All that was billed for it, with what is in no cell; None when a part of it is unknown."""
    cells: Annotated[tuple[LiveCell, ...], Field(max_length=2_000)] = ()

    @property
    def measured(self) -> bool:
        """Whether any model's attempt says something about it."""
        return self.unmeasured is None and any(cell.outcome.scored for cell in self.cells)
