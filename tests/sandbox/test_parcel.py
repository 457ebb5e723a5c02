"""What goes into a container as a variable and comes back as a line, or as archives."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib

import pytest
from support.calc_repo import FIX_CALC, MORE_TESTS, CalcRepo, diff

from core.types import Task
from sandbox.docker import DockerEngine
from sandbox.engine import File, Limits, Ran
from sandbox.parcel import VARIABLE, handed_back, handed_over
from sandbox.suite import OUT, Order, run_suite

SEAL = "5ea1" * 8
LARGE = 72
"""As in `sandbox/container/supervisor.py`."""


SEEN = """
import os, pytest

def test_nobody_else_sees_the_order():
    assert not [name for name in os.environ if "PARCEL" in name]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            assert b"PARCEL" not in open(f"/proc/{pid}/environ", "rb").read()
        except PermissionError:
            continue
    with pytest.raises(PermissionError):
        open("/proc/1/environ")
"""


def ran(output: str) -> Ran:
    return Ran(
        exit_code=0, timed_out=False, out_of_memory=False, output=output, files={}, seconds=1
    )


def noise(count: int) -> bytes:
    """Bytes that nothing makes smaller."""
    return hashlib.shake_128(b"noise").digest(count)


def packed(**files: str) -> str:
    return base64.b64encode(zlib.compress(json.dumps(files).encode())).decode()


def test_what_is_small_is_a_variable_and_what_is_large_are_files() -> None:
    small = handed_over({"/in/x": File(content=b"\xff\x00", mode=0o600)})
    assert (small.files, [*small.environment]) == ({}, [VARIABLE])
    much = {"/in/x": File(content=noise(100_000))}
    large = handed_over(much)
    assert (large.files, large.environment, large.unpack) == (much, {}, "")


def test_the_last_sealed_line_is_what_root_tells() -> None:
    """What the tests printed before, like it or not, is output and nothing else."""
    forged = f"\n{'0' * 32} {packed(exit='0')}"
    back = handed_back(ran(f"said{forged}\n{SEAL} {packed(exit='1')}"), SEAL, OUT)
    assert (back.files, back.output) == ({f"{OUT}/exit": b"1"}, f"said{forged}")


@pytest.mark.parametrize(
    "line",
    ["", f"{SEAL}", f"\n{SEAL} no base64", f"\n{SEAL} {packed(exit='0')}x", f"\n{SEAL} AAAA"],
)
def test_what_is_cut_or_spoiled_tells_nothing(line: str) -> None:
    """The run is then lost: nobody's tests are to blame."""
    assert handed_back(ran(f"said{line}"), SEAL, OUT).files == {}


@pytest.mark.docker
@pytest.mark.parametrize("what", ["small", "large order", "large results"])
def test_both_ways_lead_to_the_same(
    engine: DockerEngine, task: Task, calc: CalcRepo, what: str
) -> None:
    """An order or a result that no line can hold goes as an archive, and nobody notices."""
    tests = {**MORE_TESTS, "tests/test_seen.py": SEEN}
    if what == "large results":
        tests["tests/test_many.py"] = (
            "import hashlib, pytest\n"
            "names = [hashlib.shake_128(b'%d' % n).hexdigest(700) for n in range(1000)]\n"
            "@pytest.mark.parametrize('name', names)\ndef test_name(name):\n    pass\n"
        )
    fix = dict(FIX_CALC)
    if what == "large order":
        fix["noise.py"] = f"# {noise(150_000).hex()}\n"
    order = Order(
        image=task.image, command=task.test_command, results=task.results, model_diff=diff(fix),
        test_diff=diff(tests), test_paths=tuple(tests), limits=Limits(seconds=60, memory_mib=512),
    )  # fmt: skip
    suite = run_suite(engine, order)
    assert suite.run is not None
    assert suite.run.exit_code == 0
    assert suite.applied["rung"] == "exact"
    assert len(suite.run.statuses) == (1004 if what == "large results" else 4)
    large = len(suite.ran.files[f"{OUT}/results"]) > 1_000_000
    assert large is (what == "large results")
    assert suite.ran.exit_code == (LARGE if large else 0)
    assert suite.note("toolchain.txt")
