"""How long answers took, and what was waited besides: counted from patches, put into words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from core.report import Latency, Report
from core.types import Patch
from reports import numbers

NOTES: tuple[str, ...] = (
    (
        "Times are medians, and 95th percentiles (p95, nearest rank). A call is from sending a "
        "request to its last token; a task is all its calls, and an agent's commands. Tokens per "
        "second are all that was generated, reasoning included, by the seconds of the whole call."
    ),
    (
        "What was waited is in no other time: after failures before asking again, and in line for "
        "a place among the service's requests, for its rate limits or for money."
    ),
)


@dataclass(frozen=True)
class LatencyLine:
    """One row of the table of times; of several words the first is shown largest."""

    name: str
    calls: str
    first_token: tuple[str, ...]
    call: tuple[str, ...]
    speed: str
    task: tuple[str, ...]
    failed: str
    waited: tuple[str, ...]


def latency(patches: Sequence[Patch]) -> Latency | None:
    """Count one entrant's times; None where it asked nothing."""
    calls = [call for patch in patches for call in patch.calls]
    failed = sum(patch.failed_requests for patch in patches)
    if not calls and not failed:
        return None
    first = [call.first_token_seconds for call in calls]
    whole = [call.seconds for call in calls]
    tasks = [patch.seconds for patch in patches]
    speeds = [
        call.output_tokens / call.seconds
        for call in calls
        if call.output_tokens is not None and call.seconds > 0
    ]
    return Latency(
        calls=len(calls),
        first_token_p50=p50(first),
        first_token_p95=p95(first),
        call_p50=p50(whole),
        call_p95=p95(whole),
        tokens_per_second_p50=p50(speeds),
        task_p50=p50(tasks),
        task_p95=p95(tasks),
        failed_requests=failed,
        backoff_seconds=round(sum(patch.backoff_seconds for patch in patches), 3),
        queued_seconds=round(sum(patch.queued_seconds for patch in patches), 3),
    )


def p50(values: Iterable[float | None]) -> float | None:
    """The median of what is known."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def p95(values: Iterable[float | None]) -> float | None:
    """The smallest that 95 % of the known values do not exceed: of fewer than 20 the largest."""
    known = sorted(value for value in values if value is not None)
    return known[math.ceil(0.95 * len(known)) - 1] if known else None


def latency_lines(report: Report) -> list[LatencyLine]:
    """The table of times; empty where nothing was asked."""
    return [_line(row.name, row.latency) for row in report.entrants if row.latency is not None]


def _line(name: str, of: Latency) -> LatencyLine:
    speed = of.tokens_per_second_p50
    return LatencyLine(
        name=name,
        calls=f"{of.calls:,}",
        first_token=_both(of.first_token_p50, of.first_token_p95),
        call=_both(of.call_p50, of.call_p95),
        speed=numbers.NONE if speed is None else f"{speed:,.0f}",
        task=_both(of.task_p50, of.task_p95),
        failed=f"{of.failed_requests:,}",
        waited=_waited(of),
    )


def _both(middle: float | None, high: float | None) -> tuple[str, ...]:
    if middle is None:
        return (numbers.NONE,)
    return numbers.seconds(middle), f"p95 {numbers.seconds(high)}"


def _waited(of: Latency) -> tuple[str, ...]:
    """`12 s after failures`, `3.1 s in line`; what rounds to nothing is left out."""
    parts = [(of.backoff_seconds, "after failures"), (of.queued_seconds, "in line")]
    words = [f"{numbers.seconds(seconds)} {what}" for seconds, what in parts if seconds >= 0.05]
    return tuple(words) or (numbers.NONE,)
