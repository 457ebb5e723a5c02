"""How many requests a service is sent at once, and when."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.fake_anthropic import FakeAnthropic
from support.fake_google import FakeGoogle
from support.fake_openai import FakeChat, FakeResponses
from support.loopback import Asked, Behaviour, Loopback, in_order
from support.tasks import CALC, FIX, make_task

from core.redact import NOTHING
from core.types import Patch, Stop
from models.budget import Budget
from models.desk import Desk
from models.lanes import FIRST, Lane, LaneClosedError
from models.rates import heard, seconds_until
from models.registry import build
from models.retry import LONGEST_WAIT

CLAUDE = "anthropic:claude-opus-4-8"
GOOD = Behaviour(text=FIX)


def one(lane: Lane, *, fails: bool = False) -> None:
    with lane.turn() as turn:
        if fails:
            turn.turned_away(None)
        else:
            turn.answered()


def full(lane: Lane, count: int) -> int:
    """Answer that many requests with the lane always full; returns the room after it."""
    for _ in range(count):
        turns = [lane.turn() for _ in range(lane.room)]
        opened = [turn.__enter__() for turn in turns]
        opened[0].answered()
        for turn in turns:
            turn.__exit__(None, None, None)
    return lane.room


def test_a_lane_widens_while_it_is_full_and_no_further_than_its_bound() -> None:
    lane = Lane(FIRST + 4)
    assert lane.room == FIRST
    for _ in range(20):
        one(lane)  # alone: nothing shows that more would be of use
    assert lane.room == FIRST
    assert full(lane, 2) == FIRST + 2
    assert full(lane, 20) == FIRST + 4


def test_answers_that_come_together_widen_it_one_each() -> None:
    """Bug: all but the first found the lane not full, so that it took rounds to become as wide."""
    lane = Lane(64)
    turns = [lane.turn() for _ in range(FIRST)]
    opened = [turn.__enter__() for turn in turns]
    with ThreadPoolExecutor(2 * FIRST) as pool:
        for _ in range(2 * FIRST):
            pool.submit(one, lane)
        while len(lane._line) < 2 * FIRST:
            time.sleep(0.005)
        with lane._changed:  # nobody in the line is quicker than the answers
            for turn, answered in zip(turns, opened, strict=True):
                answered.answered()
                turn.__exit__(None, None, None)
            assert lane.room == 2 * FIRST


def test_being_turned_away_halves_it_once_for_all_that_were_under_way() -> None:
    """It soon is as wide as went well before, and tries more only after a few rounds."""
    lane = Lane(32)
    turns = [lane.turn() for _ in range(FIRST)]
    for opened in [turn.__enter__() for turn in turns][:2]:
        opened.turned_away(None)
    for turn in turns:
        turn.__exit__(None, None, None)
    assert lane.room == FIRST // 2
    well = FIRST - 2
    assert full(lane, well - FIRST // 2) == well
    assert full(lane, 3 * well) == well
    assert full(lane, 2 * well) == well + 1
    for _ in range(4):
        one(lane, fails=True)
    assert lane.room == 1


def test_who_was_turned_away_goes_first() -> None:
    lane, order = Lane(1), list[str]()

    def go(name: str, failed: int) -> None:
        with lane.turn(failed=failed):
            order.append(name)

    with ThreadPoolExecutor(3) as pool, lane.turn():
        for name, failed in (("new", 0), ("newer", 0), ("turned away", 1)):
            pool.submit(go, name, failed)
            time.sleep(0.02)
    assert order == ["turned away", "new", "newer"]


def test_a_pause_holds_for_the_whole_lane_and_has_an_end() -> None:
    lane = Lane(4)
    with lane.turn() as turn:
        turn.turned_away(0.15)
    began = time.monotonic()
    one(lane)
    assert 0.1 < time.monotonic() - began < 1
    with lane.turn() as turn:
        turn.turned_away(3600)
    assert lane._opens - time.monotonic() <= LONGEST_WAIT


def test_a_closed_lane_sends_nothing_more() -> None:
    lane, found = Lane(1), list[BaseException]()

    def wait() -> None:
        try:
            one(lane)
        except LaneClosedError as error:
            found.append(error)

    waiting = threading.Thread(target=wait)
    with lane.turn():
        waiting.start()
        time.sleep(0.02)
        lane.close()
        waiting.join(5)
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("7", 7.0), ("1.5", 1.5),
        ("soon", None), ("", None), (None, None), ("2026-01-31", None), ("5 s", None),
        ("2001-01-31T00:00:00Z", 0.0), ("-1", None),
    ],
)  # fmt: skip
def test_when_a_limit_is_full_again(text: str | None, seconds: float | None) -> None:
    assert seconds_until(text) == seconds


def anthropic(limit: int, left: int, seconds: float, what: str = "requests") -> dict[str, str]:
    full = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    words = {"limit": str(limit), "remaining": str(left), "reset": full}
    return {f"anthropic-ratelimit-{what}-{word}": value for word, value in words.items()}


def openai(limit: int, left: int, reset: str, what: str = "requests") -> dict[str, str]:
    words = {"limit": str(limit), "remaining": str(left), "reset": reset}
    return {f"x-ratelimit-{word}-{what}": value for word, value in words.items()}


def test_what_headers_say_of_limits() -> None:
    found = heard({**openai(10, 0, "20s"), **anthropic(1000, 500, 10, "input-tokens")}, 100.0)
    assert found["requests"].wait(1, 100.0) == pytest.approx(2.0)
    assert found["requests"].wait(1, 101.0) == pytest.approx(1.0)
    assert found["tokens"].wait(500, 100.0) == 0
    assert found["tokens"].wait(550, 100.0) == pytest.approx(1.0, abs=0.1)
    # Rounded down to nothing left, while a request comes back every two seconds.
    later = heard(openai(10, 0, "20s"), 101.5)["requests"]
    later.refine(found["requests"], 101.5)
    assert later.wait(1, 101.5) == pytest.approx(0.5)
    # A question larger than the limit waits for all of it, and a day's limit for a minute.
    assert found["tokens"].wait(10**6, 100.0) == pytest.approx(10.0, abs=0.1)
    assert heard(openai(10, 0, "8h"), 0.0)["requests"].wait(10, 0.0) == LONGEST_WAIT


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-limit-requests": "10"},
        openai(10, 0, "soon"),
        openai(10, 10, "0s"),
        openai(10, 11, "1s"),
        {**openai(10, 1, "1s"), "x-ratelimit-remaining-requests": "-1"},
    ],
)
def test_headers_that_say_nothing_of_use(headers: dict[str, str]) -> None:
    assert heard(headers, 0.0) == {}


def test_a_lane_keeps_the_pace_that_headers_tell() -> None:
    """Of what is under way the server knew nothing yet: it is taken off as well."""
    lane = Lane(8)
    with lane.turn(), lane.turn():  # of one thread, which counts as one request
        lane.hear(openai(20, 1, "1900ms"))  # ten a second come back
    began = time.monotonic()
    for _ in range(4):
        one(lane)
    assert 0.25 < time.monotonic() - began < 2


def test_headers_tell_of_the_moment_when_the_request_came_in() -> None:
    """Ten a second were used to 85 %: what came back while an answer was made was forgotten."""
    lane = Lane(8)
    with lane.turn():
        time.sleep(0.3)
        lane.hear(openai(10, 5, "500ms"))  # ten a second come back
        assert lane._buckets["requests"].wait(7.9, time.monotonic()) == 0


def test_what_was_sent_since_is_taken_off() -> None:
    lane, sent, heard_of = Lane(8), threading.Event(), threading.Event()

    def later() -> None:
        with lane.turn():
            sent.set()
            heard_of.wait(10)

    with lane.turn():
        thread = threading.Thread(target=later)
        thread.start()
        sent.wait(10)
        lane.hear(openai(10, 5, "60s"))  # one in twelve seconds comes back
        left = lane._buckets["requests"].wait(5, time.monotonic())
        heard_of.set()
    thread.join()
    assert 5 < left <= 12


def desk(folder: Path, name: str, server: Loopback) -> Desk:
    return Desk(
        exchanges=folder / "exchanges",
        budget=Budget(None),
        redactor=NOTHING,
        keys=dict.fromkeys(("anthropic", "google", "openai", "server"), "k"),
        base_urls={name.partition(":")[0]: server.url},
    )


def solve(desk: Desk, name: str, tasks: Sequence[int], threads: int = 8) -> list[Patch]:
    with ThreadPoolExecutor(threads) as pool:
        entrants = [build(name, desk) for _ in tasks]  # all of one lane
        return list(pool.map(lambda n, e: e.solve(make_task(n), CALC, 1), tasks, entrants))


@pytest.mark.parametrize(
    ("fake", "name"),
    [
        (FakeAnthropic, CLAUDE),
        (FakeGoogle, "google:gemini-3.5-flash"),
        (FakeResponses, "openai:gpt-4o"),
        (FakeChat, "server:qwen"),
    ],
)
def test_a_pause_that_a_service_asks_for_is_no_latency(
    tmp_path: Path, fake: type[Loopback], name: str
) -> None:
    """All of its questions wait, only the one that was turned away was sent twice."""
    came: list[float] = []
    busy = Behaviour(kind="error", status=429, headers=(("retry-after", "0.3"),))

    def plan(_: Asked, number: int) -> Behaviour:
        came.append(time.monotonic())
        return busy if number == 1 else GOOD

    with fake(plan) as server:
        asked = desk(tmp_path, name, server)
        began = time.monotonic()
        (patch,) = solve(asked, name, [1])
        took = time.monotonic() - began
        solve(asked, name, [2, 3])
    assert len(came) == 4
    assert came[1] - came[0] >= 0.3
    (kept,) = tmp_path.glob("exchanges/*/000000000001.1.1.json")
    exchange = json.loads(kept.read_text())
    assert exchange["queued_seconds"] >= 0.25
    assert exchange["seconds"] <= took - 0.3
    (call,) = patch.calls
    assert (call.seconds, call.output_tokens) == (exchange["seconds"], 200)
    assert (patch.failed_requests, patch.seconds) == (1, call.seconds)
    assert patch.queued_seconds >= exchange["queued_seconds"]


@pytest.mark.parametrize(
    ("fake", "name", "headers"),
    [
        # Its headers name a moment, and this list is made long before the test.
        (FakeAnthropic, CLAUDE, anthropic(100, 0, 36_000)),
        (FakeResponses, "openai:gpt-4o", openai(100, 0, "5s")),
        (FakeChat, "server:qwen", openai(10**6, 0, "60s", "tokens")),
    ],
)
def test_headers_are_heard_under_the_real_sdks(
    tmp_path: Path, fake: type[Loopback], name: str, headers: dict[str, str]
) -> None:
    with fake(in_order(Behaviour(text=FIX, headers=tuple(headers.items())))) as server:
        asked = desk(tmp_path, name, server)
        solve(asked, name, [1])
    (lane,) = asked.lanes._lanes.values()
    (bucket,) = lane._buckets.values()
    assert bucket.wait(bucket.limit, time.monotonic()) > 1


def test_a_service_with_few_places_answers_everything(tmp_path: Path) -> None:
    """No more than three at once, and whoever comes on top is turned away: in the end all did."""
    lock, inside, away = threading.Lock(), 0, 0

    class Narrow(FakeAnthropic):
        def handle(self, request: object) -> None:
            nonlocal inside
            with lock:
                inside += 1
            try:
                super().handle(request)  # type: ignore[arg-type]
            finally:
                with lock:
                    inside -= 1

    def plan(_: Asked, __: int) -> Behaviour:
        nonlocal away
        if inside > 3:
            away += 1
            return Behaviour(kind="error", status=429, headers=(("retry-after", "0.02"),))
        time.sleep(0.03)
        return GOOD

    with Narrow(plan) as server:
        patches = solve(desk(tmp_path, CLAUDE, server), CLAUDE, range(1, 41), 32)
    assert {patch.stop for patch in patches} == {Stop.ANSWERED}
    assert 0 < away < 20
