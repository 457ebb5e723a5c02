"""Batches that die at a chosen moment: started as a script, it forks a child for each line.

Argument: address of the fake server. A line is a run folder and a number: the child is killed
right before so many writes to disk are done. Prints its exit status when it has ended.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT.parent)]

from support.tasks import CALC, make_task  # noqa: E402

from core.redact import NOTHING  # noqa: E402
from models.budget import Budget  # noqa: E402
from models.desk import Desk  # noqa: E402
from models.exchange import Slot  # noqa: E402
from models.oneshot import OneShot  # noqa: E402
from models.registry import batcher, build  # noqa: E402

ENTRANT = "anthropic:claude-opus-4-8"
TASKS = 2


def work(folder: Path, url: str) -> None:
    """What a run does: look at what is open, hand in the rest, look again."""
    desk = Desk(
        exchanges=folder / "exchanges",
        budget=Budget(None),
        redactor=NOTHING,
        keys={"anthropic": "k"},
        base_urls={"anthropic": url},
    )
    entrant = build(ENTRANT, desk)
    made = batcher(entrant, desk)
    if not isinstance(entrant, OneShot) or made is None:
        raise TypeError(ENTRANT)
    # Nobody's list lags here: what it does not show was never taken.
    made = replace(made, lag=timedelta(0))
    made.look()
    tasks = [make_task(n) for n in range(TASKS)]
    questions = [(Slot(ENTRANT, t.id, 1), entrant.request(t, CALC)) for t in tasks]
    awaited = made.awaited()
    made.send([one for one in questions if one[0] not in awaited])
    made.look()


def die_at(writes: int) -> None:
    """Have this process killed at its so many-th sync."""
    sync, left = os.fsync, writes

    def counted(handle: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(handle)

    os.fsync = counted  # type: ignore[assignment]


def main() -> None:
    """Fork and wait, line by line."""
    import anthropic.types.messages  # noqa: F401 - so that every child starts at full speed

    for line in sys.stdin:
        folder, number = line.split()
        child = os.fork()
        if child == 0:
            die_at(int(number))
            work(Path(folder), sys.argv[1])
            os._exit(0)
        print(os.waitpid(child, 0)[1], flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
