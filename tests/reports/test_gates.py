"""Gates: met, not met, and what cannot be told, which is never taken for met."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.report_cases import case
from support.report_data import facts

from core.report import Gate, Report
from core.types import Patch
from reports.gates import Wanted, gates
from reports.markdown import comment
from reports.tally import tally


def run(results: dict[str, str], price: str | None = "0.05") -> Report:
    def adjust(answer: Patch) -> Patch:
        return answer.model_copy(update={"cost_usd": None if price is None else Decimal(price)})

    return tally(facts(results, adjust=adjust))


def only(report: Report, wanted: Wanted) -> Gate:
    (found,) = gates(report, wanted)
    return found


@pytest.mark.parametrize(
    ("results", "least", "state", "why"),
    [
        ({"a": "PPFF", "b": "FFFF"}, 0.5, "met", "a passed 50 % (2/4)"),
        ({"a": "PPFF", "b": "FFFF"}, 0.51, "not met", "a passed 50 % (2/4)"),
        ({"a": "VB"}, 0.0, "cannot be told", "Nothing was scored"),
        ({"reference": "PP", "empty": "FF"}, 1.0, "met", "reference passed 100 % (2/2)"),
        ({"reference": "PP", "a": "PF"}, 0.6, "not met", "a passed 50 % (1/2)"),
    ],
)
def test_fail_under(results: dict[str, str], least: float, state: str, why: str) -> None:
    found = only(run(results), Wanted(fail_under=least))
    assert (found.state, found.why) == (state, why)


@pytest.mark.parametrize(
    ("results", "price", "state", "why"),
    [
        ({"a": "PPFF"}, "0.05", "met", "a cost $0.10 per solved task"),
        ({"a": "PFFF"}, "0.05", "not met", "a cost $0.20 per solved task"),
        ({"a": "FFFF"}, "0.05", "not met", "a solved nothing"),
        ({"a": "PPPP"}, None, "cannot be told", "What a cost is unknown"),
        ({"a": "BB"}, "0.05", "cannot be told", "Nothing was scored"),
    ],
)
def test_max_cost_per_solve(
    results: dict[str, str], price: str | None, state: str, why: str
) -> None:
    found = only(run(results, price), Wanted(max_cost_per_solve=Decimal("0.1")))
    assert (found.state, found.why) == (state, why)


@pytest.mark.parametrize(
    ("new", "base", "state", "why"),
    [
        ("F" * 8, "P" * 8, "not met", "new beside base on 8 shared tasks: worse, p = 0.0078"),
        ("P" * 8, "F" * 8, "met", "new beside base on 8 shared tasks: better, p = 0.0078"),
        # By hand: 5 losses of 5 that differ is p = 2 / 32, and by eye 25 points worse.
        (
            "F" * 5 + "P" * 15, "P" * 20, "met",
            "new beside base on 20 shared tasks: not shown to be worse, p = 0.062, which is no "
            "proof that it is not: up to 52 points worse would fit",
        ),
        (
            "PF" * 50, "PF" * 50, "met",
            "new beside base on 100 shared tasks: not worse by more than 10 points (95 %)",
        ),
        (
            "F" * 7 + "V", "P" * 8, "cannot be told",
            "new beside base on 7 shared tasks: a paired test takes at least 8",
        ),
        ("V" * 9, "P" * 9, "cannot be told", "No other model was scored"),
        ("P" * 9, "V" * 9, "cannot be told", "base was not scored in this run"),
    ],
)  # fmt: skip
def test_fail_if_worse_than(new: str, base: str, state: str, why: str) -> None:
    report = run({"reference": "P" * len(new), "base": base, "new": new})
    found = only(report, Wanted(fail_if_worse_than="base"))
    assert (found.state, found.why) == (state, why)


def test_the_best_of_the_others_stands_for_them() -> None:
    report = run({"base": "P" * 10, "bad": "F" * 10, "good": "P" * 10})
    assert only(report, Wanted(fail_if_worse_than="base")).state == "met"
    absent = only(report, Wanted(fail_if_worse_than="typo"))
    assert (absent.state, absent.why) == ("cannot be told", "typo was not scored in this run")


def test_what_was_not_asked_is_no_gate() -> None:
    assert gates(run({"a": "P"}), Wanted()) == ()
    wanted = Wanted(fail_under=0, fail_if_worse_than="a", max_cost_per_solve=Decimal(0))
    assert [gate.name for gate in gates(run({"a": "P"}), wanted)] == [
        "fail-under", "fail-if-worse-than", "max-cost-per-solve"
    ]  # fmt: skip


def test_a_missed_gate_stands_above_the_numbers_and_a_met_one_below() -> None:
    report = case("one task")
    wanted = Wanted(fail_under=0.5, max_cost_per_solve=Decimal("0.001"))
    text = comment(report.model_copy(update={"gates": gates(report, wanted)}))
    head, rest = text.split("| Model |", 1)
    assert "> Gate max-cost-per-solve &#36;0.0010: not met. a cost &#36;0.012 per solved" in head
    assert "Gate fail-under 50 %: met. a passed 100 % (1/1)." in rest
    assert "Gate fail-under" not in head
