"""The verdict line, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from support.report_data import demo, facts, task, verdict

from core.attempts import by_attempt
from core.types import Patch
from reports.comparison import pair
from reports.results import results
from reports.tally import tally


def line(results: dict[str, str], **prices: str | None) -> str:
    """The verdict of a run; prices are dollars an answer."""

    def adjust(answer: Patch) -> Patch:
        if answer.entrant not in prices:
            return answer
        price = prices[answer.entrant]
        return answer.model_copy(update={"cost_usd": None if price is None else Decimal(price)})

    return tally(facts(results, adjust=adjust)).verdict


A10 = "PPPPPPPPPPFFFF"
B8 = "PPPPPPPPFFFFFF"
NONE = "F" * 14
ALL = "P" * 14


def test_two_models_that_cannot_be_told_apart_are_told_by_price() -> None:
    assert line({"a": A10, "b": B8}, a="0.05", b="0.01") == (
        "Too early to tell: about 100 more tasks would, if they go like these. "
        "a and b cannot be told apart on 14 tasks; "
        "b costs 25 % of a per solved task ($0.018 to $0.070)."
    )


def test_a_real_difference_is_called() -> None:
    """10 tasks to none: p = 2 / 2¹⁰."""
    assert line({"a": A10, "b": NONE}, a="0.05") == (
        "a solves more than b: on 14 shared tasks it did better on 10 and worse on 0 (p = 0.002)."
    )


def test_a_real_difference_names_both_prices() -> None:
    assert line({"a": ALL, "b": "PP" + "F" * 12}, a="0.05", b="0.01").endswith(
        "better on 12 and worse on 0 (p < 0.001). Per solved task: a $0.050 and b $0.070."
    )


def test_overlap_is_judged_in_pairs_and_not_by_rates() -> None:
    """9 of 14 against 4 of 14, but won 7 and lost 2: p = 0.18."""
    found = line({"a": "PPPPPPPFFPPFFF", "b": "FFFFFFFPPPPFFF"})
    assert "cannot be told apart on 14 tasks" in found


def test_a_p_value_that_would_do_for_two_models_does_not_for_five() -> None:
    """7 to 0 is p = 0.016: below 0.025, above 0.025 / 10."""
    seven = "P" * 7 + "F" * 7
    assert line({"a": seven, "b": NONE}).startswith("a solves more than b")
    many = line({"a": seven, "b": NONE, "c": NONE, "d": NONE, "e": NONE})
    assert many.startswith("Too early to tell: about 8 more tasks would tell about b, if they go")
    assert "a, b, c and 2 others cannot be told apart on 14 tasks; only a solved any" in many


def test_beaten_models_are_named_after_the_leaders() -> None:
    found = line({"a": ALL, "b": ALL[:-1] + "F", "c": NONE}, a="0.02", b="0.03")
    assert found == (
        "Too early to tell: about 429 more tasks would, if they go like these. "
        "a and b cannot be told apart on 14 tasks; a costs 62 % of b per solved task "
        "($0.020 to $0.032). a solves more than c."
    )


def test_one_model_that_beats_all_others() -> None:
    found = line({"a": ALL, "b": NONE, "c": NONE}, a="0.05")
    assert found == "a solves more than each of the 2 other models (p < 0.001 for each)."


def test_too_few_tasks_call_no_difference_however_clear_it_looks() -> None:
    """7 to 0 is p = 0.016 and still too little to act on."""
    assert line({"a": "PPPPPPP", "b": "FFFFFFF"}) == (
        "Too early to tell: about 1 more task would, if they go like these. "
        "a and b cannot be told apart: with 7 shared tasks no difference can be called, that "
        "takes at least 8; only a solved any, at $0.012 per solved task."
    )


def test_tasks_only_one_was_scored_on_are_not_compared() -> None:
    found = line({"a": "PPPPPPPPBBBBBB", "b": "VVFFFFFFFFFFFF"})
    assert "a and b cannot be told apart: with 6 shared tasks" in found
    assert found.endswith("8 of 28 attempts were not scored.")


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ({"a": None, "b": None}, "; what they cost is unknown."),
        ({"a": None, "b": "0.01"}, "; b costs $0.018 per solved task, a an unknown sum."),
        ({"a": "0", "b": "0.01"}, "; a costs the least, $0 per solved task."),
        ({"a": "0.08", "b": "0.064"}, "; each costs $0.11 per solved task."),
    ],
)
def test_prices_are_never_guessed(prices: dict[str, str | None], words: str) -> None:
    assert line({"a": A10, "b": B8}, **prices).endswith(words)


def test_baselines_are_never_recommended() -> None:
    found = line({"reference": ALL, "empty": NONE, "a": A10, "b": B8})
    assert "a and b cannot be told apart" in found
    assert "reference" not in found


def test_broken_tasks_silence_everything_else() -> None:
    found = line({"reference": ALL[:-2] + "FE", "empty": NONE[:-1] + "P", "a": ALL, "b": NONE})
    assert found == (
        "TASKS ARE BROKEN: the real fixes passed only 12 of 14 and the empty patch passed 1 of "
        "14. No number below may be trusted."
    )


def test_no_tasks() -> None:
    assert tally(facts({"a": ""}, tasks=[])).verdict == (
        "No tasks, so nothing was measured: 412 commits looked at, 31 candidates, none of them "
        "proven by the tests."
    )


def test_no_models() -> None:
    found = line({"reference": ALL, "empty": NONE})
    assert found == "No model was entered: only baselines ran on 14 tasks."


def test_nothing_scored() -> None:
    assert line({"a": "BBV"}) == (
        "Nothing was scored: of 3 attempts 2 over budget and 1 provider failed. "
        "This says nothing about any model."
    )


def test_all_passed() -> None:
    assert line({"a": ALL, "b": ALL}, a="0.02", b="0.01") == (
        "Both a and b solved every task they were scored on, so these 14 tasks cannot tell them "
        "apart; b costs 50 % of a per solved task ($0.010 to $0.020)."
    )


def test_none_passed() -> None:
    assert line({"a": NONE, "b": NONE}) == (
        "Neither a nor b solved any of these 14 tasks: there is none to recommend."
    )
    assert line({"a": NONE}) == "a solved none of 14 scored attempts (95 % interval 0–22 %)."


def test_one_model_alone() -> None:
    assert line({"a": A10}, a="0.05") == (
        "a solved 10 of 14 scored attempts (71 %, 95 % interval 45–89 %) at $0.070 per solved "
        "task. There is no other model to compare it with."
    )
    assert "; what it cost is unknown." in line({"a": A10}, a=None)


def test_one_task() -> None:
    assert "with 1 shared task no difference" in line({"a": "P", "b": "F"})


def test_invented_and_recorded_answers_are_called_so_first() -> None:
    assert tally(demo()).verdict.startswith("Demo with invented answers: Too early to tell: about")
    run = facts({"a": A10, "b": B8}, adjust=lambda a: a.model_copy(update={"replayed": True}))
    assert tally(run).verdict.startswith("From recorded answers: Too early to tell: about")


def test_several_attempts_at_a_task_are_one_pair() -> None:
    """With 2 of 3 against 1 of 3 there is one win, not three pairs."""
    one = task(1)
    letters = {"a": "PPF", "b": "FPF"}
    verdicts = [
        verdict(one, name, letter, attempt)
        for name, row in letters.items()
        for attempt, letter in enumerate(row, 1)
    ]
    run = replace(
        facts({"a": "P", "b": "P"}, tasks=[one]), attempts=3, verdicts=by_attempt(verdicts)
    )
    found = pair(results(tally(run).tasks), "a", "b")
    assert found.differences == [Fraction(1, 3)]
