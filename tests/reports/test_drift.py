"""Drift of a model over weeks, told apart from noise."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import product

import pytest
from conftest import Golden
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.report_data import START, facts

from core.digest import Digest, DigestRow
from reports import statistics_trend
from reports.digest import digest_of
from reports.drift import drifts
from reports.history import text
from reports.statistics_paired import permutation_p
from reports.statistics_trend import latest_p, trend
from reports.tally import tally

MODEL = "openai:gpt-4o"


def run(week: int, letters: str, **changes: object) -> Digest:
    """One week's run of one model."""
    made = digest_of(tally(facts({MODEL: letters})))
    return made.model_copy(update={"made_at": START + timedelta(weeks=week), **changes})


def weeks(*letters: str) -> list[Digest]:
    """A run each week."""
    return [run(week, row) for week, row in enumerate(letters)]


def test_a_model_that_got_worse_is_found() -> None:
    (found,) = drifts(weeks("PPPPPPPPPPPP", "PPPPPPPPPPPP", "PPPFFFFFFFFF"))
    assert (found.runs, found.tasks, found.found) == (3, 12, "worse")
    assert (found.before, found.latest) == (1.0, 0.25)
    # By hand: for each of nine tasks the one failure of three runs is the latest.
    assert found.p == pytest.approx(1 / 3**9)


def test_a_slow_decline_is_found_by_its_slope() -> None:
    rows = [("P" * (14 - 2 * week)).ljust(14, "F") for week in range(6)]
    (found,) = drifts(weeks(*rows))
    assert found.found == "worse"
    assert found.per_30_days == pytest.approx(-30 / 7 * 2 / 14)
    assert found.trend_p < 0.001


def test_luck_is_no_drift() -> None:
    """Two weeks apart by two tasks of twelve looked like a decline to everybody who saw them."""
    (found,) = drifts(weeks("PPPPPPPPFFFF", "PPPPPPFFFFFF"))
    assert (found.found, found.p) == (None, 0.5)


def test_below_eight_shared_tasks_nothing_is_found() -> None:
    (found,) = drifts(weeks("PPPPPPP", "PPPPPPP", "PPPPPPP", "FFFFFFF"))
    assert found.p < 0.02
    assert found.found is None


def test_one_run_tells_no_drift_and_a_lost_digest_none_either() -> None:
    assert drifts([]) == []
    assert drifts(weeks("PPPPPPPPP")) == []
    emptied = run(1, "FFFFFFFFF")
    rows = tuple(row.model_copy(update={"results": {}}) for row in emptied.rows)
    assert drifts([run(0, "PPPPPPPPP"), emptied.model_copy(update={"rows": rows})]) == []


def plain(week: int, passed: Sequence[int], attempts: int = 1) -> Digest:
    """The same as `run`, without the report around it."""
    row = DigestRow(
        name=MODEL, baseline=False, tasks=len(passed) * attempts, scored=len(passed) * attempts,
        passed=sum(passed), cost_usd=None, cost_per_solve_usd=None, seconds_p50=None,
        results={f"{task:012x}": (did, attempts) for task, did in enumerate(passed)},
    )  # fmt: skip
    return Digest(
        repository="example/shop", head="a" * 40, made_at=START + timedelta(weeks=week),
        patchmark_version="0.1.0", rows=(row,),
    )  # fmt: skip


def test_a_model_that_is_nearly_always_right_does_not_seem_to_get_better() -> None:
    """With most tasks passed, noise was called a better model in 6 of 100 histories.

    A share of 11 earlier runs is then seldom 1, so that a pass lies above most of them. 120
    histories of 12 runs; by the binomial distribution 8 false ones are 1 chance in 90.
    """
    chance = random.Random(7)  # noqa: S311
    called = {"slope": 0, "latest": 0, "found": 0}
    for _ in range(120):
        rates = [chance.betavariate(5, 0.5) for _ in range(12)]
        history = [plain(n, [int(chance.random() < rate) for rate in rates]) for n in range(12)]
        (one,) = drifts(history)
        called["slope"] += one.trend_p < 0.025
        called["latest"] += one.p < 0.025
        called["found"] += one.found is not None
    assert max(called.values()) < 8, called


def test_fewer_attempts_than_before_are_no_drift() -> None:
    """Going from three attempts to one made one history of twelve runs in seven a drift.

    120 histories of 6 runs, the latest with one attempt; 8 false ones are 1 chance in 90.
    """
    chance = random.Random(5)  # noqa: S311
    called = 0
    for _ in range(120):
        rates = [chance.betavariate(0.6, 0.4) for _ in range(12)]
        history = []
        for week, tries in enumerate([3] * 5 + [1]):
            did = [sum(chance.random() < rate for _ in range(tries)) for rate in rates]
            history.append(plain(week, did, tries))
        (one,) = drifts(history)
        called += one.p < 0.025
    assert called < 8


def test_all_attempts_count_in_what_is_shown() -> None:
    history = [plain(0, [3] * 9, 3), plain(1, [2] * 9, 3), plain(2, [1] * 9)]
    (found,) = drifts(history)
    assert found.before == pytest.approx(5 / 6)
    assert found.latest == 1
    assert found.per_30_days == pytest.approx(0, abs=1e-9)


SHARES = st.sampled_from([Fraction(n, 2) for n in range(3)])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(SHARES, min_size=2, max_size=4), min_size=1, max_size=6))
def test_the_latest_against_all_before_counts_every_choice(tasks: list[list[Fraction]]) -> None:
    def away(one: list[Fraction], at: int) -> Fraction:
        others = one[:at] + one[at + 1 :]
        return one[at] - sum(others, Fraction(0)) / len(others)

    choices = list(product(*(range(len(one)) for one in tasks)))
    sums = [
        sum((away(one, at) for one, at in zip(tasks, all_at, strict=True)), Fraction(0))
        for all_at in choices
    ]
    seen = abs(sum((away(one, len(one) - 1) for one in tasks), Fraction(0)))
    assert latest_p(tasks) == pytest.approx(sum(abs(d) >= seen for d in sums) / len(sums))
    two = [one[-2:] for one in tasks]
    assert latest_p(two) == pytest.approx(permutation_p([b - a for a, b in two]))


def test_where_exact_is_too_long_the_sample_is_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares of all kinds of attempts have no common grid: the exact sum would take for ever."""
    tasks = [[Fraction(n % (k + 2), k + 2) for n in (1, k, 3 * k)] for k in range(8)]
    exact = latest_p(tasks)
    monkeypatch.setattr(statistics_trend, "_MOST_STEPS", 1)
    assert latest_p(tasks) == pytest.approx(exact, abs=0.02)
    assert latest_p([[Fraction(0), Fraction(1)]] * 40) == 1 / 5_001
    odd = [[Fraction(n, 900_001 + 7 * n), Fraction(1, n + 2)] for n in range(40)]
    assert latest_p(odd) > 0


def test_a_slope_written_out_is_the_slope_in_random_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ("FFPFPP", "PFFPPP", "FPFPFF", "FFFFFP")
    tasks = [[(t * t * 1.0, float(did == "P")) for t, did in enumerate(row)] for row in rows]
    written = trend(tasks)
    monkeypatch.setattr(statistics_trend, "_MOST_ORDERS", 0)
    assert trend(tasks).p_value == pytest.approx(written.p_value, abs=0.02)
    assert 0.01 < written.p_value < 0.9


def test_large_histories_use_the_normal_approximation_and_agree() -> None:
    chance = random.Random(3)  # noqa: S311
    one = [(float(t), float(chance.random() < 0.5 + 0.004 * t)) for t in range(60)]
    few, many = trend([one]), trend([one] * 8)
    assert few.slope == pytest.approx(many.slope)
    assert many.p_value < few.p_value
    assert trend([[(0.0, 1.0), (0.0, 0.0)]]).slope is None


@pytest.mark.parametrize(
    "odd",
    [
        {"cost_per_solve_usd": "1e30"},  # was a crash: more digits than can be rounded
        {"seconds_p50": 1e308},
        {"name": "\u202e\x1b[31m| m"},
        {"served_models": ["x" * 200] * 9},
        {"results": {f"{n:012x}": [n, 900_000 + 7 * n] for n in range(60)}},
        {"results": {"0" * 12: [0, 1]}},
    ],
)
def test_a_digest_that_somebody_edited_is_shown_within_its_lines(odd: dict[str, object]) -> None:
    row = plain(1, [1] * 9).rows[0].model_dump(mode="json") | odd
    whole = plain(1, [1] * 9).model_dump(mode="json") | {"rows": [row, row]}
    edited = Digest.model_validate_json(json.dumps(whole))
    lines = text([plain(0, [1] * 9), edited, plain(2, [0] * 9), edited]).splitlines()
    assert max(map(len, lines)) <= 80
    assert not {"\u202e", "\x1b"} & set("".join(lines))


def test_a_moment_without_a_zone_is_no_digest() -> None:
    """It came before or after no other: the history died of a TypeError."""
    odd = plain(1, [1]).model_dump(mode="json") | {"made_at": "2026-02-01T00:00:00"}
    with pytest.raises(ValidationError, match="timezone"):
        Digest.model_validate_json(json.dumps(odd))


def test_what_a_terminal_shows(golden: Golden) -> None:
    history = weeks("PPPPPPPPPPPP", "PPPPFPPPPPPP", "PPPFFFFFFFFF")
    other = digest_of(tally(facts({"google:gemini-3.5-flash": "PPP"})))
    served = history[1].rows[0].model_copy(update={"served_models": ("gpt-4o-2026-03-01",)})
    history[1] = history[1].model_copy(update={"rows": (served,)})
    golden("history.txt", text([*history, other]) + "\n")
    assert text([]) == "There is no run in this history yet."
    assert all(len(line) <= 80 for line in text([*history, other]).splitlines())
