"""Verdicts, each from a real container: the outcome, and what cannot be had by cheating."""

from __future__ import annotations

import re

import pytest
from support.calc_repo import (
    ADD,
    CALC,
    FILES,
    FIX_CALC,
    FIXED,
    MORE_TESTS,
    SUB,
    TESTS,
    diff,
)
from support.containers import own_containers

from core.types import Cause, Outcome, Patch, Stop, Task, Verdict
from sandbox.docker import DockerEngine
from sandbox.engine import Limits
from sandbox.judge import Judge, verdict_key
from sandbox.suite import Order, run_suite

pytestmark = pytest.mark.docker

LIMITS = Limits(seconds=60, memory_mib=256, processes=64)
NOTHING = {"calc.py": CALC + "\n\nNAME = 1\n"}


@pytest.fixture(scope="module")
def judge(engine: DockerEngine) -> Judge:
    return Judge(engine, LIMITS)


def patch(text: str, stop: Stop = Stop.ANSWERED, detail: str = "") -> Patch:
    return Patch(
        task_id="c" * 12,
        entrant="e",
        attempt=2,
        diff=text,
        stop=stop,
        detail=detail,
        cost_usd=None,
        usage=None,
        seconds=None,
    )


def outcome(verdict: Verdict) -> tuple[Outcome, Cause | None]:
    return verdict.outcome, verdict.cause


FAILED = (Outcome.FAILED, Cause.MODEL)
TAMPERED = (Outcome.TAMPERED, Cause.MODEL)


def test_a_fix_passes_every_time(judge: Judge, task: Task) -> None:
    """Two judgements of the same patch give the same verdict, apart from the seconds."""
    first = judge.judge(task, patch(diff(FIX_CALC)))
    assert outcome(first) == (Outcome.PASSED, None)
    assert (first.entrant, first.attempt, first.task_id) == ("e", 2, task.id)
    assert first.key == verdict_key(task, patch(diff(FIX_CALC)), LIMITS)
    assert first.seconds is not None
    again = judge.judge(task, patch(diff(FIX_CALC)))
    assert again.model_copy(update={"seconds": first.seconds}) == first


def test_no_fix_fails(judge: Judge, task: Task) -> None:
    verdict = judge.judge(task, patch(diff(NOTHING)))
    assert outcome(verdict) == FAILED
    assert (verdict.not_fixed, verdict.broken) == ((ADD,), ())
    assert verdict.detail == "1 of 1 target tests do not pass: 1 failed"


def test_a_fix_that_breaks_something_else(judge: Judge, task: Task) -> None:
    verdict = judge.judge(task, patch(diff({"calc.py": CALC.replace("a - b", "a + b")})))
    assert outcome(verdict) == (Outcome.REGRESSED, Cause.MODEL)
    assert (verdict.not_fixed, verdict.broken) == ((), SUB)


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (Stop.REFUSED, (Outcome.NO_PATCH, Cause.MODEL)),
        (Stop.EMPTY, (Outcome.NO_PATCH, Cause.MODEL)),
        (Stop.UNREADABLE, (Outcome.NO_PATCH, Cause.MODEL)),
        (Stop.TRUNCATED, (Outcome.NO_PATCH, Cause.MODEL)),
        (Stop.MISPLACED, (Outcome.DOES_NOT_APPLY, Cause.MODEL)),
        (Stop.PROVIDER_FAILED, (Outcome.PROVIDER_FAILED, Cause.PROVIDER)),
        (Stop.OVER_BUDGET, (Outcome.OVER_BUDGET, Cause.PATCHMARK)),
    ],
)
def test_no_answer_needs_no_container(
    judge: Judge, task: Task, stop: Stop, expected: tuple[Outcome, Cause]
) -> None:
    verdict = judge.judge(task, patch("", stop, "why"))
    assert outcome(verdict) == expected
    assert (verdict.detail, verdict.seconds) == ("why", None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("this is no diff\n", "no diff"),
        (diff({"calc.py": "x\n"}, {"calc.py": "something else\n"}), "not in the file"),
        (diff({"gone.py": "x\n"}, {"gone.py": "y\n"}), "no such file"),
        (diff(FIX_CALC)[:-25], "cut off"),
        (diff({"../outside.py": "x\n"}), "unsafe path"),
        (diff({".git/hooks/post-commit": "x\n"}), "unsafe path"),
    ],
    ids=["prose", "context", "no-file", "torn", "outside", "git"],
)
def test_a_diff_that_cannot_be_laid(judge: Judge, task: Task, text: str, why: str) -> None:
    verdict = judge.judge(task, patch(text))
    assert outcome(verdict) == (Outcome.DOES_NOT_APPLY, Cause.MODEL)
    assert why in verdict.detail


def test_what_it_took_to_lay_a_patch_is_told(judge: Judge, task: Task) -> None:
    """A fence, prose and wrong counts do not matter; the verdict says that they were there."""
    exact = diff(FIX_CALC)
    verdict = judge.judge(task, patch(f"Here it is:\n```diff\n{exact.replace('1,5', '1,9')}```\n"))
    assert outcome(verdict) == (Outcome.PASSED, None)
    assert verdict.applied.startswith("exact, ")
    assert {"counts", "fences"} <= set(verdict.applied.split(", "))
    assert judge.judge(task, patch(exact)).applied == "exact"


def test_an_endless_loop_runs_out_of_time(engine: DockerEngine, task: Task) -> None:
    judge = Judge(engine, Limits(seconds=3, memory_mib=256))
    verdict = judge.judge(task, patch(diff({"calc.py": "while True:\n    pass\n"})))
    assert outcome(verdict) == (Outcome.TIMED_OUT, Cause.MODEL)
    assert verdict.detail == "it took longer than 3 s: it printed nothing"


def test_waiting_for_what_does_not_come_is_told_from_work(engine: DockerEngine, task: Task) -> None:
    """Bug: a test that waited in vain took the whole time of the longest suite."""
    judge = Judge(engine, Limits(seconds=60, idle_seconds=1, memory_mib=256))
    verdict = judge.judge(task, patch(diff({"calc.py": "import time\ntime.sleep(50)\n"})))
    assert outcome(verdict) == (Outcome.TIMED_OUT, Cause.MODEL)
    why = r"it did nothing for \d+ s: neither work nor traffic nor output: it printed nothing"
    assert re.fullmatch(why, verdict.detail)
    assert verdict.seconds is not None
    assert verdict.seconds < 20


def test_a_full_disk_is_the_models_own_and_given_back(engine: DockerEngine, task: Task) -> None:
    """Bug: nothing limited what a patch wrote, until the machine's disk was full."""
    judge = Judge(engine, Limits(seconds=30, memory_mib=256, disk_mib=32))
    fills = "n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'wb').write(bytes(10**7))\n"
    verdict = judge.judge(task, patch(diff({"calc.py": fills})))
    assert outcome(verdict) == FAILED
    assert verdict.detail.startswith("it wrote more than 32 MiB")
    assert own_containers(engine) == []


def test_out_of_memory_is_named(judge: Judge, task: Task) -> None:
    verdict = judge.judge(task, patch(diff({"calc.py": "x = bytearray(10**9)\n"})))
    assert outcome(verdict) == FAILED
    assert verdict.detail.startswith("out of memory: ")


def test_an_image_that_is_gone_is_the_environments_fault(judge: Judge, task: Task) -> None:
    gone = task.model_copy(update={"image": "sha256:" + "0" * 64})
    verdict = judge.judge(gone, patch(diff(FIX_CALC)))
    assert outcome(verdict) == (Outcome.ENVIRONMENT_BROKEN, Cause.ENVIRONMENT)
    assert "patchmark validate" in verdict.detail


NEEDS_MADE = """

def test_add():
    import made
    assert (calc.add(2, 3), made.x) == (5, 1)
"""
CHEAT = """import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    result = yield
    result.get_result().outcome = "passed"
"""


@pytest.mark.parametrize("name", ["conftest.py", "tests/conftest.py"])
def test_a_conftest_that_makes_failures_pass_is_left_out(
    judge: Judge, task: Task, name: str
) -> None:
    verdict = judge.judge(task, patch(diff({name: CHEAT, **NOTHING})))
    assert outcome(verdict) == FAILED
    assert (verdict.not_fixed, verdict.dropped_edits) == ((ADD,), (name,))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tests/test_calc.py", TESTS + "# less\n"),
        ("tests/test_calc.py", None),
        ("setup.cfg", "[tool:pytest]\naddopts = --co\n"),
        ("tox.ini", "[pytest]\naddopts = --co\n"),
        ("pytest.ini", "[pytest]\naddopts = --co\n"),
        ("sitecustomize.py", "import os\nos._exit(0)\n"),
    ],
)
def test_edits_to_tests_and_runner_are_left_out(
    judge: Judge, task: Task, name: str, content: str | None
) -> None:
    """Nor do they harm the fix that they came with."""
    verdict = judge.judge(task, patch(diff({name: content, **FIX_CALC})))
    assert outcome(verdict) == (Outcome.PASSED, None)
    assert verdict.dropped_edits == (name,)


def test_a_test_renamed_away_is_left_out(judge: Judge, task: Task) -> None:
    rename = (
        "diff --git a/tests/test_other.py b/other.py\nsimilarity index 100%\n"
        "rename from tests/test_other.py\nrename to other.py\n"
    )
    verdict = judge.judge(task, patch(rename + diff(FIX_CALC)))
    assert outcome(verdict) == (Outcome.PASSED, None)
    assert verdict.dropped_edits == ("tests/test_other.py",)


def test_nothing_but_protected_edits_fails(judge: Judge, task: Task) -> None:
    verdict = judge.judge(task, patch(diff({"conftest.py": CHEAT})))
    assert outcome(verdict) == FAILED


def test_a_test_edit_without_prefixes_is_left_out(judge: Judge, task: Task) -> None:
    """It is read as it will be laid, whatever git alone would take off its path."""
    text = "--- tests/helper.py\n+++ tests/helper.py\n@@ -0,0 +1 @@\n+x\n"
    verdict = judge.judge(task, patch(text + diff(FIX_CALC)))
    assert outcome(verdict) == (Outcome.PASSED, None)
    assert verdict.dropped_edits == ("tests/helper.py",)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os\nos._exit(0)\n", TAMPERED),
        ("import os\nos._exit(1)\n", FAILED),
        ("import sys\nsys.exit(0)\n", TAMPERED),
        ("def add(a, b:\n", FAILED),
        ("import pytest\npytest.exit('done', returncode=0)\n", FAILED),
        ("import pytest\npytest.skip('x', allow_module_level=True)\n", TAMPERED),
        ("def add(a, b):\n    import os\n    os._exit(0)\n", TAMPERED),
        ("def add(a, b):\n    import os, signal\n    os.kill(os.getppid(), 9)\n", FAILED),
    ],
    ids=["os-exit", "os-exit-1", "sys-exit", "syntax", "pytest-exit", "skip", "late", "kill"],
)
def test_code_that_ends_the_run_fails(
    judge: Judge, task: Task, code: str, expected: tuple[Outcome, Cause]
) -> None:
    """An end that says all is well is told from a crash; neither passes."""
    verdict = judge.judge(task, patch(diff({"calc.py": code})))
    assert outcome(verdict) == expected
    assert verdict.not_fixed == (ADD,)
    assert bool(verdict.evidence) is (expected == TAMPERED)


FORGER = """
import os

path = os.environ["PATCHMARK_RESULTS"]
with open(path, "w") as file:
    for test in ("tests/test_calc.py::test_add", "tests/test_calc.py::test_sub"):
        file.write('{"kind": "test", "id": "%s", "when": "call", "outcome": "passed"}\\n' % test)
    file.write('{"kind": "end", "exit": 0}\\n')
os._exit(0)
"""


@pytest.mark.parametrize(
    "name", ["pytest.py", "pytest/__main__.py", "_pytest/__init__.py", "pluggy.py", "json.py"]
)
def test_a_file_that_takes_the_runners_name_runs_nothing(
    judge: Judge, task: Task, name: str
) -> None:
    """Bug: `python -m pytest` put the repository first on the path, and ran its pytest.py."""
    only = task.model_copy(update={"pass_to_pass": ()})
    verdict = judge.judge(only, patch(diff({name: FORGER})))
    assert outcome(verdict) == FAILED


def test_a_run_ended_inside_of_the_target_test_fails(judge: Judge, task: Task) -> None:
    """Bug: the set-up of that test had passed, the exit code was 0: the patch passed."""
    code = FIXED.replace("return a + b", "import pytest\n    pytest.exit('x', returncode=0)")
    only = task.model_copy(update={"pass_to_pass": ()})
    verdict = judge.judge(only, patch(diff({"calc.py": code})))
    assert outcome(verdict) == TAMPERED
    assert verdict.not_fixed == (ADD,)


GARBLE = """for name in "rejected", "exit-0":
    open("/patchmark/out/" + name, "wb").write(b"9" * 5000 + b"\\xff")"""
FORGE = """open("/patchmark/out/results-0.jsonl", "w").write(
    '{"kind": "test"}' + "\\n" + "[" * 10**6)"""


@pytest.mark.parametrize(
    "mess",
    ["shutil.rmtree('/patchmark/out')", GARBLE, FORGE],
    ids=["no-folder", "bytes", "lines"],
)
def test_a_patch_that_spoils_the_results_fails(judge: Judge, task: Task, mess: str) -> None:
    """Bug: what such code left in the folder of results ended patchmark itself."""
    code = f"import atexit, os, shutil\n{mess}\nos._exit(1)\n"
    verdict = judge.judge(task, patch(diff({"calc.py": code})))
    assert outcome(verdict) == FAILED


def test_a_file_where_the_tests_need_to_make_one(judge: Judge, task: Task) -> None:
    """The tests' own takes its place, whatever the model put there."""
    made = {"made.py": "x = 1\n", "tests/test_calc.py": TESTS + NEEDS_MADE}
    blocked = task.model_copy(update={"test_patch": diff(made), "pass_to_pass": ()})
    verdict = judge.judge(blocked, patch(diff({"made.py": "x = 2\n", **FIX_CALC})))
    assert outcome(verdict) == (Outcome.PASSED, None)
    assert verdict.dropped_edits == ("made.py",)


def test_tests_that_do_not_fit_are_the_tasks_fault(judge: Judge, task: Task) -> None:
    """Bug: the model was blamed for whatever kept the tests from being laid over its patch."""
    other = task.model_copy(update={"test_patch": diff(MORE_TESTS, {"tests/test_calc.py": "x\n"})})
    verdict = judge.judge(other, patch(diff(FIX_CALC)))
    assert outcome(verdict) == (Outcome.ENVIRONMENT_BROKEN, Cause.TASK)


def shown(engine: DockerEngine, task: Task, script: str, seed: int = 0) -> str:
    """What a command in the place of the tests prints."""
    order = Order(
        image=task.image,
        command=f"({script}); true",
        results="lines",
        model_diff=diff(FIX_CALC),
        seed=seed,
        limits=LIMITS,
    )
    return run_suite(engine, order).ran.output


def test_no_history_can_be_read_in_the_container(engine: DockerEngine, task: Task) -> None:
    """One commit, no remote, no tag, no loose end."""
    told = shown(
        engine,
        task,
        'git log --all --format=%s; git remote; git tag; git stash list; echo "[$(ls -A)]"; '
        "git fsck --unreachable --no-reflogs 2>/dev/null",
    )
    assert told.splitlines()[:2] == ["base", told[told.index("[") :].splitlines()[0]]
    files = sorted({path.partition("/")[0] for path in FILES} | {".git", "only.txt"})
    assert " ".join(told[told.index("[") + 1 : told.index("]")].split()) == " ".join(files)
    assert told.endswith("]\n")


def test_each_run_has_its_hash_seed_and_starts_clean(engine: DockerEngine, task: Task) -> None:
    script = "echo $PYTHONHASHSEED $TZ $LANG $HOME; ls; echo x > left.txt; rm only.txt"
    first, second = (shown(engine, task, script, seed).splitlines() for seed in (0, 7))
    assert first[0] == "0 UTC C.UTF-8 /home/patchmark"
    assert second == ["7 UTC C.UTF-8 /home/patchmark", *first[1:]]
    assert "only.txt" in first
