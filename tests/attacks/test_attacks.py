"""Every attack ends as not passed, is told for what it is, and leaves the next one alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.types import Outcome, Verdict
from sandbox.attacks import ATTACKS
from sandbox.attacks.arena import Arena
from sandbox.attacks.attack import Attack
from sandbox.attacks.sample import SAMPLES, Sample

pytestmark = pytest.mark.docker


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_no_attack_gets_through(verdict_on: Callable[[Attack], Verdict], attack: Attack) -> None:
    verdict = verdict_on(attack)
    assert verdict.outcome.value in attack.ends, verdict
    said = " ".join((verdict.detail, *verdict.evidence, *verdict.dropped_edits))
    assert attack.named in said, said
    if verdict.outcome is Outcome.TAMPERED:
        assert verdict.evidence


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_fix_passes_and_an_honest_mistake_is_no_tampering(
    ring: Callable[[Sample], Arena], sample: Sample
) -> None:
    here = ring(sample)
    assert here.judged(sample.diff(sample.fix)).outcome is Outcome.PASSED
    (path,) = sample.fix
    mistake = sample.files[path].replace("a - b", "a * b", 1)
    wrong = here.judged(sample.diff({path: mistake}))
    assert (wrong.outcome, wrong.evidence) == (Outcome.FAILED, ())
