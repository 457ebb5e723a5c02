"""How near solving comes to the ideal schedule, against loopback services with set latencies.

    python benchmarks/solve.py [--seconds 2.0] [--rounds 20]

The services run in a process of their own. Each case is the real stage of a real run folder,
every question, record and fsync included; its ideal is what the service's own limits allow,
and its floor, measured in the same run, the bare SDK on as many threads as the service has
places, which knows that number and writes nothing:

- a service that keeps up, with the 32 places that a lane grows to at most;
- one with 8 places that turns away whoever comes on top (429, Retry-After);
- one that takes ten requests a second and says so in its headers;
- two services, one five times as slow: when the quick one is done, against it alone;
- one question after the other, against the bare SDK: what our own code takes for each.

Prints each figure with its limit, and ends with 1 where one is broken. Needs git, no engine.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In place of this folder, whose statistics.py is not the library's.
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]

from statistics import median  # noqa: E402 - the path above first

from rich.console import Console  # noqa: E402 - the path above first
from support.fake_anthropic import FakeAnthropic  # noqa: E402
from support.fake_openai import FakeResponses  # noqa: E402
from support.loopback import Asked, Behaviour, Loopback  # noqa: E402
from support.repos import Repo  # noqa: E402
from support.tasks import CALC, FIX, make_task  # noqa: E402

from benchmarks.sandbox import Measured  # noqa: E402
from core.redact import NOTHING  # noqa: E402
from core.types import Candidate, Patch, Stop  # noqa: E402
from models.anthropic import AnthropicProvider  # noqa: E402
from models.budget import Budget  # noqa: E402
from models.desk import Desk  # noqa: E402
from models.oneshot import OneShot  # noqa: E402
from models.openai import ResponsesProvider  # noqa: E402
from models.provider import Connection, Provider, Request  # noqa: E402
from models.registry import build  # noqa: E402
from patchmark.progress import Show  # noqa: E402
from patchmark.run import Run, opened  # noqa: E402
from patchmark.settings import Flags, make  # noqa: E402
from patchmark.solving import solve_stage  # noqa: E402

QUICK, OTHER = "anthropic:claude-opus-4-8", "openai:gpt-4o"


@dataclass(frozen=True, kw_only=True)
class Service:
    """How a service behaves."""

    seconds: float
    places: int = 10_000
    a_second: float = 0
    """Requests that it takes, told in its headers; 0 = any number."""
    kind: type[Loopback] = FakeAnthropic


class Places:
    """What a service has left; decides over each request. Safe from many threads."""

    def __init__(self, service: Service):
        self._service, self._lock = service, threading.Lock()
        self._inside, self._level, self._at = 0, service.a_second, time.monotonic()
        self.away = 0

    def answer(self, _: Asked, __: int) -> Behaviour:
        """How a request is answered, once it has waited as long as an answer takes."""
        with self._lock:
            self._inside += 1
            good = self._inside <= self._service.places and self._refilled()
            self.away += not good
            behaviour = self._good() if good else self._turned_away()
        time.sleep(self._service.seconds if good else 0)
        with self._lock:
            self._inside -= 1
        return behaviour

    def _refilled(self) -> bool:
        now, rate = time.monotonic(), self._service.a_second
        self._level = min(rate, self._level + (now - self._at) * rate)
        self._at = now
        if rate and self._level < 1:
            return False
        self._level -= 1
        return True

    def _good(self) -> Behaviour:
        rate = self._service.a_second
        if not rate:
            return Behaviour(text=FIX)
        left = max(0, int(self._level))
        told = {"limit": int(rate), "remaining": left, "reset": f"{(rate - left) / rate:.3f}s"}
        headers = tuple((f"x-ratelimit-{word}-requests", str(told[word])) for word in told)
        return Behaviour(text=FIX, headers=headers)

    def _turned_away(self) -> Behaviour:
        wait = f"{self._service.seconds / 4:.2f}"
        return Behaviour(kind="error", status=429, headers=(("retry-after", wait),))


def serve(service: Service, pipe: Pipe) -> None:
    """Be the service until told to stop; tells its address, and how many it turned away."""
    places = Places(service)
    with service.kind(places.answer) as server:
        pipe.send(server.url)
        pipe.recv()
    pipe.send(places.away)


class Served:
    """A service in a process of its own."""

    def __init__(self, service: Service):
        self._pipe, theirs = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn")
        self._process = spawn.Process(target=serve, args=(service, theirs), daemon=True)
        self._process.start()
        self.url: str = self._pipe.recv()

    def stop(self) -> int:
        """End it; how many requests it turned away."""
        self._pipe.send("stop")
        away: int = self._pipe.recv()
        self._process.join()
        return away


class Folder:
    """A repository, and run folders that wait for answers to so many tasks."""

    def __init__(self, path: Path, tasks: int):
        self._path, self._runs = path, 0
        files = {name: text for name, text in CALC.contents.items() if text is not None}
        base = Repo(path / "repo").commit("Start", files)
        self.tasks = tasks
        self._tasks = [make_task(number, base_commit=base) for number in range(1, tasks + 1)]

    def solve(self, urls: dict[str, str]) -> dict[str, float]:
        """Seconds until an entrant's last answer was there; everybody's, as the stage has it."""
        self._runs += 1
        environment = {
            "ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": urls.get(QUICK, ""),
            "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": urls.get(OTHER, ""), "HOME": str(self._path),
        }  # fmt: skip
        flags = Flags(
            repo=self._path / "repo", out=self._path / f"out-{self._runs}",
            models=",".join(urls), max_tasks=len(self._tasks),
        )  # fmt: skip
        settings = make(flags, {name: value for name, value in environment.items() if value})
        quiet = Show(Console(quiet=True), lambda: Decimal(0))
        with opened(settings, lambda _: quiet) as run:
            for task in self._tasks:
                mined = {name: getattr(task, name) for name in Candidate.model_fields}
                run.folder.append(Candidate(**mined))
                run.folder.append(task)
            _ = run.entrants  # imports the SDKs
            began = time.time()
            solve_stage(run)
            patches = [*run.folder.read(Patch)]
            return {name: _last(run, patches, name) - began for name in urls}

    def questions(self, name: str) -> list[Request]:
        """What the stage asks, for the floor."""
        entrant = build(name, Desk(exchanges=self._path, budget=Budget(None), redactor=NOTHING,
                                   keys={"anthropic": "k", "openai": "k"}))  # fmt: skip
        if not isinstance(entrant, OneShot):
            raise SystemExit(f"{name} is no one-shot entrant")
        return [entrant.request(task, CALC) for task in self._tasks]


def _last(run: Run, patches: list[Patch], name: str) -> float:
    """When the last answer of an entrant was on disk, in seconds since the epoch."""
    mine = [patch for patch in patches if patch.entrant == name]
    if any(patch.stop is not Stop.ANSWERED for patch in mine):
        raise SystemExit(f"{name}: not every task was answered")
    files = [run.folder.path / file for patch in mine for file in patch.exchanges]
    return max(file.stat().st_mtime for file in files)


def bare(provider: Provider, questions: list[Request], threads: int) -> float:
    """Seconds that the bare SDK takes for these on so many threads."""
    began = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(provider.ask, questions))
    return time.monotonic() - began


def case(folder: Folder, service: Service, *, floor: bool = True) -> tuple[float, float, int]:
    """Seconds of the stage, of the floor, and how many requests were turned away."""
    name = QUICK if service.kind is FakeAnthropic else OTHER
    one = Served(service)
    taken = folder.solve({name: one.url})[name]
    away = one.stop()
    least = 0.0
    if floor:
        one = Served(service)
        connection = Connection(api_key="k", base_url=one.url)
        provider = (
            AnthropicProvider(connection)
            if name == QUICK
            else ResponsesProvider("openai", connection)
        )
        least = bare(provider, folder.questions(name), min(service.places, 32))
        one.stop()
    return taken, least, away


def two_services(folder: Folder, seconds: float) -> tuple[float, float]:
    """When a quick service is done: beside a slow one, and alone."""
    times = []
    for names in ((QUICK, OTHER), (QUICK,)):
        quick = Served(Service(seconds=seconds))
        slow = Served(Service(seconds=5 * seconds, kind=FakeResponses))
        urls = {QUICK: quick.url, OTHER: slow.url}
        times.append(folder.solve({name: urls[name] for name in names})[QUICK])
        quick.stop()
        slow.stop()
    return times[0], times[1]


def for_each(folder: Folder) -> tuple[float, float]:
    """Seconds a question, one after the other: with all of our code, and with the bare SDK."""
    one = Served(Service(seconds=0))
    asked = folder.questions(QUICK)
    connection = Connection(api_key="k", base_url=one.url)
    with tempfile.TemporaryDirectory() as place:
        desk = Desk(
            exchanges=Path(place), budget=Budget(None), redactor=NOTHING,
            keys={"anthropic": "k"}, base_urls={"anthropic": one.url},
        )  # fmt: skip
        entrant, provider = build(QUICK, desk), AnthropicProvider(connection)
        pairs = []
        for number, request in enumerate(asked, 1):
            began = time.perf_counter()
            entrant.solve(make_task(number), CALC, 1)
            between = time.perf_counter()
            provider.ask(request)
            pairs.append((between - began, time.perf_counter() - between))
    one.stop()
    return median(p[0] for p in pairs), median(p[1] for p in pairs)


def share(name: str, value: float) -> Measured:
    """A part of what could be had, and how much of it is wanted."""
    return Measured(name, value, 0.9, "x", at_least=True)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long an answer takes")
    parser.add_argument("--rounds", type=int, default=20, help="answers for each place")
    given = parser.parse_args()
    seconds, rounds = given.seconds, given.rounds
    figures = []
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        wide, narrow, few = (Folder(root / str(places), places * rounds) for places in (32, 8, 5))
        cases = (
            ("that keeps up", wide, Service(seconds=seconds), 32 / seconds),
            ("with 8 places", narrow, Service(seconds=seconds, places=8), 8 / seconds),
            (
                "with 10 requests a second",
                narrow,
                Service(seconds=seconds / 4, a_second=10, kind=FakeResponses),
                10,
            ),
        )
        for words, folder, service, a_second in cases:
            count = folder.tasks - int(service.a_second)  # the first second's are there at once
            ideal = count / a_second + (service.seconds if service.a_second else 0)
            taken, floor, away = case(folder, service, floor=not service.a_second)
            told = f", bare SDK {floor:.1f} s" if floor else ""
            print(f"a service {words}: {folder.tasks} answers in {taken:.1f} s, ideally "
                  f"{ideal:.1f} s{told}, {away} turned away", flush=True)  # fmt: skip
            figures.append(share(f"{words}: share of the ideal", ideal / taken))
            if floor:
                figures.append(share("the same, of the bare SDK", floor / taken))
        beside, alone = two_services(few, seconds)
        figures.append(Measured("beside a slow service against alone", beside / alone, 1.1, "x"))
        ours, sdk = for_each(narrow)
        print(f"one question: {1000 * ours:.1f} ms, bare SDK {1000 * sdk:.1f} ms, medians")
        figures.append(Measured("what our code adds to a question", 1000 * (ours - sdk), 50, "ms"))
    for figure in figures:
        print(figure)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
