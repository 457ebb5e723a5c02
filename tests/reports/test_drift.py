"""Drift of a model over weeks, told apart from noise."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from conftest import Golden
from support.report_data import START, facts

from core.digest import Digest
from reports.digest import digest_of
from reports.drift import drifts
from reports.history import text
from reports.statistics_trend import trend
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
    assert found.p == pytest.approx(2 / 2**9)  # nine tasks, all one way


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


def test_noise_is_called_drift_at_most_once_in_twenty_histories() -> None:
    """80 histories of a model that never changes, four weeks of twelve tasks each."""
    chance = random.Random(7)  # noqa: S311
    called = 0
    for _ in range(80):
        rates = [chance.random() for _ in range(12)]
        rows = ["".join("FP"[chance.random() < rate] for rate in rates) for _ in range(4)]
        called += any(one.found for one in drifts(weeks(*rows)))
    assert called <= 80 * 0.05 + 2 * (80 * 0.05 * 0.95) ** 0.5


def test_large_histories_use_the_normal_approximation_and_agree() -> None:
    chance = random.Random(3)  # noqa: S311
    one = [(float(t), float(chance.random() < 0.5 + 0.004 * t)) for t in range(60)]
    few, many = trend([one]), trend([one] * 8)
    assert few.slope == pytest.approx(many.slope)
    assert many.p_value < few.p_value
    assert trend([[(0.0, 1.0), (0.0, 0.0)]]).slope is None


def test_what_a_terminal_shows(golden: Golden) -> None:
    history = weeks("PPPPPPPPPPPP", "PPPPFPPPPPPP", "PPPFFFFFFFFF")
    other = digest_of(tally(facts({"google:gemini-3.5-flash": "PPP"})))
    served = history[1].rows[0].model_copy(update={"served_models": ("gpt-4o-2026-03-01",)})
    history[1] = history[1].model_copy(update={"rows": (served,)})
    golden("history.txt", text([*history, other]) + "\n")
    assert text([]) == "There is no run in this history yet."
    assert all(len(line) <= 80 for line in text([*history, other]).splitlines())
