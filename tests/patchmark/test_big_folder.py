"""A run folder that has grown: its memory does not, and one damaged line in it is found.

`benchmarks/store.py` does the same with 100,000 verdicts, and has the seconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from support.big_store import Size, big_store
from support.command_line import environment, patchmark
from support.repos import Repo

from core.redact import NOTHING
from core.store import RunFolder
from core.types import Patch, Stop

ROOT = Path(__file__).parents[2]
PEAK = """
import sys
from patchmark.cli import main
code = main(sys.argv[1:])
status = open("/proc/self/status").read()
print("PEAK", status.partition("VmHWM:")[2].split()[0])
sys.exit(code)
"""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = Repo(tmp_path / "repo")
    made.commit("Start", {"a.py": "x = 1\n"})
    return made.path


def _peak_mib(tmp_path: Path, *arguments: str) -> float:
    """Of a command in a process of its own, whose other output is not looked at."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout.rpartition("PEAK ")[2]) / 1024


def test_memory_does_not_grow_with_transcripts(tmp_path: Path, repo: Path) -> None:
    """The same attempts, 60 and 600 kB of prompt each: 40 MB more on disk, and none in memory."""
    short, long = (
        big_store(tmp_path / f"{kilobytes}", repo, Size(330, 9, 0.1, 1000 * kilobytes))
        for kilobytes in (60, 600)
    )
    on_disk = [sum(p.stat().st_size for p in run.rglob("*.json")) for run in (short, long)]
    assert on_disk[1] - on_disk[0] > 25_000_000
    first, second = (_peak_mib(tmp_path, "report", f"--out={run}") for run in (short, long))
    assert second - first < 8


def test_resuming_holds_no_patches(tmp_path: Path) -> None:
    """Bug: a resumed run held every patch of the folder: a gigabyte with 100,000 of them."""
    patch = Patch(
        task_id="0" * 12, entrant="model", attempt=1, diff="+x\n" * 10_000, stop=Stop.ANSWERED,
        cost_usd=None, usage=None, seconds=None,
    )  # fmt: skip
    with RunFolder(tmp_path, NOTHING) as folder:
        folder.append_all(
            patch.model_copy(update={"task_id": f"{number:012x}"}) for number in range(1000)
        )
        tracemalloc.start()
        found = folder.attempts(Patch)
        sizes = {len(one.diff) for one in found.values()}
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (len(found), sizes) == (1000, {30_000})
    assert peak < 1_500_000


def test_a_damaged_line_in_the_middle_ends_report_and_resume(tmp_path: Path, repo: Path) -> None:
    run = big_store(tmp_path / "run", repo, Size(99, transcripts=0))
    path = run / "verdicts.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = json.loads(lines[48]) | {"outcome": "won"}
    path.write_bytes(b"".join([*lines[:48], json.dumps(damaged).encode() + b"\n", *lines[49:]]))
    for command in ("report", "judge"):
        done = patchmark(tmp_path, command, f"--out={run}", OPENAI_API_KEY="never used at all")
        assert done.returncode == 2
        assert "verdicts.jsonl:49: not a verdict record: outcome: " in done.stderr.replace("\n", "")
