"""How long answers took, per call and per task, and what was waited apart from that."""

from __future__ import annotations

from typing import Any

import pytest
from support.report_data import facts, patch, task

from core.types import Call, Patch, Stop
from reports.latency import latency, latency_lines, p50, p95
from reports.tally import tally


def call(seconds: float, first: float | None = None, tokens: int | None = None) -> Call:
    return Call(seconds=seconds, first_token_seconds=first, output_tokens=tokens)


def answer(*calls: Call, **changes: Any) -> Patch:
    return patch(task(1), "m", calls=calls, **changes)


def test_percentiles_are_values_that_were_measured() -> None:
    assert p50([]) is p95([None]) is None
    assert (p50([1, 2, 9, None]), p95([1, 2, 9, None])) == (2, 9)
    assert p95(range(1, 21)) == 19
    assert p95(range(1, 101)) == 95


def test_calls_and_tasks_are_counted_apart() -> None:
    """An attempt of three calls is one task; the two that ended before are of it as well."""
    found = latency(
        [
            answer(call(2, 1, 100), call(4, 2, 100), call(6, None, None), seconds=12.0),
            answer(call(8, 3, 1600), seconds=8.0),
            answer(stop=Stop.PROVIDER_FAILED, seconds=None, failed_requests=4, backoff_seconds=7.5),
        ]
    )
    assert found is not None
    assert (found.calls, found.call_p50, found.call_p95) == (4, 5, 8)
    assert (found.first_token_p50, found.first_token_p95) == (2, 3)
    assert found.tokens_per_second_p50 == 50
    assert (found.task_p50, found.task_p95) == (10, 12)
    assert (found.failed_requests, found.backoff_seconds, found.queued_seconds) == (4, 7.5, 0)


def test_who_asks_nothing_has_no_row() -> None:
    report = tally(facts({"reference": "P", "m": "P"}, adjust=_asked))
    assert [line.name for line in latency_lines(report)] == ["m"]
    assert report.entrants[0].latency is None


def _asked(given: Patch) -> Patch:
    calls = () if given.entrant == "reference" else (call(12.5, 0.8, 250),)
    return given.model_copy(update={"calls": calls})


@pytest.mark.parametrize(
    ("backoff", "queued", "words"),
    [
        (0.0, 0.0, ("–",)),
        (0.04, 0.01, ("–",)),
        (61.0, 0.0, ("1 min 01 s after failures",)),
        (1.0, 2.0, ("1.0 s after failures", "2.0 s in line")),
    ],
)
def test_waiting_in_words(backoff: float, queued: float, words: tuple[str, ...]) -> None:
    def adjust(given: Patch) -> Patch:
        waited = {"backoff_seconds": backoff, "queued_seconds": queued}
        return _asked(given).model_copy(update=waited)

    (line,) = latency_lines(tally(facts({"m": "P"}, adjust=adjust)))
    assert line.waited == words
    assert (line.first_token, line.call, line.speed) == (
        ("0.8 s", "p95 0.8 s"),
        ("12 s", "p95 12 s"),
        "20",
    )


def test_what_never_answered_has_no_times() -> None:
    def adjust(given: Patch) -> Patch:
        return given.model_copy(update={"seconds": None, "failed_requests": 4})

    (line,) = latency_lines(tally(facts({"m": "V"}, adjust=adjust)))
    assert (line.calls, line.failed) == ("0", "4")
    assert {line.first_token, line.call, (line.speed,), line.task} == {("–",)}
