"""What follows from a run's records: comparisons, frontier, routing and breakdowns, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from support.report_cases import NAMES, case
from support.report_data import facts, patch, task, verdict

from core.analysis import Analysis, EntrantFigures, Route
from core.attempts import by_attempt
from core.report import Report
from core.types import Cause, Cutoff, Difficulty, Patch, StatementSource, Task
from reports.evidence import evidence_notes, evidence_tables
from reports.tally import tally

COSTS = {"cheap": "0.01", "middle": "0.02", "dear": "0.10"}


def report(results: dict[str, str], tasks: Sequence[Task] | None = None) -> Report:
    """A run where each model has one price an answer, and any other costs nothing known."""

    def adjust(answer: Patch) -> Patch:
        cost = COSTS.get(answer.entrant)
        return answer.model_copy(update={"cost_usd": Decimal(cost) if cost else None})

    return tally(facts(results, tasks=tasks, adjust=adjust))


def analysis(results: dict[str, str], tasks: Sequence[Task] | None = None) -> Analysis:
    found = report(results, tasks).analysis
    assert found is not None
    return found


def figures(of: Analysis) -> dict[str, EntrantFigures]:
    return {one.entrant: one for one in of.entrants}


def routes(of: Analysis) -> dict[tuple[str, ...], Route]:
    """By kind and models."""
    assert of.routing is not None
    return {(one.kind, *one.models): one for one in of.routing.routes}


def attempts(rows: dict[str, Sequence[str]]) -> Report:
    """A string of attempts for each task and model."""
    count, tries = len(next(iter(rows.values()))), len(next(iter(rows.values()))[0])
    tasks = [task(n) for n in range(count)]
    each = [
        (one, name, at, letter)
        for name, strings in rows.items()
        for one, string in zip(tasks, strings, strict=True)
        for at, letter in enumerate(string, 1)
    ]
    run = facts(dict.fromkeys(rows, "P" * count), tasks=tasks)
    return tally(
        replace(
            run,
            attempts=tries,
            patches=by_attempt(patch(one, name, at) for one, name, at, _ in each),
            verdicts=by_attempt(verdict(one, name, letter, at) for one, name, at, letter in each),
        )
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_run_has_an_analysis_and_its_tables_are_rectangular(name: str) -> None:
    found = case(name)
    assert found.analysis is not None
    for table in evidence_tables(found):
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.head)}
    assert all(sentence.endswith(".") for sentence in evidence_notes(found))


def test_each_pair_is_there_once_and_those_beside_the_anchor_come_first() -> None:
    of = analysis({"empty": "FFF", "a": "PPF", "b": "PFF", "c": "FFF"})
    assert of.anchor == "a"
    pairs = [(one.first, one.second, one.wins, one.losses, one.ties) for one in of.comparisons]
    assert pairs == [("b", "a", 0, 1, 2), ("c", "a", 0, 2, 1), ("b", "c", 1, 0, 2)]
    assert [one.not_worse is None for one in of.comparisons] == [False, False, True]


def test_attempts_at_one_task_are_one_observation() -> None:
    """Three attempts a task that always agree tell no more than one: the same p, six pairs."""
    three = attempts({"a": ["PPP"] * 9, "b": ["FFF"] * 9}).analysis
    one = attempts({"a": ["P"] * 9, "b": ["F"] * 9}).analysis
    assert three is not None
    assert one is not None
    assert three.comparisons[0].p == one.comparisons[0].p == 2 / 2**9
    assert three.comparisons[0].low == one.comparisons[0].low
    assert (three.entrants[0].low, three.entrants[0].tasks) == (one.entrants[0].low, 9)


def test_pass_at_k_by_hand() -> None:
    """Of two attempts at three tasks: both, one and none passed."""
    found = attempts({"a": ["PP", "PF", "FF"]}).analysis
    assert found is not None
    at = {one.k: (one.tasks, one.any_of, one.all_of) for one in found.entrants[0].pass_at}
    assert at == {1: (3, 1 / 2, 1 / 2), 2: (3, 2 / 3, 1 / 3)}
    once = attempts({"a": ["P", "F"]}).analysis
    assert once is not None
    assert once.entrants[0].pass_at == ()


def test_both_denominators() -> None:
    """Of 4 tasks one could not be scored: 2 of 3, and 2 of 4."""
    one = figures(analysis({"a": "PPFV"}))["a"]
    assert (one.tasks, one.rate, one.asked_rate) == (3, 2 / 3, 0.5)
    assert one.causes == {Cause.MODEL: 1, Cause.PROVIDER: 1}


def test_an_attempt_that_could_not_be_scored_counts_in_the_other_denominator() -> None:
    """One attempt of two passed and the other was lost: all of what was scored, half of asked."""
    found = attempts({"a": ["PV"] * 3}).analysis
    assert found is not None
    assert (found.entrants[0].rate, found.entrants[0].asked_rate) == (1.0, 0.5)


def test_the_frontier() -> None:
    """`middle` passes no more than `cheap` and costs more; of `unpriced` it cannot be told."""
    of = figures(analysis({"dear": "PPPF", "middle": "PFFF", "cheap": "PFFF", "unpriced": "PPPP"}))
    marks = {name: (one.on_frontier, one.dominated_by) for name, one in of.items()}
    assert marks == {
        "dear": (True, None),
        "cheap": (True, None),
        "middle": (False, "cheap"),
        "unpriced": (None, None),
    }
    assert of["dear"].cost_per_attempt_usd == Decimal("0.10")


def test_a_cascade_asks_the_dear_one_where_the_cheap_one_fails() -> None:
    """4 of 8 by the cheap one, 2 more by the dear one: 8 × 1 cent and 4 × 10 cents."""
    of = routes(analysis({"dear": "FFPPPPPP", "cheap": "PPPPFFFF"[:4] + "FFFF"}))
    found = of["cascade", "cheap", "dear"]
    assert (found.solved, found.cost_per_task_usd) == (1.0, Decimal("0.06"))
    assert found.cost_low_usd is not None
    assert found.cost_low_usd < Decimal("0.06") < (found.cost_high_usd or 0)
    assert of["single", "dear"].solved == 0.75
    oracle = of["oracle", "cheap", "dear"]
    assert (oracle.solved, oracle.cost_per_task_usd) == (1.0, Decimal("0.055"))
    best = analysis({"dear": "FFPPPPPP", "cheap": "PPPPFFFF"}).routing
    assert best is not None
    assert best.best_single == "dear"


def test_a_route_by_kind_learns_from_the_other_tasks_alone() -> None:
    """Two kinds, each with its model; and chance alone gives such a route nothing."""
    sizes = [5] * 4 + [80] * 4
    tasks = [
        task(n, difficulty=Difficulty(files=1, hunks=1, lines=lines), labels=())
        for n, lines in enumerate(sizes)
    ]
    apart = routes(analysis({"dear": "FFFFPPPP", "cheap": "PPPPFFFF"}, tasks))
    assert apart["difficulty", "cheap", "dear"].solved == 1.0
    # In each kind either solves every other task: whoever fails here did better elsewhere.
    chance = routes(analysis({"dear": "PFPFPFPF", "cheap": "FPFPFPFP"}, tasks))
    assert chance["difficulty", "cheap", "dear"].solved == 0.0
    assert not [kind for kind, *_ in apart if kind == "label"]


def test_tasks_without_a_known_cost_are_in_no_route() -> None:
    assert analysis({"unpriced": "PPF", "cheap": "PFF"}).routing is None
    assert analysis({"cheap": "PPF"}).routing is None
    some = analysis({"dear": "PPVF", "cheap": "PFPF"}).routing
    assert some is not None
    assert some.tasks == 3


def test_breakdowns_by_hand() -> None:
    tasks = [
        task(
            n,
            difficulty=Difficulty(files=1, hunks=1, lines=(4, 30, 99)[n % 3]),
            committed_at=datetime(2024 + n % 2, 5, 1, tzinfo=UTC),
            source_files=(("lib/api/a.py", "lib/core/b.py", "lib/c.py")[n % 3],),
            statement_source=list(StatementSource)[n % 2],
        )
        for n in range(6)
    ]
    run = facts({"a": "PFFPFF"}, tasks=tasks)
    cutoff = Cutoff(day=date(2024, 12, 31), stated="2024-12", source="test")
    of = tally(replace(run, cutoffs={"a": cutoff})).analysis
    assert of is not None
    found = {
        by.by: {group.name: (group.tasks, group.rates[0].rate) for group in by.groups}
        for by in of.breakdowns
    }
    assert found == {
        "difficulty": {
            "1–10 lines": (2, 1.0), "11–50 lines": (2, 0.0), "more than 50 lines": (2, 0.0)
        },
        "year": {"2024": (3, pytest.approx(1 / 3)), "2025": (3, pytest.approx(1 / 3))},
        "cutoff": {
            "up to the cutoff": (3, pytest.approx(1 / 3)),
            "after the cutoff": (3, pytest.approx(1 / 3)),
        },
        "area": {"lib": (2, 0.0), "lib/api": (2, 1.0), "lib/core": (2, 0.0)},
        "statement": {
            "issue": (3, pytest.approx(1 / 3)), "pull_request": (3, pytest.approx(1 / 3))
        },
    }  # fmt: skip


def test_reports_from_before_there_were_statistics_still_load() -> None:
    old = report({"a": "PF", "b": "FF"}).model_dump(mode="json")
    del old["analysis"], old["gates"]
    found = Report.model_validate(old)
    assert found.analysis is None
    assert evidence_tables(found) == []
    assert evidence_notes(found) == []
