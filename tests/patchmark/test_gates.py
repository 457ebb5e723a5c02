"""Gates and the current model from the command line, on a run folder that needs no container."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.calc_repo import CalcRepo
from support.report_data import patch, task, verdict

from core.redact import NOTHING
from core.store import RunFolder
from core.types import Candidate
from patchmark.cli import main

BASE, NEW = "openai:base", "openai:new"
RESULTS = {BASE: "P" * 9, NEW: "F" * 9}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine tasks that one model solved and the other did not."""
    where = tmp_path_factory.mktemp("gates")
    CalcRepo.make(where / "repo")
    fields = set(Candidate.model_fields)
    with RunFolder(where / "out", NOTHING) as out:
        for number in range(9):
            one = task(number)
            out.append(Candidate.model_validate(one.model_dump(include=fields)))
            out.append(one)
            for name, letters in RESULTS.items():
                out.append(patch(one, name))
                out.append(verdict(one, name, letters[number]))
    return where


def report(folder: Path, *flags: str, models: str = f"{BASE},{NEW}") -> tuple[int, dict[str, Any]]:
    """Exit code of `patchmark report`, and what stands in report.json."""
    where = ["--repo", str(folder / "repo"), "--out", str(folder / "out"), "--models", models]
    code = main(["report", *where, *flags])
    return code, json.loads((folder / "out" / "report.json").read_text())


@pytest.mark.parametrize(
    ("flags", "code", "states"),
    [
        ((), 0, []),
        (("--fail-under", "0.9", "--max-cost-per-solve", "0.02"), 0, ["met", "met"]),
        (("--fail-if-worse-than", BASE), 1, ["not met"]),
        (("--fail-if-worse-than", NEW), 0, ["met"]),
        (("--max-cost-per-solve", "0.01"), 1, ["not met"]),
        (("--fail-if-worse-than", "openai:absent"), 5, ["cannot be told"]),
        (
            ("--fail-if-worse-than", "openai:absent", "--max-cost-per-solve", "0.01"), 1,
            ["cannot be told", "not met"],
        ),
    ],
)  # fmt: skip
def test_gates_end_in_an_exit_code_of_their_own(
    folder: Path,
    flags: tuple[str, ...],
    code: int,
    states: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, written = report(folder, *flags)
    assert found == code
    assert [gate["state"] for gate in written["gates"]] == states
    shown = " ".join(capsys.readouterr().out.split())
    assert [f": {state}." in shown for state in states] == [True] * len(states)


def test_the_current_model_and_the_margin_reach_the_verdict(folder: Path) -> None:
    code, found = report(folder, "--current-model", NEW, "--margin", "0.2")
    assert code == 0
    assert found["verdict"].startswith(f"Switch to {BASE}: better than {NEW} by 100 points")
    assert (found["analysis"]["current"], found["analysis"]["margin"]) == (NEW, 0.2)
    _, absent = report(folder, "--current-model", "openai:absent")
    assert absent["analysis"]["current"] is None
    told = "The current model, openai:absent, did not take part: nothing is compared with it."
    assert told in absent["notices"]
