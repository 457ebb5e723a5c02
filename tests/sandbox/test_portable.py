"""The judge as one file, in a container as other tools make them: root, all usual privileges."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from support.calc_repo import CALC, FIX_CALC, FIXED, MORE_TESTS, SUB, diff

from core.types import Outcome, Task
from sandbox.docker import DockerEngine
from sandbox.portable import portable_judge

pytestmark = pytest.mark.docker

REWARD = "/logs/verifier"
_JUDGE = f"""
cd /
mkdir -p -m 777 {REWARD}
/usr/bin/python3 -I -S -B /tests/judge.pyz /tests/task.json /tests/patch --reward {REWARD} $MORE
echo "code $?"
ls {REWARD}
cat {REWARD}/reward.txt 2>&1
stat -c 'mode %a %u' {REWARD}
sleep 0.5
cat {REWARD}/reward.* 2>&1
"""
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
"""


@dataclass(frozen=True)
class Seen:
    """What a judgement left, and what was printed."""

    verdict: dict[str, Any]
    reward: str
    printed: str


@pytest.fixture(scope="module")
def judged(engine: DockerEngine, task: Task) -> Callable[..., Seen]:
    """Judge a patch as Harbor would have it done."""

    def judge(patch: str | bytes, *, more: str = "", **changes: Any) -> Seen:
        record = task.model_copy(update=changes).model_dump_json()
        api = engine._api
        container = api.create_container(
            task.image,
            ["-c", _JUDGE],
            environment={"MORE": more},
            host_config=api.create_host_config(network_mode="none"),
        )["Id"]
        try:
            raw = patch if isinstance(patch, bytes) else patch.encode()
            files = {"judge.pyz": portable_judge(), "task.json": record.encode(), "patch": raw}
            api.put_archive(container, "/", _packed(files))
            api.start(container)
            api.wait(container, timeout=120)
            printed = api.logs(container).decode()
        finally:
            api.remove_container(container, force=True)
        before, _, after = printed.rpartition("\ncode ")
        verdict = before.rpartition("\n")[2]
        reward = after.rpartition("mode ")[2].partition("\n")[2].strip()
        assert "mode 777 0" in after
        return Seen(json.loads(verdict) if verdict.startswith("{") else {}, reward, printed)

    return judge


def _packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        folder = tarfile.TarInfo("tests")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o700
        tar.addfile(folder)
        for name, content in files.items():
            member = tarfile.TarInfo(f"tests/{name}")
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_a_fix_has_its_reward(judged: Callable[..., Seen]) -> None:
    seen = judged(diff(FIX_CALC))
    assert (seen.verdict["outcome"], seen.reward) == (Outcome.PASSED, "1")
    assert "[100%]" in seen.printed
    assert re.search(r"^[0-9a-f]{32} ", seen.printed, re.MULTILINE) is None


def test_no_patch_has_none(judged: Callable[..., Seen]) -> None:
    assert judged("").reward == "0"


def test_tests_are_not_the_patchs_to_change(judged: Callable[..., Seen]) -> None:
    """An edit of the tests is left out as it is here; what it leaves does not fix anything."""
    seen = judged(diff({"calc.py": CALC + "\n", "tests/test_calc.py": "def test_add(): pass\n"}))
    assert (seen.verdict["outcome"], seen.reward) == (Outcome.FAILED, "0")
    assert seen.verdict["dropped_edits"] == ["tests/test_calc.py"]


def test_what_is_judged_cannot_write_a_reward(judged: Callable[..., Seen]) -> None:
    """A process that outlives the tests and writes rewards without end comes to nothing."""
    seen = judged(diff({"calc.py": CALC + HARM}))
    assert (seen.verdict["outcome"], seen.reward) == (Outcome.FAILED, "0")


def test_what_is_judged_has_no_privilege_and_reads_no_secret(judged: Callable[..., Seen]) -> None:
    says = CALC.replace("return a - b", "raise ValueError(said)", 1)
    seen = judged(diff({"calc.py": READS + says}))
    assert "READ" not in seen.printed
    assert "kept" in seen.printed
    assert "CAPS 1" in seen.printed
    assert "NEW 1" in seen.printed


def test_what_never_ends_is_ended(judged: Callable[..., Seen]) -> None:
    seen = judged(
        diff({"calc.py": f"{HARM}\nimport time\ntime.sleep(600)\n{FIXED}"}), more="--seconds 5"
    )
    assert (seen.verdict["outcome"], seen.reward) == (Outcome.TIMED_OUT, "0")
    assert seen.verdict["detail"].startswith("it ran for more than 5 s")


def test_a_broken_task_has_no_reward(judged: Callable[..., Seen]) -> None:
    """Harbor then tells of a verifier that failed, and blames no model."""
    seen = judged(
        diff(FIX_CALC),
        test_patch=diff(MORE_TESTS, {**dict.fromkeys(SUB, "")} | {"tests/test_calc.py": "other\n"}),
    )
    assert seen.verdict["outcome"] == Outcome.ENVIRONMENT_BROKEN
    assert "No such file" in seen.reward


def test_bytes_that_are_no_text_are_left_out(judged: Callable[..., Seen]) -> None:
    """An agent's container is full of files; only what a patch of text can hold is judged."""
    binary = (
        b"diff --git a/cache.bin b/cache.bin\nnew file mode 100644\nindex 000..111\n"
        b"Binary files /dev/null and b/cache.bin differ\n"
    )
    latin = (
        b"diff --git a/a.txt b/a.txt\nnew file mode 100644\n--- /dev/null\n+++ b/a.txt\n"
        b"@@ -0,0 +1 @@\n+\xe9\n"
    )
    assert judged(binary + latin + diff(FIX_CALC).encode()).reward == "1"
