"""Solving in batches: what is handed in, what is awaited, and what is asked at once anyway."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from core.git import Snapshot
from core.types import Stop
from models.base import Entrant
from models.batch_store import BatchStore
from models.batching import Question
from models.exchange import Slot
from models.oneshot import OneShot
from models.patches import unanswered
from patchmark.clock import QUESTION
from patchmark.missing import Missing
from patchmark.run import Run

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds between two looks at a batch."""
_SHARE = 0.8
"""Of the time that is left; the rest is for judging what came."""


class Batches:
    """The attempts of a run that are asked for in batches, now or by an earlier run.

    A question is handed in at most once a run. What is awaited from a batch is asked for in no
    other way, whether or not this run is to use batches.
    """

    def __init__(self, run: Run):
        self._run = run
        wanted = run.settings.batch or BatchStore(run.folder.exchanges).open()
        self._batchers = run.batchers if wanted else {}
        self._mine: list[Missing] = []
        self._keys: dict[Slot, str] = {}
        """Hash of the question, of all that is to be answered by batch."""
        self._todo: list[Question] = []
        """What was not handed in yet: it is awaited from an earlier run, or there is no money."""

    def begin(self, missing: list[Missing]) -> list[Missing]:
        """See what has come, hand in the rest; returns what is to be asked at once."""
        self._look()
        if not self._run.settings.batch:
            awaited = self._awaited()
            self._mine = [one for one in missing if one.slot in awaited]
            return [one for one in missing if one.slot not in awaited]
        self._mine = [one for one in missing if one.entrant.name in self._batchers]
        rest = [one for one in missing if one.entrant.name not in self._batchers]
        names = dict.fromkeys(one.entrant.name for one in rest if _asks(one.entrant))
        if names:
            self._run.show.tell(f"asked at once and at full price: {', '.join(names)}")
        self._todo = [self._question(one) for one in self._mine]
        self._send()
        return rest

    def wait(self) -> list[Missing]:
        """Wait for batches, as long as is wanted; returns what can be solved without asking.

        What came to nothing has its patch then.
        """
        settings = self._run.settings
        patience = min(settings.batch_wait, _SHARE * max(self._run.clock.left(), 0.0))
        until = time.monotonic() + (patience if settings.batch else 0)
        mine = {one.slot for one in self._mine}
        for pause in pauses():
            left = until - time.monotonic()
            if left <= 0 or not mine & self._awaited():
                break
            time.sleep(min(pause, left))
            if self._look():
                self._send()
        awaited = self._awaited()
        if mine & awaited:
            self._run.show.tell(words(len(mine & awaited)))
        done = [one for one in self._mine if one.slot not in awaited]
        return [one for one in done if self._can_be_solved(one.slot)]

    def _look(self) -> int:
        came = sum(batcher.look() for batcher in self._batchers.values())
        self._tell_trouble()
        return came

    def _send(self) -> None:
        if not self._run.clock.allows(QUESTION):
            return
        awaited = self._awaited()
        held = [one for one in self._todo if one[0] in awaited]
        for name, batcher in self._batchers.items():
            due = [one for one in self._todo if one[0].entrant == name and one[0] not in awaited]
            held += batcher.send(due)
        self._todo = held
        self._tell_trouble()

    def _tell_trouble(self) -> None:
        for batcher in self._batchers.values():
            for trouble in dict.fromkeys(batcher.trouble):
                self._run.show.tell(trouble)
            batcher.trouble.clear()

    def _question(self, attempt: Missing) -> Question:
        entrant, task = attempt.entrant, attempt.task
        assert isinstance(entrant, OneShot)
        request = entrant.request(task, Snapshot(self._run.repository, task.base_commit))
        self._keys[attempt.slot] = request.sha256
        return attempt.slot, request

    def _awaited(self) -> set[Slot]:
        return {slot for batcher in self._batchers.values() for slot in batcher.awaited()}

    def _can_be_solved(self, slot: Slot) -> bool:
        """Whether its answer is here, or no money for it; else its failure becomes its patch."""
        if any(slot == left for left, _ in self._todo):
            return True
        store = self._batchers[slot.entrant].asker.store
        if store.recall(slot, self._keys[slot], datetime.now(UTC)) is not None:
            return True
        failures = store.failures(slot)
        why = failures[-1].error if failures else "the batch brought no answer"
        model = failures[-1].requested_model if failures else None
        self._run.folder.append(unanswered(store, [slot], Stop.PROVIDER_FAILED, why, model))
        return False


def pauses() -> Iterator[float]:
    """Seconds to wait before each look, ever longer up to a bound."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 1.5, LONGEST_PAUSE)


def awaited(run: Run) -> int:
    """How many answers to what this run asks are awaited from batches."""
    opened = BatchStore(run.folder.exchanges).open() if run.settings.replay is None else []
    tasks = {task.id for task in run.all_tasks()} if opened else set()
    return sum(
        item.task_id in tasks and item.attempt <= run.settings.attempts
        for batch in opened
        if batch.entrant in run.settings.models
        for item in batch.items
    )


def words(awaited: int) -> str:
    """What is said of answers that have not come."""
    answers = "1 answer is" if awaited == 1 else f"{awaited} answers are"
    return f"{answers} awaited from batches; the same command goes on, within a day or so"


def _asks(entrant: Entrant) -> bool:
    return ":" in entrant.name and not entrant.name.startswith("replay:")
