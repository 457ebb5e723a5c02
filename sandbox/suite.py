"""Running a task's whole test suite once in a fresh container."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from core.errors import EngineError
from core.manifests import NAMES
from sandbox.base import USER
from sandbox.engine import Engine, File, Job, Limits, Ran
from sandbox.parcel import handed_back, handed_over
from sandbox.readers import read
from sandbox.results import SuiteRun
from sandbox.tripwires import Tripwire

OUT = "/patchmark/out"
IN = "/patchmark/in"
REJECTED = 71
LINES = "lines"
"""The form of our own plugins, whose lines stand behind a nonce."""
_NOTE_BYTES = 200_000
_PARTS = 5
"""A test that takes more than this part of what the whole suite may take is stopped."""
_START = 'exec $(command -v /usr/bin/python3 || command -v python3) -I -S -B -c "$0"'
_SUPERVISE = """
import sys
sys.path.insert(0, "/patchmark/in")
import supervisor
sys.exit(supervisor.main())
"""
_SHIPPED = (
    "supervisor.py", "start.py", "patchmark_results.py", "patchmark_guard.py",
    "patchmark_minitest.rb", "patchmark_node.mjs", "patchmark_node_guard.cjs",
    "laying.py", "applying.py", "mending.py", "moving.py", "naming.py", "placing.py",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be run."""

    image: str
    command: str
    """Shell that leaves its results in PATCHMARK_RESULTS."""
    results: str
    """Their form: a name in `sandbox.readers`."""
    model_diff: str = ""
    test_diff: str = ""
    test_paths: Sequence[str] = ()
    """What `test_diff` touches."""
    left_out: tuple[str, ...] = ()
    """Test files that are removed before the run: each would take all others with it."""
    trusted: bool = False
    """The real fix, which may change what a model's patch may not."""
    tripwires: Sequence[Tripwire] = ()
    seed: int = 0
    limits: Limits


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What a fresh container reported."""

    order: Order
    ran: Ran
    run: SuiteRun | None
    """None where it did not come to an end of its own."""
    rejected: str | None
    """`model` or `test`: the patch that could not be applied."""
    applied: Mapping[str, Any] = field(default_factory=dict)
    """How the model's patch was laid: `rung`, `mended`, `paths`, `restored`, `planted`."""
    forged: int = 0
    """Lines among the results that are not our runner's."""

    @property
    def lost(self) -> bool:
        """The supervisor itself did not come to its end: nobody's tests are to blame."""
        done = self.run is not None or self.rejected is not None
        return not (done or self.ran.stopped or self.ran.out_of_memory)

    def note(self, name: str) -> list[str]:
        """The lines of a note that the image's builder left."""
        text = self.ran.files.get(f"{OUT}/{name}", b"")[:_NOTE_BYTES].decode("utf-8", "replace")
        return [line for line in text.splitlines() if line.strip()]


def run_suite(engine: Engine, order: Order) -> Suite:
    """Lay the model's patch, then the tests, and run the suite. Raises EngineError."""
    nonce, seal = secrets.token_hex(16), secrets.token_hex(16)
    given = handed_over(_inputs(order, nonce, seal))
    job = Job(
        image=order.image,
        command=("sh", "-c", _START, f"{given.unpack}{_SUPERVISE}"),
        user="root",
        capabilities=("SETUID", "SETGID"),
        files=given.files,
        environment=given.environment,
        folders=(OUT,),
        told=frozenset({0, REJECTED}),
        limits=order.limits,
    )
    ran = handed_back(engine.run(job), seal, OUT)
    rejected = ran.files.get(f"{OUT}/rejected", b"").decode(errors="replace").strip()
    run, forged = _run(ran, order.results, nonce)
    return Suite(
        order=order,
        ran=ran,
        run=run,
        rejected=rejected or None if ran.exit_code == REJECTED else None,
        applied=json.loads(ran.files.get(f"{OUT}/applied.json") or b"{}"),
        forged=forged,
    )


T = TypeVar("T")


def retried(attempts: int, call: Callable[[], T]) -> T:
    """What `call` returns, asked up to `attempts` times while it raises EngineError."""
    for _ in range(attempts - 1):
        with suppress(EngineError):
            return call()
    return call()


def fixed(limits: Limits) -> dict[str, str]:
    """The same in every run of a suite; the hash seed is the number of the run."""
    processors = str(max(1, round(limits.cpus)))
    counts = (
        "PYTHON_CPU_COUNT", "GOMAXPROCS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
        "RUST_TEST_THREADS", "CARGO_BUILD_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL",
        "PYTEST_XDIST_AUTO_NUM_WORKERS",
    )  # fmt: skip
    place = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "CI": "1"}
    return place | dict.fromkeys(counts, processors)


def _run(ran: Ran, form: str, nonce: str) -> tuple[SuiteRun | None, int]:
    if f"{OUT}/exit" not in ran.files:
        return None, 0
    exit_code = int(ran.files[f"{OUT}/exit"])
    report = ran.files.get(f"{OUT}/results", b"")
    if form != LINES:
        return read(form, report, exit_code), 0
    mark = f"{nonce} ".encode()
    lines = report.splitlines()
    ours = [line[len(mark) :] for line in lines if line.startswith(mark)]
    return read(form, b"\n".join(ours), exit_code), len(lines) - len(ours)


def shipped_names() -> tuple[str, ...]:
    """The files below `container/` that judge inside of a container."""
    return _SHIPPED


@cache
def _shipped() -> Mapping[str, File]:
    ours = [files("sandbox") / "container" / name for name in _SHIPPED]
    both = [*ours, files("core") / "manifests.py"]
    return {f"{IN}/{one.name}": File(content=one.read_bytes()) for one in both}


def _inputs(order: Order, nonce: str, seal: str) -> dict[str, File]:
    spec = {
        "user": int(USER),
        "form": order.results,
        "nonce": nonce,
        "seal": seal,
        "manifests": sorted(NAMES),
        "model_diff": order.model_diff,
        "test_diff": order.test_diff,
        "test_paths": list(order.test_paths),
        "left_out": list(order.left_out),
        "trusted": order.trusted,
        "tripwires": [vars(wire) for wire in order.tripwires],
        "environment": {
            "PYTHONHASHSEED": str(order.seed),
            **fixed(order.limits),
            "PATCHMARK_TEST_SECONDS": f"{order.limits.seconds / _PARTS:g}",
        },
    }
    # Only root reads the order: it holds the nonce, and which tests must fail.
    return {
        **_shipped(),
        f"{IN}/command.sh": File(content=f"{order.command}\n".encode()),
        f"{IN}/spec.json": File(content=json.dumps(spec).encode("ascii"), mode=0o600),
    }
