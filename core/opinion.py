"""What somebody thinks of the quality of a patch that passed, beside the real fix."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from core.mined import Record, TaskId
from core.outcomes import Stop
from core.types import Usage

Better = Literal["patch", "tie", "fix"]
"""Which of the two is the better one, in the order from one end to the other."""
CRITERIA = ("correctness", "minimality", "readability", "fit", "documentation")
PEOPLE = "people"
"""Who judges where it is no model."""


class Opinion(Record):
    """One look at a patch and the real fix, side by side, by somebody who knows no authors."""

    judge: str
    """A model's name, or PEOPLE."""
    task_id: TaskId
    entrant: str
    attempt: int = Field(ge=1)
    order: Literal[1, 2]
    """Every pair is shown twice; the second time the other way round."""
    pair: str
    """Hash of both diffs: another one = about another patch."""
    first: Literal["patch", "fix"]
    """Which of the two was shown first, as A."""
    stop: Stop
    better: Better | None = None
    """None where nothing was answered."""
    patch_scores: dict[str, int] = Field(default_factory=dict)
    """Criterion → 1 to 5."""
    fix_scores: dict[str, int] = Field(default_factory=dict)
    why: str = ""
    detail: str = ""
    cost_usd: Decimal | None = None
    """US dollars billed, all retries and failures included; None = unknown, never 0."""
    usage: Usage | None = None
    exchanges: tuple[str, ...] = ()
    """Files below the run folder that hold the raw requests and answers."""


def opinion_key(opinion: Opinion) -> tuple[object, ...]:
    """Whose opinion of what it is."""
    return (opinion.judge, opinion.task_id, opinion.entrant, opinion.attempt, opinion.order)
