"""What flows from stage to stage: Candidate → Task → Patch → Verdict.

Each record is frozen and knows only what its stage can know. Field names are a public
contract: they are what stands in the run folder's JSON Lines files.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.mined import Candidate as Candidate
from core.mined import Difficulty as Difficulty
from core.mined import Dropped as Dropped
from core.mined import DropReason as DropReason
from core.mined import Expected as Expected
from core.mined import Link as Link
from core.mined import Part as Part
from core.mined import Record as Record
from core.mined import StatementSource as StatementSource
from core.mined import TaskId as TaskId
from core.outcomes import RULES
from core.outcomes import Cause as Cause
from core.outcomes import Outcome as Outcome
from core.outcomes import Stop as Stop

# --- validating ---------------------------------------------------------------------------


class Unstable(Part):
    """A test that did not give the same result in equal runs."""

    test: str
    before: tuple[int, int]
    """Of the runs without the fix: how many passed, out of how many."""
    after: tuple[int, int]
    """The same with the fix."""


class Environment(Part):
    """What a task's tests ran in."""

    recipe: str
    """Where it was found: `patchmark.toml`, a CI file's path, `files`."""
    toolchain: str
    """Interpreter or compiler as it names itself."""
    resolved: tuple[str, ...] = ()
    """What was installed, a requirement each; the first says as of when, where that is known."""
    cpus: float
    fixed: dict[str, str] = Field(default_factory=dict)
    """What was the same in each run: time zone, locale …"""


class Task(Candidate):
    """A proven candidate: these tests fail before the fix and pass after it."""

    fail_to_pass: tuple[str, ...] = Field(min_length=1)
    pass_to_pass: tuple[str, ...]
    unstable: tuple[Unstable, ...] = ()  # in neither list above
    scope: Literal["suite", "files"] = "suite"
    """Where both lists come from: all tests or, if these are too slow, the touched files."""
    left_out: tuple[str, ...] = ()
    """Test files removed before each run: even with the fix, each takes all others with it."""
    image: str
    """Content id of the image that holds the base commit and its dependencies."""
    environment: Environment
    tripwires: tuple[str, ...] = ()
    """Kinds of tests that must fail, and did with the real fix; a judgement plants the same."""
    habits: tuple[str, ...] = ()
    """What the suite does to its own runner with the real fix in place."""
    test_command: str
    """Shell that runs the tests."""
    results: str
    """The form of what it leaves behind."""
    key: str
    """Hash of candidate, recipe and grader; equal key = nothing to validate again."""


# --- solving ------------------------------------------------------------------------------


class Usage(BaseModel):
    """Tokens billed. One convention for all providers.

    `input_tokens` counts the whole prompt and INCLUDES cache reads and writes;
    `output_tokens` counts all that was generated and INCLUDES reasoning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_tokens: int = Field(default=0, ge=0)
    cache_read_tokens: int = Field(default=0, ge=0)
    cache_write_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    reasoning_tokens: int = Field(default=0, ge=0)


class Call(Part):
    """How long one answered question took; what was waited before it was sent is in none."""

    seconds: float
    """From sending the request to its last token."""
    first_token_seconds: float | None
    output_tokens: int | None


class Patch(Record):
    """What an entrant answered to a task, and what that took."""

    task_id: TaskId
    entrant: str
    attempt: int = Field(ge=1)
    diff: str
    """Unified git diff against the base commit; empty unless `stop` is `answered`."""
    stop: Stop
    detail: str = ""
    cost_usd: Decimal | None
    """US dollars billed, all retries and failures included; None = unknown, never 0."""
    usage: Usage | None
    seconds: float | None
    """Wall clock from sending the request to the last token; None for baselines and batches."""
    first_token_seconds: float | None = None
    calls: tuple[Call, ...] = ()
    """The questions that were answered, in order."""
    failed_requests: int = 0
    """Those that brought no usable answer, and were asked again or given up."""
    backoff_seconds: float = 0
    """Waited between such a failure and asking again; in no other time."""
    queued_seconds: float = 0
    """Waited for a place among the service's requests, its rate limits or money; likewise."""
    requested_model: str | None = None
    served_model: str | None = None
    replayed: bool = False
    batched: bool = False
    """Whether an answer came by batch: at half price, within hours."""
    fiction: str | None = None
    """Set when the answer was written by hand; must be shown wherever the answer is."""
    exchanges: tuple[str, ...] = ()
    """Files below the run folder that hold the raw requests and answers."""


class Probe(Record):
    """What a model wrote when it was told a fix's repository and title, and nothing else."""

    task_id: TaskId
    entrant: str
    stop: Stop
    detail: str = ""
    similarity: float | None = Field(default=None, ge=0, le=1)
    """Share of the fix's own words that the answer holds, see `core.echo`; None = no diff."""
    verbatim: tuple[str, ...] = ()
    """Telling lines of the fix that stand in the answer, white space made even."""
    cost_usd: Decimal | None
    """US dollars billed, all retries and failures included; None = unknown, never 0."""
    usage: Usage | None
    replayed: bool = False
    fiction: str | None = None
    """Set when the answer was written by hand; must be shown wherever the answer is."""
    exchanges: tuple[str, ...] = ()
    """Files below the run folder that hold the raw requests and answers."""


class Cutoff(Part):
    """The day up to which a model's training data reach, that day included."""

    day: date
    stated: str
    """As its source states it: a month, `2026-01`, or a day."""
    source: str
    read_on: date | None = None
    """When the source was read; None for the user's own settings."""


# --- judging ------------------------------------------------------------------------------


class Verdict(Record):
    """What the repository's own tests say about one patch."""

    task_id: TaskId
    entrant: str
    attempt: int = Field(ge=1)
    key: str
    """Hash of task, patch, image and grader: equal key = nothing to judge again."""
    outcome: Outcome
    cause: Cause | None
    detail: str = ""
    not_fixed: tuple[str, ...] = ()
    """FAIL_TO_PASS tests that did not pass."""
    broken: tuple[str, ...] = ()
    """PASS_TO_PASS tests that did not pass."""
    dropped_edits: tuple[str, ...] = ()
    """Test and runner files the patch wanted to change; those edits were not applied."""
    applied: str = ""
    """What it took to lay the patch: `exact`, or the first rung that held and what was mended."""
    evidence: tuple[str, ...] = ()
    """Of `tampered`: what the patch did."""
    seconds: float | None = None
    """Wall clock of the container that ran the tests."""

    @model_validator(mode="after")
    def _cause_fits(self) -> Self:
        causes = RULES[self.outcome].causes
        if self.cause not in causes and (causes or self.cause is not None):
            raise ValueError(f"{self.cause} cannot be the cause of `{self.outcome}`")
        return self
