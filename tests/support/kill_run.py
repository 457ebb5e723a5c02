"""A run that can be killed: started as a script, it forks one child for each line it reads.

Arguments: run folder, address of the fake server, number of tasks, number of threads.
Prints the child's process id, and its exit status when it has ended.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT.parent)]

from support.tasks import CALC, make_task  # noqa: E402

from core.redact import NOTHING  # noqa: E402
from models.budget import Budget  # noqa: E402
from models.desk import Desk  # noqa: E402
from models.registry import build  # noqa: E402

ENTRANT = "anthropic:claude-opus-4-8"


def solve_all(run: Path, url: str, tasks: int, threads: int) -> None:
    """Solve every task, as the pipeline does after it lost its patch records."""
    desk = Desk(
        exchanges=run / "exchanges",
        budget=Budget(None),
        redactor=NOTHING,
        keys={"anthropic": "k"},
        base_urls={"anthropic": url},
    )
    entrant = build(ENTRANT, desk)
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(entrant.solve, make_task(n), CALC, 1) for n in range(tasks)]:
            done.result()


def main() -> None:
    """Fork and wait, line by line."""
    run, url, tasks, threads = sys.argv[1:]
    with tempfile.TemporaryDirectory() as warm:  # so that every child starts at full speed
        solve_all(Path(warm), url, 1, 1)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            solve_all(Path(run), url, int(tasks), int(threads))
            os._exit(0)
        print(child, flush=True)  # noqa: T201
        print(os.waitpid(child, 0)[1], flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
