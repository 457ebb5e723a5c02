"""Two runs side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Golden
from support.report_data import demo, facts, patch, task, verdict

from core.attempts import by_attempt
from core.report import Report
from core.types import Patch
from patchmark.cli import main
from reports.across import across, text
from reports.files import write
from reports.tally import tally

MODEL, OTHER = "openai:gpt-4o", "google:gemini-3.5-flash"


def run(results: dict[str, str], first: int = 0, cents: str = "1") -> Report:
    """A run over the tasks from `first` on, an answer so many cents."""

    def adjust(answer: Patch) -> Patch:
        return answer.model_copy(update={"cost_usd": Decimal(cents) / 100})

    count = len(next(iter(results.values())))
    tasks = [task(number) for number in range(first, first + count)]
    return tally(replace(facts(results, tasks=tasks, adjust=adjust)))


def test_a_change_is_told_from_noise() -> None:
    before = run({MODEL: "FFFFFFFFFPPP", OTHER: "PPPPPPFFFFFF"})
    after = run({MODEL: "PPPPPPPPPPPP", OTHER: "PPPPPPPFFFFF"}, cents="2")
    found = across(before, after, 0.1)
    better, same = found.changes
    assert (better.comparison.called, better.comparison.wins) == ("better", 9)
    assert better.rates == (0.25, 1.0)
    assert better.comparison.cost is not None
    assert better.comparison.cost.value == pytest.approx(2)
    assert same.comparison.called is None
    assert [len(one.gained) for one in found.changes] == [9, 1]


def test_only_shared_tasks_are_compared() -> None:
    """A week with easier tasks looked like a better model."""
    found = across(run({MODEL: "F" * 10}), run({MODEL: "F" * 5 + "P" * 5}, first=5), 0.1)
    assert (found.shared, found.only_before, found.only_after) == (5, 5, 5)
    assert found.changes[0].rates == (0.0, 0.0)
    assert "below 8 tasks no change can be told" in text(found, 0.1)


def test_many_entrants_are_corrected_for() -> None:
    """Seven changed tasks of twelve is one chance in 64; of ten entrants one often has it."""
    names = [f"openai:m{n}" for n in range(10)]
    before = run(dict.fromkeys(names, "F" * 12))
    after = run({name: ("P" * 7 if name == names[0] else "").ljust(12, "F") for name in names})
    assert [one.comparison.called for one in across(before, after, 0.1).changes] == [None] * 10
    alone = across(run({names[0]: "F" * 12}), run({names[0]: "P" * 7 + "F" * 5}), 0.1)
    assert alone.changes[0].comparison.called == "better"


def test_what_many_entrants_leave_open_is_not_answered() -> None:
    """Each was judged alone first: a change called noise was said to need no more tasks."""
    names = [f"openai:m{n}" for n in range(10)]
    before = run(dict.fromkeys(names, "F" * 12))
    after = run({name: ("P" * 7 if name == names[0] else "").ljust(12, "F") for name in names})
    first = across(before, after, 0.1).changes[0].comparison
    (alone,) = across(run({names[0]: "F" * 12}), run({names[0]: "P" * 7 + "F" * 5}), 0.1).changes
    assert (first.called, alone.comparison.more_tasks) == (None, 0)
    assert (first.more_tasks or 0) > 0
    assert (first.detectable or 1) > (alone.comparison.detectable or 1)


def test_attempts_at_one_task_stay_together_and_what_was_not_scored_is_left_out() -> None:
    """Two attempts a task, one task without a judge: eight pairs, not seventeen."""

    def twice(letters: str) -> Report:
        tasks = [task(number) for number in range(9)]
        one = facts({MODEL: letters[:9]}, tasks=tasks)
        patches = [patch(of, MODEL, at) for of in tasks for at in (1, 2)]
        each = zip(tasks * 2, [1] * 9 + [2] * 9, letters, strict=True)
        verdicts = [verdict(of, MODEL, letter, at) for of, at, letter in each]
        return tally(
            replace(one, attempts=2, patches=by_attempt(patches), verdicts=by_attempt(verdicts))
        )

    before, after = twice("F" * 17 + "P"), twice("P" * 8 + "E" + "FFFFFFFF" + "E")
    (change,) = across(before, after, 0.1).changes
    assert (change.comparison.tasks, change.comparison.wins) == (8, 8)
    assert change.rates == (0.0, 0.5)
    assert change.comparison.p == 2 / 2**8


def test_as_good_and_worse_say_what_they_mean() -> None:
    half, margin = "PF" * 50, 0.125
    same = across(run({MODEL: half}), run({MODEL: half}), margin)
    assert "not worse than before by more than 12.5 points (95 %)" in text(same, margin)
    assert "no task changed" in text(
        across(run({MODEL: "PF" * 5}), run({MODEL: "PF" * 5}), 0.1), 0.1
    )
    worse = across(run({MODEL: "P" * 20}), run({MODEL: "F" * 20}), margin)
    assert "solves fewer than before" in text(worse, margin)


def test_invented_answers_and_broken_tasks_are_named_before_the_numbers() -> None:
    """Two demos were compared like two measurements."""
    lines = text(across(tally(demo()), tally(demo()), 0.1), 0.1).splitlines()
    assert lines[0].startswith(
        "Of the first run: answers of replay:careful and replay:hasty are fi"
    )
    broken = across(run({"reference": "F", MODEL: "P"}), run({MODEL: "P"}), 0.1)
    assert broken.warnings == ("Of the first run: its tasks are broken, trust no number below.",)


def test_one_model_each_is_compared_by_another_name() -> None:
    found = across(run({MODEL: "F" * 9}), run({OTHER: "P" * 9}), 0.1)
    assert (found.changes[0].before, found.changes[0].after) == (MODEL, OTHER)
    assert found.missing == ()


def test_what_a_terminal_shows(golden: Golden) -> None:
    before = run({"reference": "P" * 12, MODEL: "FFFFFFFFFPPP", OTHER: "PPPPPPFFFFFF"})
    after = run({"reference": "P" * 12, MODEL: "PPPPPPPPPPPP", "openai:new": "P" * 12}, cents="2")
    golden("compare.txt", text(across(before, after, 0.1), 0.1) + "\n")
    nobody = across(run({MODEL: "P", OTHER: "P"}), run({"openai:new": "P"}), 0.1)
    assert "No model took part in both." in text(nobody, 0.1)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, letters in (("a", "FFFFFFFFF"), ("b", "PPPPPPPPP")):
        write(run({MODEL: letters}), tmp_path / name)
    words = ["compare", str(tmp_path / "a"), str(tmp_path / "b" / "report.json")]
    assert main(words) == 0
    assert "pass rate 0 % → 100 % on 9 tasks" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert change["comparison"]["called"] == "better"
    for margin in ("0", "1", "nan"):
        assert main([*words, f"--margin={margin}"]) == 2
        assert "is a share, more than 0 and less than 1" in capsys.readouterr().err


def test_bad_input_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(run({MODEL: "P"}), tmp_path / "a")
    write(run({MODEL: "P"}).model_copy(update={"repository": "x/y"}), tmp_path / "b")
    (tmp_path / "odd.json").write_text("[]", encoding="utf-8")
    for other, words in (
        ("b", "about x/y"), ("odd.json", "odd.json: not a report"), ("c", "c: no report"),
    ):  # fmt: skip
        assert main(["compare", str(tmp_path / "a"), str(tmp_path / other)]) == 2
        assert words in capsys.readouterr().err.replace("\n", " ")
