"""Work done by a few threads at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

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
