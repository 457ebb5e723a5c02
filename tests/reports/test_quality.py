"""Opinions are counted as they are, show their bias, and change no rate."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest
from support.report_data import facts, task

from core.opinion import CRITERIA, PEOPLE, Better, Opinion
from core.types import Stop, Task
from reports.html import page
from reports.markdown import comment
from reports.quality import quality_notes, quality_of
from reports.statistics import linear_kappa
from reports.tally import tally

NAME, JUDGE = "anthropic:claude-opus-4-8", "openai:gpt-4o"
TASKS = [task(n) for n in range(5)]


def look(of: Task, better: Better | None, order: Literal[1, 2] = 1, judge: str = JUDGE) -> Opinion:
    """One look; the patch is shown first in the first."""
    return Opinion(
        judge=judge,
        task_id=of.id,
        entrant=NAME,
        attempt=1,
        order=order,
        pair=of.id,
        first="patch" if order == 1 else "fix",
        stop=Stop.ANSWERED if better else Stop.UNREADABLE,
        better=better,
        patch_scores=dict.fromkeys(CRITERIA, 4) if better else {},
        fix_scores=dict.fromkeys(CRITERIA, 2) if better else {},
        cost_usd=Decimal("0.01"),
    )


def _orders(
    first: Better | None, second: Better | None
) -> list[tuple[Literal[1, 2], Better | None]]:
    return [(1, first), (2, second)]


SAID: list[tuple[Better | None, Better | None]] = [
    ("patch", "patch"), ("fix", "fix"), ("tie", "tie"), ("patch", "fix"), ("patch", None),
]  # fmt: skip
LOOKS = [
    look(one, better, order)
    for one, (first, second) in zip(TASKS, SAID, strict=True)
    for order, better in _orders(first, second)
]


def test_opinions_are_counted() -> None:
    found = quality_of(LOOKS, [NAME])
    assert found is not None
    (row,) = found.rows
    assert (row.pairs, row.better, row.even, row.worse, row.swayed) == (5, 1, 2, 1, 1)
    assert (row.score, row.fix_score) == (4.0, 2.0)
    # Of seven sides taken, the first shown: patch once, fix once, the swayed pair twice, the last.
    assert (found.sided, found.first_shown) == (7, 5)
    assert found.unanswered == {"unreadable": 1}
    assert found.cost_usd == Decimal("0.10")
    assert found.agreement is None


def test_a_model_is_measured_against_a_person() -> None:
    people = [
        look(TASKS[0], "patch", judge=PEOPLE),
        look(TASKS[1], "patch", judge=PEOPLE),
        look(TASKS[2], "tie", judge=PEOPLE),
        look(TASKS[4], "tie", judge=PEOPLE),  # the model's answer is not whole
    ]
    found = quality_of([*LOOKS, *people], [NAME])
    assert found is not None
    assert found.judge == JUDGE
    assert found.agreement is not None
    assert (found.agreement.pairs, found.agreement.same) == (3, 2)
    # Person 0, 0, 1 and model 0, 2, 1: 1 - 3·2 / (2·1·1 + 2·1·2 + 1·1·1 + 1·1·1) = 1 - 6/8.
    assert found.agreement.kappa == pytest.approx(0.25)
    alone = quality_of(people, [NAME])
    assert alone is not None
    assert (alone.judge, alone.rows[0].better, alone.rows[0].even) == (PEOPLE, 2, 2)


@pytest.mark.parametrize(
    ("pairs", "kappa"),
    [
        ([(0, 0), (1, 1), (2, 2)], 1.0),
        ([(0, 2), (2, 0)], -1.0),
        ([(0, 0), (0, 2), (2, 0), (2, 2)], 0.0),
        ([(1, 1)], None),
        ([], None),
    ],
)
def test_kappa(pairs: list[tuple[int, int]], kappa: float | None) -> None:
    assert linear_kappa(pairs, 3) == kappa


def test_reports_show_it_beside_the_rate_and_never_in_it() -> None:
    plain = facts({NAME: "PPPPP"}, tasks=TASKS)
    without, report = tally(plain), tally(replace(plain, opinions=LOOKS))
    assert report.entrants == without.entrants
    assert report.verdict == without.verdict
    assert "Quality of passing patches" not in comment(without)
    for text in (comment(report), page(report)):
        assert "Quality of passing patches (a model's opinion)" in text.replace("&#39;", "'")
        assert "in no rate" in text
    bias = next(note for note in quality_notes(report) if "bias of position" in note)
    assert "5 of 7 times" in bias
    assert quality_of([], [NAME]) is None
