"""Two runs side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Golden
from support.report_data import facts, task

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


def test_bad_input_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(run({MODEL: "P"}), tmp_path / "a")
    write(run({MODEL: "P"}).model_copy(update={"repository": "x/y"}), tmp_path / "b")
    (tmp_path / "odd.json").write_text("[]", encoding="utf-8")
    for other, words in (
        ("b", "about x/y"), ("odd.json", "odd.json: not a report"), ("c", "c: no report"),
    ):  # fmt: skip
        assert main(["compare", str(tmp_path / "a"), str(tmp_path / other)]) == 2
        assert words in capsys.readouterr().err.replace("\n", " ")
