"""How fast histories are read, against a floor measured in the same run.

    python benchmarks/mining.py REPOSITORY [REPOSITORY ...]

The floor is one `git log --first-parent -m --raw --numstat -z` of the same history, read to
its end and thrown away. Each measurement is a process of its own; floor and ours take turns,
and the best of each counts. For every history it prints

- metadata: all commits parsed, as a ratio to the floor (at most 1.3 is wanted),
- screening: commits a second that are judged by names alone (at least 10,000 are wanted),
- memory: the most that our process held, which must not grow with the history.

The exit code is 1 where one of these is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOOR = ("log", "--first-parent", "-m", "--raw", "--numstat", "-z")
MOST_TIMES_THE_FLOOR = 1.3
LEAST_COMMITS_A_SECOND = 10_000
MOST_MORE_MEMORY = 1.5
"""How many times the memory of the shortest history the longest one may take."""
BLOCK = 1 << 16


def floor(repository: Path) -> int:
    """Read git's own listing to its end; gives the bytes read."""
    command = ["git", "-C", str(repository), *FLOOR]
    total = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as git:
        while git.stdout is not None and (block := git.stdout.read(BLOCK)):
            total += len(block)
    return total


def metadata(repository: Path) -> int:
    """Parse every commit with its files; gives their number."""
    from core.git import Repository
    from miner.history import changes

    return sum(1 for _ in changes(Repository(repository)))


def screening(repository: Path) -> int:
    """Judge every commit by its names; gives their number."""
    from core.git import Repository
    from miner.history import changes
    from miner.reverts import reverted
    from miner.screen import screen_change

    opened = Repository(repository)
    taken_back = reverted(opened)
    seen = 0
    for change in changes(opened):
        taken_back.pass_by(change)
        screen_change(change, taken_back)
        seen += 1
    return seen


WORK: dict[str, Callable[[Path], int]] = {
    "floor": floor,
    "metadata": metadata,
    "screening": screening,
}


def measured(what: str, repository: Path) -> dict[str, float]:
    """Seconds, what was counted, and the most MiB held, of one process."""
    command = [sys.executable, __file__, "--only", what, str(repository)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def one(what: str, repository: Path) -> None:
    """Do one piece of work in this process and print what it took."""
    sys.path[0] = str(ROOT)  # in place of this folder, whose statistics.py is not the library's
    import miner.screen  # noqa: F401 - what is imported once is no part of the work

    work = WORK[what]
    work_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    count = work(repository)
    seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "count": count, "mib": max(most, work_before) / 1024}))


def history(repository: Path, rounds: int) -> tuple[dict[str, float], bool]:
    """Best of several rounds for one history, and whether the limits are kept."""
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for what in WORK:
            found = measured(what, repository)
            if what not in best or found["seconds"] < best[what]["seconds"]:
                best[what] = found
    ratio = best["metadata"]["seconds"] / best["floor"]["seconds"]
    rate = best["screening"]["count"] / best["screening"]["seconds"]
    row = {
        "commits": best["metadata"]["count"],
        "floor": best["floor"]["seconds"],
        "metadata": best["metadata"]["seconds"],
        "ratio": ratio,
        "rate": rate,
        "mib": best["screening"]["mib"],
    }
    return row, ratio <= MOST_TIMES_THE_FLOOR and rate >= LEAST_COMMITS_A_SECOND


def main() -> int:
    """Print the table; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=WORK, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        one(given.only, given.repositories[0])
        return 0
    print(f"{'history':<16}{'commits':>9}{'floor s':>9}{'ours s':>8}{'ratio':>7}", end="")
    print(f"{'screened/s':>12}{'MiB':>7}")
    rows, kept = [], True
    for repository in given.repositories:
        row, good = history(repository, given.rounds)
        kept = kept and good
        rows.append(row)
        name = repository.resolve().name
        print(
            f"{name:<16}{row['commits']:>9.0f}{row['floor']:>9.2f}{row['metadata']:>8.2f}"
            f"{row['ratio']:>7.2f}{row['rate']:>12,.0f}{row['mib']:>7.0f}"
        )
    rows.sort(key=lambda row: row["commits"])
    growth = rows[-1]["mib"] / rows[0]["mib"]
    print(f"memory of the longest over that of the shortest history: {growth:.2f}")
    kept = kept and growth <= MOST_MORE_MEMORY
    print("all limits kept" if kept else "a limit is missed")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
