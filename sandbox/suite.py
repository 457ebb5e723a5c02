"""Running a task's whole test suite once in a fresh container."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

from core.errors import EngineError
from sandbox.base import USER
from sandbox.engine import Engine, File, Job, Limits, Ran
from sandbox.readers import read
from sandbox.results import SuiteRun

OUT = "/patchmark/out"
IN = "/patchmark/in"
REJECTED = 71
_NOTE_BYTES = 200_000
FIXED = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "CI": "1"}
"""The same in every run of a suite; the hash seed is the number of the run."""
_PARTS = 5
"""A test that takes more than this part of what the whole suite may take is stopped."""


@dataclass(frozen=True)
class Suite:
    """What a fresh container reported."""

    ran: Ran
    run: SuiteRun | None
    """None where it did not come to an end of its own."""
    rejected: str | None
    """`model` or `test`: the patch that could not be applied."""

    def note(self, name: str) -> list[str]:
        """The lines of a note that the image's builder left; tests may have changed it."""
        text = self.ran.files.get(f"{OUT}/{name}", b"")[:_NOTE_BYTES].decode("utf-8", "replace")
        return [line for line in text.splitlines() if line.strip()]


def run_suite(
    engine: Engine,
    *,
    image: str,
    command: str,
    results: str,
    model_diff: str,
    test_diff: str,
    limits: Limits,
    seed: int = 0,
) -> Suite:
    """Apply the model's diff, then the tests', and run the suite.

    `command` is shell that leaves its results in PATCHMARK_RESULTS, in the form that `results`
    names. Raises EngineError.
    """
    job = Job(
        image=image,
        command=("sh", f"{IN}/run.sh"),
        user=USER,
        files=_inputs(command, model_diff, test_diff),
        folders=(OUT,),
        environment={
            "PYTHONHASHSEED": str(seed),
            **FIXED,
            "PATCHMARK_TEST_SECONDS": f"{limits.seconds / _PARTS:g}",
        },
        limits=limits,
    )
    ran = engine.run(job)
    rejected = ran.files.get(f"{OUT}/rejected", b"").decode(errors="replace").strip()
    return Suite(ran, _run(ran, results), rejected or None if ran.exit_code == REJECTED else None)


T = TypeVar("T")


def retried(attempts: int, call: Callable[[], T]) -> T:
    """What `call` returns, asked up to `attempts` times while it raises EngineError."""
    for _ in range(attempts - 1):
        with suppress(EngineError):
            return call()
    return call()


def _run(ran: Ran, results: str) -> SuiteRun | None:
    if f"{OUT}/exit" not in ran.files:
        return None
    code = ran.files[f"{OUT}/exit"].strip()
    # Tests can write here too: nothing but what a shell writes is an exit code.
    exit_code = int(code) if code.isdigit() and len(code) <= 3 else None
    return read(results, ran.files.get(f"{OUT}/results", b""), exit_code)


def _inputs(command: str, model_diff: str, test_diff: str) -> dict[str, File]:
    shipped = files("sandbox") / "container"
    ours = ("run.sh", "start.py", "patchmark_results.py", "patchmark_minitest.rb")
    return {
        **{f"{IN}/{name}": File(content=(shipped / name).read_bytes()) for name in ours},
        f"{IN}/command.sh": File(content=f"{command}\n".encode()),
        f"{IN}/model.diff": File(content=model_diff.encode("utf-8", "surrogateescape")),
        f"{IN}/test.diff": File(content=test_diff.encode("utf-8", "surrogateescape")),
    }
