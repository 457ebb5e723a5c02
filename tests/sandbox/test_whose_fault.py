"""What goes wrong with the judging itself is never the model's, and nothing is left unsaid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.calc_repo import FIX_CALC, diff

from core.outcomes import RULES, WITHOUT_A_RUN, Cause, Outcome, Stop
from core.types import Patch, Task
from sandbox.docker import DockerEngine
from sandbox.engine import Build, Limits
from sandbox.judge import Judge

LIMITS = Limits(seconds=60, memory_mib=256)
TAG = "patchmark/test-whose-fault:1"


def test_the_table_is_whole() -> None:
    """Every outcome has its rule: who is scored is to blame, and what is lost is tried again."""
    assert set(RULES) == set(Outcome)
    assert set(WITHOUT_A_RUN) == set(Stop) - {Stop.ANSWERED}
    for outcome, rule in RULES.items():
        assert rule.scored is not rule.again, outcome
        assert rule.again or not rule.at_once, outcome
        assert (Cause.MODEL in rule.causes) is (rule.scored and outcome is not Outcome.PASSED)
    for outcome, cause in WITHOUT_A_RUN.values():
        assert cause in RULES[outcome].causes


@pytest.fixture
def image(request: pytest.FixtureRequest, engine: DockerEngine, task: Task) -> Iterator[str]:
    """The task's image with another /usr/bin/python3."""
    script = f"rm /usr/bin/python3\nprintf '{request.param}' > /usr/bin/python3\n"
    built = engine.build(
        Build(image=task.image, script=f"{script}chmod 755 /usr/bin/python3\n", tag=TAG)
    )
    assert built.exit_code == 0, built.output
    yield TAG
    engine.remove_image(TAG)


@pytest.mark.docker
@pytest.mark.parametrize(
    "image",
    [
        "#!/bin/sh\\necho no Python\\nexit 1\\n",
        "#!/bin/sh\\nexit 71\\n",
        "#!/bin/sh\\nkill -9 $$\\n",
    ],
    ids=["broken", "as-if-refused", "killed"],
    indirect=True,
)
def test_a_supervisor_that_dies_is_no_models_failure(
    engine: DockerEngine, task: Task, image: str
) -> None:
    """Tried again in a fresh container; then it counts in no rate, whatever the patch was."""
    judge = Judge(engine, LIMITS)
    patch = Patch(
        task_id=task.id, entrant="e", attempt=1, diff=diff(FIX_CALC), stop=Stop.ANSWERED,
        cost_usd=None, usage=None, seconds=None,
    )  # fmt: skip
    verdict = judge.judge(task.model_copy(update={"image": image}), patch)
    assert (verdict.outcome, verdict.cause) == (Outcome.ENVIRONMENT_BROKEN, Cause.PATCHMARK)
    assert verdict.detail.startswith("the judging itself did not come to its end: ")
    assert not verdict.outcome.scored
    assert (verdict.not_fixed, verdict.broken, verdict.evidence) == ((), (), ())
