"""The Report: what `report.json` holds. Field names are a public contract."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import AwareDatetime

from core.analysis import Analysis as Analysis
from core.analysis import Gate as Gate
from core.change_check import ChangeCheck as ChangeCheck
from core.confinement import Confinement
from core.types import (
    Cause,
    Cutoff,
    Difficulty,
    Expected,
    Link,
    Outcome,
    Part,
    Record,
    StatementSource,
    Stop,
    TaskId,
)


class Latency(Part):
    """How long one entrant took, in seconds; medians and 95th percentiles (nearest rank).

    What was waited before a request was sent is in `backoff_seconds` and `queued_seconds` alone.
    """

    calls: int
    """Questions that were answered, repairs and steps of agents included."""
    first_token_p50: float | None
    first_token_p95: float | None
    call_p50: float | None
    """From sending a request to its last token."""
    call_p95: float | None
    tokens_per_second_p50: float | None
    """Output tokens of a call, reasoning included, by the seconds of all of it."""
    task_p50: float | None
    """All calls of one attempt at one task together, and an agent's commands."""
    task_p95: float | None
    failed_requests: int
    backoff_seconds: float
    """Waited between failures and asking again, over all attempts."""
    queued_seconds: float
    """Waited for a place among a service's requests, its rate limits or money."""


class EntrantRow(Part):
    """One entrant over all tasks. Rates are shares from 0 to 1; money is US dollars."""

    name: str
    baseline: bool
    """True for `reference` and `empty`, which measure the tasks and not a model."""
    tasks: int
    """(task, attempt) pairs that were asked for."""
    scored: int
    passed: int
    pass_rate: float | None
    """passed / scored; None when nothing was scored."""
    ci_low: float | None
    ci_high: float | None
    """95 % Wilson score interval of `pass_rate`."""
    cost_usd: Decimal | None
    """All that was billed, also for failures and probes; None when a part of it is unknown."""
    cost_per_solve_usd: Decimal | None
    """cost_usd without probes / passed; None when unknown or nothing passed."""
    seconds_p50: float | None
    """Median seconds from request to last token."""
    first_token_seconds_p50: float | None
    outcomes: dict[Outcome, int]
    """Counts by outcome; sums to `tasks`."""
    served_models: tuple[str, ...]
    """Model ids that answered, when another than the one asked for."""
    replayed: bool
    fiction: str | None
    latency: Latency | None = None
    """None where nothing was asked."""
    batched: bool = False
    """Whether answers came by batch: at half price, and in their own time."""


class GoldEcho(Part):
    """What a patch has in common with the real fix that nothing forces; see `core.echo`."""

    share: float
    """len(repeated) / own, 0 to 1."""
    own: int
    """Own words of the fix."""
    repeated: tuple[str, ...]


class Cell(Part):
    """One entrant's attempt at one task."""

    entrant: str
    attempt: int
    outcome: Outcome
    cause: Cause | None
    stop: Stop | None
    detail: str
    not_fixed: tuple[str, ...]
    broken: tuple[str, ...]
    dropped_edits: tuple[str, ...]
    cost_usd: Decimal | None
    seconds: float | None
    diff: str
    gold_echo: GoldEcho | None = None
    """None for baselines, without a patch, and where the fix has too few own words."""


class ProbeRow(Part):
    """What one model remembered of one fix."""

    entrant: str
    stop: Stop
    hit: bool
    similarity: float | None
    """Share of the fix's own words that the answer holds; None = it cannot be told."""
    verbatim: tuple[str, ...]
    """Telling lines of the fix that stand in the answer."""
    cost_usd: Decimal | None
    fiction: str | None


class Side(Part):
    """A model's pass rate on the tasks of one side of its cutoff."""

    tasks: int
    """Different tasks with a scored attempt."""
    scored: int
    passed: int
    pass_rate: float | None
    ci_low: float | None
    ci_high: float | None


class MemoryRow(Part):
    """What speaks for or against a model having learned the fixes by heart; in no rate."""

    entrant: str
    cutoff: Cutoff | None
    before: Side | None
    """Fixes up to the cutoff's day; None without a cutoff, and so is `after`."""
    after: Side | None
    probed: int
    """Fixes that were asked for by title and answered with a diff."""
    hits: int
    probes_usd: Decimal | None
    """What probes cost, part of the entrant's cost; 0 without any, None when unknown."""
    echoes: int
    """Patches whose echo of the real fix could be measured."""
    echo_median: float | None
    echo_high: int
    """Patches that repeat the real fix's own words to `core.echo.HIGH` or more."""


class TaskRow(Part):
    """One task and how every entrant did on it."""

    id: TaskId
    title: str
    committed_at: datetime
    statement: str
    statement_source: StatementSource
    issue: int | None
    fix_commit: str
    source_files: tuple[str, ...]
    gold_patch: str
    fail_to_pass: int
    pass_to_pass: int
    cells: tuple[Cell, ...]
    pull_request: int | None = None
    links: tuple[Link, ...] = ()
    labels: tuple[str, ...] = ()
    expects: tuple[Expected, ...] = ()
    leak: float = 0
    vagueness: float = 0
    difficulty: Difficulty = Difficulty(files=0, hunks=0, lines=0)
    runner_files: tuple[str, ...] = ()
    """Files of the change that steer how tests run."""
    probes: tuple[ProbeRow, ...] = ()


class QualityRow(Part):
    """What a judge thinks of one entrant's patches that passed; a pair is one beside the fix."""

    entrant: str
    pairs: int
    """Patches that passed and were looked at."""
    better: int
    """Pairs where the patch was preferred to the real fix in every look."""
    even: int
    """Ties, and pairs where the looks differ."""
    worse: int
    swayed: int
    """Pairs where the order in which they were shown changed the answer; part of `even`."""
    score: float | None
    """Mean of all criteria and looks, 1 to 5."""
    fix_score: float | None
    """The same of the real fixes beside them."""


class Agreement(Part):
    """A model's opinion against a person's, on the same pairs."""

    pairs: int
    same: int
    low: float
    high: float
    """95 % Wilson score interval of same / pairs."""
    kappa: float | None
    """Cohen's, with linear weights; None where it is not defined."""


class Quality(Part):
    """What somebody thinks of patches that passed; in no rate."""

    judge: str
    """A model's name, or `people`."""
    rows: tuple[QualityRow, ...]
    sided: int
    """Looks that preferred one of the two."""
    first_shown: int
    """Those of them that preferred the one shown first."""
    unanswered: dict[str, int]
    """Looks that brought nothing, by how they ended."""
    cost_usd: Decimal | None
    """All that was billed for it, in no entrant's cost; None when a part of it is unknown."""
    agreement: Agreement | None = None


class ApartRow(Part):
    """A candidate that counts in no rate, and why."""

    id: TaskId
    title: str
    fix_commit: str
    why: str


class DropRow(Part):
    """How many commits were dropped for one reason, with a few of them named."""

    reason: str
    stage: str
    count: int
    examples: tuple[str, ...]


class Report(Record):
    """Everything the three renderings of a run are made from."""

    repository: str
    head: str
    made_at: AwareDatetime
    patchmark_version: str
    verdict: str
    """The one line a busy person acts on."""
    tasks_broken: bool
    """`reference` was judged and did not pass, or `empty` passed something."""
    replayed: bool
    fiction: bool
    commits_seen: int
    candidates: int
    entrants: tuple[EntrantRow, ...]
    tasks: tuple[TaskRow, ...]
    dropped: tuple[DropRow, ...]
    limits: tuple[str, ...]
    """How tests were run and what that cannot show, one sentence each."""
    apart: tuple[ApartRow, ...] = ()
    """Candidates whose statement gives the fix away or says nothing."""
    apart_entrants: tuple[EntrantRow, ...] = ()
    """How entrants did on those of them that were run; in no other number."""
    apart_tasks: tuple[TaskRow, ...] = ()
    notices: tuple[str, ...] = ()
    """What a reader should know about where the tasks are from, one sentence each."""
    rewriter: str | None = None
    """The model that wrote statements anew."""
    rewriting_usd: Decimal | None = None
    """What that cost; None when unknown, or where nobody did."""
    memory: tuple[MemoryRow, ...] = ()
    """One row a model; empty where nothing is known of any."""
    quality: Quality | None = None
    """None where nobody was asked for an opinion."""
    sandbox: Confinement | None = None
    """What every test run was held to; None where nothing was judged."""
    analysis: Analysis | None = None
    """Comparisons and what follows from them; None in reports of before there were any."""
    partial: tuple[str, ...] = ()
    """What of all that was asked for the numbers are not of, one sentence each."""
    gates: tuple[Gate, ...] = ()
    """What the run was asked to meet, and whether it does."""
    change: ChangeCheck | None = None
    """What a change of guidance or settings does, where that was measured."""
