"""The judge as one file, in a container as other tools make them: root, all usual privileges."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from support.calc_repo import CALC, FIX_CALC, FIXED, MORE_TESTS, SUB, diff
from support.portable import REWARD, Seen, judged

from core.types import Outcome, Task
from sandbox.docker import DockerEngine

pytestmark = pytest.mark.docker

HARM = f"""
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        while True:
            for name in ("reward.txt", "reward.json"):
                try:
                    with open("{REWARD}/" + name, "w") as file:
                        file.write('{{"reward": 1}}' if name.endswith("json") else "1")
                except OSError:
                    pass
            try:
                os.rename("{REWARD}", "{REWARD}2")
            except OSError:
                pass
            time.sleep(0.001)
    os._exit(0)
"""
READS = """
import glob
said = []
for path in ["/patchmark/in/spec.json", "/tests/task.json", *glob.glob("/tmp/patchmark-judge-*/*")]:
    try:
        said.append("READ %s %d" % (path, len(open(path).read())))
    except OSError as error:
        said.append("kept %s" % error)
status = open("/proc/self/status").read()
said.append("CAPS %d" % status.count("CapEff:\\t0000000000000000"))
said.append("NEW %d" % status.count("NoNewPrivs:\\t1"))
import resource
said.append("MOST %d" % resource.getrlimit(resource.RLIMIT_NPROC)[1])
"""


Judged = Callable[..., Seen]


@pytest.fixture(scope="module")
def judge(engine: DockerEngine, task: Task) -> Judged:
    """Judge a patch of the tiny task, which may be changed before."""

    def judge(patch: str | bytes, *, more: str = "", **changes: Any) -> Seen:
        return judged(engine, task.model_copy(update=changes), patch, more)

    return judge


def test_a_fix_has_its_reward(judge: Judged) -> None:
    seen = judge(diff(FIX_CALC))
    assert (seen.verdict["outcome"], seen.reward) == (Outcome.PASSED, "1")
    assert "[100%]" in seen.printed
    assert re.search(r"^[0-9a-f]{32} ", seen.printed, re.MULTILINE) is None


def test_no_patch_has_none(judge: Judged) -> None:
    assert judge("").reward == "0"


def test_tests_are_not_the_patchs_to_change(judge: Judged) -> None:
    """An edit of the tests is left out as it is here; what it leaves does not fix anything."""
    seen = judge(diff({"calc.py": CALC + "\n", "tests/test_calc.py": "def test_add(): pass\n"}))
    assert (seen.verdict["outcome"], seen.reward) == (Outcome.FAILED, "0")
    assert seen.verdict["dropped_edits"] == ["tests/test_calc.py"]


def test_what_is_judged_cannot_write_a_reward(judge: Judged) -> None:
    """A process that outlives the tests and writes rewards without end comes to nothing."""
    seen = judge(diff({"calc.py": CALC + HARM}))
    assert (seen.verdict["outcome"], seen.reward) == (Outcome.FAILED, "0")


def test_what_is_judged_has_no_privilege_and_reads_no_secret(judge: Judged) -> None:
    says = CALC.replace("return a - b", "raise ValueError(said)", 1)
    seen = judge(diff({"calc.py": READS + says}))
    assert "READ" not in seen.printed
    assert "kept" in seen.printed
    assert "CAPS 1" in seen.printed
    assert "NEW 1" in seen.printed
    assert "MOST 4096" in seen.printed


def test_what_never_ends_is_ended(judge: Judged) -> None:
    seen = judge(
        diff({"calc.py": f"{HARM}\nimport time\ntime.sleep(600)\n{FIXED}"}), more="--seconds 5"
    )
    assert (seen.verdict["outcome"], seen.reward) == (Outcome.TIMED_OUT, "0")
    assert seen.verdict["detail"].startswith("it ran for more than 5 s")


def test_a_broken_task_has_no_reward(judge: Judged) -> None:
    """Harbor then tells of a verifier that failed, and blames no model."""
    seen = judge(
        diff(FIX_CALC),
        test_patch=diff(MORE_TESTS, {**dict.fromkeys(SUB, "")} | {"tests/test_calc.py": "other\n"}),
    )
    assert seen.verdict["outcome"] == Outcome.ENVIRONMENT_BROKEN
    assert "No such file" in seen.reward


def test_bytes_that_are_no_text_are_left_out(judge: Judged) -> None:
    """An agent's container is full of files; only what a patch of text can hold is judged."""
    binary = (
        b"diff --git a/cache.bin b/cache.bin\nnew file mode 100644\nindex 000..111\n"
        b"Binary files /dev/null and b/cache.bin differ\n"
    )
    latin = (
        b"diff --git a/a.txt b/a.txt\nnew file mode 100644\n--- /dev/null\n+++ b/a.txt\n"
        b"@@ -0,0 +1 @@\n+\xe9\n"
    )
    assert judge(binary + latin + diff(FIX_CALC).encode()).reward == "1"
