"""What the numbers of a report can be followed down to: tests by name, and what was said.

None of it is in report.json: it is read from the run folder, cut to bounds, and says what was cut.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

Key = tuple[str, str, int]
"""Task, entrant, attempt."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spoken(_Part):
    """One request of an attempt, and what it brought."""

    asked: str
    answered: str
    left_out: int = 0
    """Characters of both that are in the file alone."""
    error: str = ""
    """Why it brought no answer."""
    waited: float = 0
    """Seconds before it was sent: after a failure, or in line."""
    worked: float = 0
    """Seconds from the answer before to that wait: what the model wanted done was done."""
    first_token: float | None = None
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = None
    file: str
    """Below the run folder."""


class AttemptTrail(_Part):
    """How one attempt went."""

    calls: tuple[Spoken, ...] = ()
    more_calls: int = 0
    """Requests in the middle that are only in the run folder."""
    test_seconds: float | None = None
    applied: str = ""
    """What it took to lay the patch, as in `Verdict.applied`."""
    did: tuple[str, ...] = ()
    """What a patch that reached for the tests did."""


class Trail(_Part):
    """Of a whole run; whatever is not in it was not kept."""

    fail_to_pass: dict[str, tuple[str, ...]] = {}
    """Names of the tests that must start to pass, by task."""
    attempts: dict[Key, AttemptTrail] = {}


NONE = Trail()
"""For a report without its run folder."""
