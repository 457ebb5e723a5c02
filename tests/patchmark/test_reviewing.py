"""Opinions as a run asks for them: of what passed, of a model and of a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.calc_repo import CALC, CalcRepo, diff
from support.fake_anthropic import FakeAnthropic
from support.loopback import Behaviour, in_order

from core.errors import UsageError
from core.opinion import CRITERIA
from core.redact import NOTHING
from core.report import Report
from core.store import RunFolder
from core.types import Candidate, Cause, Environment, Outcome, Patch, Stop, Task, Verdict
from patchmark.pipeline import finish
from patchmark.progress import Show
from patchmark.reviewing import review_stage
from patchmark.run import opened
from patchmark.settings import Flags, make

OPUS, OTHER = "anthropic:claude-opus-4-8", "anthropic:claude-haiku-4-5"
FIXED = CALC.replace("    return a - b\n", "    return a + b\n", 1)
SCORES = dict.fromkeys(CRITERIA, 3)
EVEN = json.dumps({"A": SCORES, "B": SCORES, "better": "A", "why": "it is first"})


def _records(candidate: Candidate) -> list[Any]:
    task = Task(
        **dict(candidate),
        fail_to_pass=("t",), pass_to_pass=(), image="sha256:0", test_command="pytest",
        results="lines", key="k",
        environment=Environment(recipe="files", toolchain="Python", cpus=1.0),
    )  # fmt: skip
    found: list[Any] = [candidate, task]
    for entrant, passed in ((OPUS, True), (OTHER, False), ("reference", True)):
        outcome, cause = (Outcome.PASSED, None) if passed else (Outcome.FAILED, Cause.MODEL)
        found += [
            Patch(
                task_id=task.id, entrant=entrant, attempt=1, diff=f"{task.gold_patch}+# {entrant}",
                stop=Stop.ANSWERED, cost_usd=None, usage=None, seconds=None,
            ),
            Verdict(
                task_id=task.id, entrant=entrant, attempt=1, key="k", outcome=outcome, cause=cause
            ),
        ]  # fmt: skip
    return found


class Team:
    """A run folder with one patch that passed, one that failed, and a model's API."""

    def __init__(self, folder: Path, server: FakeAnthropic):
        self.folder, self.server = folder, server
        repo = CalcRepo.make(folder / "repo")
        with RunFolder(folder / "out", NOTHING) as out:
            for record in _records(repo.candidate({"calc.py": FIXED})):
                out.append(record)

    def review(
        self, judge: str | None = OPUS, rubric: Path | None = None, budget: str | None = None
    ) -> Report:
        flags = Flags(
            repo=self.folder / "repo", out=self.folder / "out", judge_model=judge, rubric=rubric,
            models=f"reference,{OPUS},{OTHER}", budget_usd=budget,
        )  # fmt: skip
        environment = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": self.server.url}
        console = Console(quiet=True)
        with opened(
            make(flags, environment), lambda budget: Show(console, lambda: budget.spent)
        ) as run:
            review_stage(run)
            return finish(run).report


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with FakeAnthropic(in_order(Behaviour(text=EVEN))) as server:
        yield Team(tmp_path, server)


def test_only_what_passed_is_judged_and_paid_for_once(team: Team) -> None:
    report = team.review()
    assert report.quality is not None
    (row,) = report.quality.rows
    # A judge that always takes the first shown is found out.
    assert (row.entrant, row.pairs, row.even, row.swayed) == (OPUS, 1, 1, 1)
    assert (report.quality.first_shown, report.quality.sided) == (2, 2)
    assert len(team.server.asked) == 2
    assert team.review().quality == report.quality
    assert team.review(judge=None).quality == report.quality  # as `patchmark report` tells it
    assert len(team.server.asked) == 2


def test_without_money_no_opinion_is_asked_for_and_the_report_is_written(team: Team) -> None:
    """A worst case is $0.40 and the question, an answer costs $0.01: one of two is sent."""
    poor = team.review(budget="0.41")
    assert len(team.server.asked) == 1
    assert poor.quality is not None
    team.review(budget="9")
    assert len(team.server.asked) == 2


def test_a_person_fills_in_a_form_that_tells_no_authors(team: Team) -> None:
    form = team.folder / "form.jsonl"
    assert team.review(judge=None, rubric=form).quality is None
    text = form.read_text()
    head, *lines = map(json.loads, text.splitlines())
    assert "correctness" in " ".join(head["rubric"])
    (line,) = lines
    assert set(line) == {"pair", "better", "problem", "A", "B"}
    assert team.review(rubric=form).quality is not None
    assert form.read_text() == text, "a form is written once"
    line["better"] = "tie"
    form.write_text(f"{json.dumps(head)}\n{json.dumps(line)}\n")
    agreement = getattr(team.review(rubric=form).quality, "agreement", None)
    assert agreement is not None
    assert (agreement.pairs, agreement.same, agreement.kappa) == (1, 1, None)
    line["better"] = "both"
    form.write_text(f"{json.dumps(head)}\n{json.dumps(line)}\n")
    with pytest.raises(UsageError, match=r"form\.jsonl:2: better"):
        team.review(rubric=form)


def test_an_opinion_on_another_patch_is_not_told(team: Team) -> None:
    team.review()
    with RunFolder(team.folder / "out", NOTHING) as out:
        (patch,) = [p for p in out.read(Patch) if p.entrant == OPUS]
        out.append(patch.model_copy(update={"diff": diff({"calc.py": f"{FIXED}\n"})}))
    assert team.review(judge=None).quality is None
