"""How a run folder behaves as it grows: time and memory to open, resume, append, report, merge.

    python benchmarks/store.py [--sizes 1000,10000,100000] [--transcripts 0.1] [--kilobytes 30]

Makes run folders of so many verdicts (`tests/support/big_store.py`: 11 entrants × 3 attempts, as
many tasks as that takes, patches of some 4 kB; every tenth attempt of a model has its request and
answer in files of this size) and does with each, in a process of its own,

- open: take the lock and look for a torn line; append: records a second, each on disk;
- solve, judge: the real commands with nothing left to do, which is what resuming is;
- report: the real command, all six files; merge: the real command on two halves.

Prints the seconds by the clock and on the processor and the peak of memory (RSS), each beside a
floor of the same minute: reading every line with `json.loads`, and a bare append with `fsync`.
Last, the same folder with transcripts ten times as long: memory must not grow with them. Ends with
1 where a limit is missed. Needs no engine; 100,000 take 3 GB of disk and some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent
# In place of this folder, whose statistics.py is not the library's.
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

APPENDS = 300
RESUME_SECONDS, REPORT_SECONDS = 15.0, 30.0
"""Limits on the processor, of the largest folder: the machine may be busy with other things."""
APPEND_TIMES = 2.0
"""Limit of an append, in bare ones."""
GROWTH = 1.1
"""Limit of memory with transcripts ten times as long, in that of the folder as it was."""
T = TypeVar("T")
_KEYS = {"OPENAI_API_KEY": "a key that is never used"}


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    name: str
    wall: float
    processor: float
    mib: float
    """Peak of resident memory."""
    told: str = ""

    def __str__(self) -> str:
        return (
            f"{self.name:<24}{self.wall:>9.2f} s{self.processor:>9.2f} s"
            f"{self.mib:>8.0f} MiB  {self.told}"
        )


def process(name: str, *command: str, ends: int = 0) -> Cost:
    """Run a program to its end. Its peak counts from this process's own, which is small."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        # Not `subprocess`, which does not tell what one child took.
        pid = os.posix_spawn(
            sys.executable, [sys.executable, *command], {**os.environ, **_KEYS},
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), n) for n in (1, 2)],
        )  # fmt: skip
        _, status, used = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        out.seek(0)
        text = out.read().decode(errors="replace").strip()
    if os.waitstatus_to_exitcode(status) != ends:
        raise SystemExit(f"{name} failed:\n{text}")
    told = text if "--child" in command else ""
    return Cost(name, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, told)


def patchmark(command: str, *arguments: str) -> Cost:
    """One of our own commands."""
    return process(command, "-I", "-m", "patchmark", command, *arguments)


def child(what: str, *arguments: object) -> Cost:
    """One of `CHILDREN` in a process of its own."""
    return process(what, __file__, "--child", what, *map(str, arguments))


# --- what children do ------------------------------------------------------------------------


def make(folder: str, verdicts: str, transcripts: str, characters: str, first: str) -> str:
    """Make a run folder and, beside it, its repository."""
    from support.big_store import Size, big_store
    from support.repos import Repo

    path = Path(folder)
    repo = path.parent / "repo"
    if not repo.exists():
        Repo(repo).commit("Start", {"a.py": "x = 1\n"})
    size = Size(int(verdicts), transcripts=float(transcripts), characters=int(characters))
    big_store(path, repo, size, first=int(first))
    return ""


def lines(folder: str) -> str:
    """The floor of reading: every line of every file through `json.loads`."""
    count = 0
    for path in Path(folder).glob("*.jsonl"):
        with path.open("rb") as file:
            for line in file:
                json.loads(line)
                count += 1
    return f"{count:,} lines"


def opened(folder: str) -> str:
    """Open and close the folder; tells the seconds without the start of Python."""
    from core.redact import NOTHING
    from core.store import RunFolder

    start = time.perf_counter()
    with RunFolder(Path(folder), NOTHING):
        pass
    return f"{1000 * (time.perf_counter() - start):.1f} ms of it opening"


def _last(records: Iterable[T]) -> T:
    return deque(records, maxlen=1)[0]


def append(folder: str) -> str:
    """Append the last verdict again and again, in turns with bare appends; tells both rates."""
    from core.redact import Redactor
    from core.store import RunFolder
    from core.types import Verdict

    with RunFolder(Path(folder), Redactor(_KEYS.values())) as run:
        record = _last(run.read(Verdict))
        line, bare = record.model_dump_json().encode() + b"\n", Path(folder) / "bare"
        ours, floor = 0.0, 0.0
        for _ in range(APPENDS):
            ours += _timed(lambda: run.append(record))
            floor += _timed(lambda: _bare(bare, line))
        bare.unlink()
    return f"{APPENDS / ours:,.0f} a second, bare {APPENDS / floor:,.0f}: {ours / floor:.2f} times"


def _bare(path: Path, line: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(handle, line)
    os.fsync(handle)
    os.close(handle)


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


CHILDREN: dict[str, Callable[..., str]] = {
    "make": make,
    "json.loads": lines,
    "open": opened,
    "append": append,
}


# --- the whole -------------------------------------------------------------------------------


def measured(folder: Path, size: int, transcripts: float, characters: int) -> list[Cost]:
    """All that is done with a folder of this size, made for it; each is told when it is done."""
    run, halves, merged = folder / "run", [folder / "one", folder / "two"], folder / "merged"
    given = (transcripts, characters)
    child("make", run, size, *given, 0)
    found: list[Cost] = []

    def told(cost: Cost) -> None:
        print(cost, flush=True)
        found.append(cost)

    for name in ("json.loads", "open"):
        told(child(name, run))
    for name in ("solve", "judge", "report"):
        told(patchmark(name, "--out", str(run)))
    told(child("append", run))
    for number, half in enumerate(halves):
        child("make", half, size // 2, *given, number * (size // 33 + 1))
    told(patchmark("merge", *map(str, halves), "--out", str(merged)))
    for made in (*halves, merged):
        shutil.rmtree(made)
    return found


def grown(folder: Path, size: int, characters: int) -> tuple[Cost, Cost]:
    """The report of two folders that differ in the length of their transcripts alone."""
    found = []
    for name, times in (("short", 1), ("long", 10)):
        child("make", folder / name, size, 0.1, times * characters, 0)
        found.append(patchmark("report", "--out", str(folder / name)))
        shutil.rmtree(folder / name)
    return found[0], found[1]


def limits(by_size: dict[int, list[Cost]], grew: tuple[Cost, Cost]) -> bool:
    """Print each limit and whether it was kept."""
    from benchmarks.sandbox import Measured

    size = max(by_size)
    last = {cost.name: cost for cost in by_size[size]}
    times = float(last["append"].told.split()[-2])
    short, long = grew
    growth = long.mib / short.mib
    figures = [
        Measured(f"solve, nothing left, {size:,}", last["solve"].processor, RESUME_SECONDS, "s"),
        Measured(f"judge, nothing left, {size:,}", last["judge"].processor, RESUME_SECONDS, "s"),
        Measured(f"report, {size:,}", last["report"].processor, REPORT_SECONDS, "s"),
        Measured("append, in bare ones", times, APPEND_TIMES, "×"),
        Measured("memory with transcripts ten times as long", growth, GROWTH, "×"),
    ]
    for figure in figures:
        print(figure)
    return all(figure.holds for figure in figures)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; 1 where a limit is missed."""
    if arguments[:1] == ["--child"]:
        print(CHILDREN[arguments[1]](*arguments[2:]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--transcripts", type=float, default=0.1)
    parser.add_argument("--kilobytes", type=int, default=30)
    given = parser.parse_args(arguments)
    by_size: dict[int, list[Cost]] = {}
    for size in map(int, given.sizes.split(",")):
        print(f"{f'{size:,} verdicts':<24}{'clock':>11}{'processor':>11}{'peak':>12}")
        with tempfile.TemporaryDirectory(prefix="patchmark-store-") as name:
            by_size[size] = measured(Path(name), size, given.transcripts, 1000 * given.kilobytes)
    with tempfile.TemporaryDirectory(prefix="patchmark-store-") as name:
        # 60 kB: more than the page shows of an attempt, so that nothing on it can grow.
        grew = grown(Path(name), 1000, 60_000)
    return 0 if limits(by_size, grew) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
