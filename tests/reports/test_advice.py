"""What the verdict says about the team's current model, and that it never says more."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from support.report_data import facts

from core.report import Report
from core.types import Patch
from reports.tally import tally

HALF = "PF" * 50
PRICES = {"dear": "0.1", "cheap": "0.03", "unpriced": None}
SECONDS = {"dear": 40.0, "cheap": 10.0}


def report(results: dict[str, str], current: str | None = "dear", margin: float = 0.1) -> Report:
    """A run where each model has a price and a pace, and tasks differ in both."""

    def adjust(answer: Patch) -> Patch:
        size = int(answer.task_id[:3], 16) % 20 + 10
        price = PRICES.get(answer.entrant, "0.05")
        cost = None if price is None else Decimal(price) * size / 20
        pace = SECONDS.get(answer.entrant, 20.0)
        return answer.model_copy(update={"cost_usd": cost, "seconds": pace * size / 20})

    return tally(replace(facts(results, adjust=adjust), current=current, margin=margin))


def test_as_good_and_surely_cheaper_is_a_reason_to_switch() -> None:
    assert report({"dear": HALF, "cheap": HALF}).verdict == (
        "Switch to cheap: not worse than dear by more than 10 points (95 %), 30 % of the cost, "
        "4.0× faster."
    )


def test_without_a_current_model_it_is_a_choice() -> None:
    found = report({"dear": HALF + "P", "cheap": HALF + "F"}, current=None).verdict
    assert found.startswith("Choose cheap: not worse than dear by more than 10 points (95 %)")


def test_the_margin_is_the_teams() -> None:
    """At 100 tasks half of them wins and losses that cancel, 10 points are open, 30 are not."""
    swapped = "PF" * 40 + "FP" * 10
    wide = report({"dear": HALF, "cheap": swapped}, margin=0.3).verdict
    assert wide.startswith("Switch to cheap: not worse than dear by more than 30 points (95 %)")
    assert report({"dear": HALF, "cheap": swapped}).verdict.startswith("Too early to tell")


def test_better_at_a_higher_price_says_both() -> None:
    assert report({"cheap": HALF, "dear": "P" * 100}, current="cheap").verdict == (
        "Switch to dear: better than cheap by 50 points (95 % interval 39 to 61), "
        "3.3 times the cost, 4.0× slower."
    )


def test_a_current_model_that_is_better_stays() -> None:
    assert report({"dear": "P" * 100, "cheap": HALF}).verdict == (
        "Stay with dear: cheap is worse by 50 points (95 % interval 39 to 61)."
    )


def test_as_good_but_not_cheaper_is_no_reason() -> None:
    assert report({"dear": HALF, "cheap": HALF}, current="cheap").verdict == (
        "Stay with cheap: dear is not worse by more than 10 points (95 %), "
        "but not shown to be cheaper."
    )
    unknown = report({"dear": HALF, "unpriced": HALF}).verdict
    assert unknown.startswith("Stay with dear: unpriced is not worse")


def test_cheaper_by_one_expensive_task_is_not_surely_cheaper() -> None:
    """29 % of the cost, but one task is all of the difference: the interval reaches 1."""

    def adjust(answer: Patch) -> Patch:
        costly = answer.entrant == "dear" and answer.task_id == first
        return answer.model_copy(update={"cost_usd": Decimal(50 if costly else "0.2")})

    run = facts({"dear": HALF, "cheap": HALF})
    first = run.tasks[0].id
    run = facts({"dear": HALF, "cheap": HALF}, adjust=adjust)
    found = tally(replace(run, current="dear"))
    assert found.analysis is not None
    (one,) = found.analysis.comparisons
    assert one.cost is not None
    assert one.cost.value < 0.3
    assert one.cost.high == 1
    assert found.verdict.startswith("Stay with dear: cheap is not worse")


def test_an_open_question_says_how_many_tasks_would_tell() -> None:
    found = report({"dear": "PPPPPPPPPPFFFF", "cheap": "PPPPPPPPFFFFPP"})
    assert found.verdict.startswith("Too early to tell: about ")
    assert "dear and cheap cannot be told apart on 14 tasks" in found.verdict
    assert found.analysis is not None
    (one,) = found.analysis.comparisons
    assert f"about {one.more_tasks} more tasks would, if they go like these" in found.verdict


@pytest.mark.parametrize("tasks", [1, 7])
def test_below_eight_tasks_nothing_is_called_however_clear(tasks: int) -> None:
    found = report({"dear": "F" * tasks, "cheap": "P" * tasks})
    assert "cannot be told apart" in found.verdict
    assert found.analysis is not None
    (one,) = found.analysis.comparisons
    assert (one.called, one.not_worse, one.detectable) == (None, "undecided", None)
    assert one.cost is not None
    assert one.cost.high is None


def test_as_good_as_several_is_asked_more_carefully() -> None:
    """The cheapest of many that pass a test at 2.5 % would pass it too often."""
    alone = report({"dear": HALF, "cheap": HALF}, margin=0.06)
    crowd = {f"m{n}": "F" * 100 for n in range(8)}
    among = report({"dear": HALF, "cheap": HALF, **crowd}, margin=0.06)
    finding = {}
    for name, of in (("alone", alone), ("among", among)):
        assert of.analysis is not None
        finding[name] = next(c for c in of.analysis.comparisons if c.first == "cheap")
    assert finding["alone"].not_worse_p == finding["among"].not_worse_p
    assert 0.025 / 9 < (finding["alone"].not_worse_p or 0) <= 0.025
    assert (finding["alone"].not_worse, finding["among"].not_worse) == ("yes", "undecided")


def test_a_current_model_that_was_not_scored_is_nobodys_anchor() -> None:
    found = report({"dear": "V" * 9, "cheap": "P" * 9, "other": "F" * 9})
    assert found.analysis is not None
    assert (found.analysis.current, found.analysis.anchor) == (None, "cheap")
    assert found.verdict.startswith("cheap solves more than other")
