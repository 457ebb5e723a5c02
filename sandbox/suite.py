"""Running a task's whole test suite once in a fresh container."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

from core.errors import EngineError
from sandbox.base import USER
from sandbox.engine import Engine, File, Job, Limits, Ran
from sandbox.results import SuiteRun, parse

OUT = "/patchmark/out"
IN = "/patchmark/in"
REJECTED = 71
_PARTS = 5
"""A test that takes more than this part of what the whole suite may take is stopped."""


@dataclass(frozen=True)
class Suite:
    """What a fresh container reported."""

    ran: Ran
    runs: tuple[SuiteRun, ...]
    """One for each hash seed, in order; shorter when time ran out."""
    rejected: str | None
    """`model` or `test`: the patch that could not be applied."""


def run_suite(
    engine: Engine,
    *,
    image: str,
    command: Sequence[str],
    model_diff: str,
    test_diff: str,
    limits: Limits,
    seeds: Sequence[int] = (0,),
) -> Suite:
    """Apply the model's diff, then the tests', and run the suite for each hash seed.

    `command` is shell words that end in pytest's own options. Raises EngineError.
    """
    job = Job(
        image=image,
        command=("sh", f"{IN}/run.sh"),
        user=USER,
        files=_inputs(command, model_diff, test_diff),
        folders=(OUT,),
        environment={
            "SEEDS": " ".join(str(seed) for seed in seeds),
            "PATCHMARK_TEST_SECONDS": f"{limits.seconds / len(seeds) / _PARTS:g}",
        },
        limits=limits,
    )
    ran = engine.run(job)
    runs = tuple(_one(ran, seed) for seed in seeds if f"{OUT}/results-{seed}.jsonl" in ran.files)
    rejected = ran.files.get(f"{OUT}/rejected", b"").decode(errors="replace").strip()
    return Suite(ran, runs, rejected or None if ran.exit_code == REJECTED else None)


T = TypeVar("T")


def retried(attempts: int, call: Callable[[], T]) -> T:
    """What `call` returns, asked up to `attempts` times while it raises EngineError."""
    for _ in range(attempts - 1):
        with suppress(EngineError):
            return call()
    return call()


def _one(ran: Ran, seed: int) -> SuiteRun:
    code = ran.files.get(f"{OUT}/exit-{seed}", b"").strip()
    # Tests can write here too: nothing but what a shell writes is an exit code.
    exit_code = int(code) if code.isdigit() and len(code) <= 3 else None
    return parse(ran.files[f"{OUT}/results-{seed}.jsonl"], exit_code)


def _inputs(command: Sequence[str], model_diff: str, test_diff: str) -> dict[str, File]:
    shipped = files("sandbox") / "container"
    ours = ("run.sh", "start.py", "patchmark_results.py")
    return {
        **{f"{IN}/{name}": File(content=(shipped / name).read_bytes()) for name in ours},
        f"{IN}/command.sh": File(content=f"exec {' '.join(command)}\n".encode()),
        f"{IN}/model.diff": File(content=model_diff.encode("utf-8", "surrogateescape")),
        f"{IN}/test.diff": File(content=test_diff.encode("utf-8", "surrogateescape")),
    }
