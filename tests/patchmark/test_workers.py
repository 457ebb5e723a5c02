"""Threads side by side: who waits for whom, and how it ends."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from patchmark.workers import Crews


def test_no_crew_waits_for_another() -> None:
    """Results come while a crew stands still, and what they lead to is done as well."""
    stuck, found = threading.Event(), list[str]()
    with Crews[str](lambda: None) as working:
        working.submit("slow", 1, lambda: "slow" if stuck.wait(10) else "never")
        for name in ("a", "b", "c"):
            working.submit("quick", 1, partial(str, name))
        for result in working.results():
            found.append(result)
            if result == "c":
                working.submit("judge", 1, lambda: "judged c")
            if result == "judged c":
                stuck.set()
    assert found == ["a", "b", "c", "judged c", "slow"]


def test_the_first_error_ends_all_crews_in_order() -> None:
    """What has begun is told that the end comes, and waited for; nothing else begins."""
    told, begun, ended = threading.Event(), threading.Event(), list[str]()

    def wait() -> str:
        begun.set()
        ended.append("told" if told.wait(10) else "not told")
        return "late"

    def fail() -> str:
        begun.wait(10)
        raise ValueError("rejected")

    def run() -> None:
        with Crews[str](told.set) as working:
            for _ in range(3):
                working.submit("one", 1, wait)
            working.submit("other", 1, fail)
            assert list(working.results())

    with pytest.raises(ValueError, match="rejected"):
        run()
    assert ended == ["told"]
