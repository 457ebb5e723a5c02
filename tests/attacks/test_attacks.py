"""Every attack ends as not passed, is told for what it is, and leaves the next one alone."""

from __future__ import annotations

import pytest
from support.attacks import ATTACKS, Attack
from support.calc_repo import CALC, FIX_CALC, diff

from core.types import Outcome, Patch, Stop, Task, Verdict
from sandbox.judge import Judge

pytestmark = pytest.mark.docker


def judged(arena: tuple[Judge, Task], text: str) -> Verdict:
    judge, task = arena
    patch = Patch(
        task_id=task.id, entrant="attacker", attempt=1, diff=text, stop=Stop.ANSWERED,
        cost_usd=None, usage=None, seconds=None,
    )  # fmt: skip
    return judge.judge(task, patch)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_no_attack_gets_through(arena: tuple[Judge, Task], attack: Attack) -> None:
    verdict = judged(arena, attack.text)
    assert verdict.outcome.value in attack.ends, verdict
    said = " ".join((verdict.detail, *verdict.evidence, *verdict.dropped_edits))
    assert attack.named in said, said
    if verdict.outcome is Outcome.TAMPERED:
        assert verdict.evidence


def test_the_fix_passes_and_an_honest_mistake_is_no_tampering(arena: tuple[Judge, Task]) -> None:
    assert judged(arena, diff(FIX_CALC)).outcome is Outcome.PASSED
    wrong = judged(arena, diff({"calc.py": CALC.replace("a - b", "a * b", 1)}))
    assert (wrong.outcome, wrong.evidence) == (Outcome.FAILED, ())
