"""Work done by a few threads at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    items: Sequence[Item], work: Callable[[Item], Result], workers: int
) -> Generator[Result]:
    """Results in the order of the items, a few at once; stops early when the caller does."""
    waiting: deque[Future[Result]] = deque()
    with _pool(workers) as pool:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def unordered(
    items: Iterable[Item], work: Callable[[Item], Result], workers: int
) -> Iterator[tuple[Item, Result]]:
    """Results as they come. The first error stops what has not begun."""
    with _pool(workers) as pool:
        futures = {pool.submit(work, item): item for item in items}
        for future in as_completed(futures):
            yield futures[future], future.result()


class Crews(Generic[Result]):
    """Pools of threads side by side, so that none waits for another's work.

    `before_the_end` is called where an error ends them, before what has begun is waited for.
    """

    def __init__(self, before_the_end: Callable[[], None]):
        self._before_the_end = before_the_end
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._done: SimpleQueue[Future[Result]] = SimpleQueue()
        self._open = 0

    def submit(self, crew: str, workers: int, work: Callable[[], Result]) -> None:
        """Have a crew of so many do this after what it was given before."""
        if crew not in self._pools:
            self._pools[crew] = ThreadPoolExecutor(workers)
        self._open += 1
        self._pools[crew].submit(work).add_done_callback(self._done.put)

    def results(self) -> Iterator[Result]:
        """Results as they come, also of what is submitted meanwhile; raises the first error."""
        while self._open:
            future = self._done.get()
            self._open -= 1
            yield future.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._before_the_end()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        patient = kind is None or not issubclass(kind, KeyboardInterrupt)
        for pool in self._pools.values():
            pool.shutdown(wait=patient)


@contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that finishes what has begun, except when a person wants to stop.

    Then closing the engine ends the containers, and with them the threads.
    """
    pool = ThreadPoolExecutor(workers)
    patient = True
    try:
        yield pool
    except KeyboardInterrupt:
        patient = False
        raise
    finally:
        pool.shutdown(wait=patient, cancel_futures=True)
