"""`patchmark doctor --attacks`: every known attack on a verdict, tried on this machine."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from rich.console import Console

from core.git import Repository
from core.outcomes import Outcome
from core.types import Verdict
from patchmark.commands import errors
from patchmark.settings import Settings
from patchmark.warm import Warm, marks
from patchmark.workers import unordered
from reports.escape import one_line
from sandbox.attacks import ATTACKS
from sandbox.attacks.arena import Arena, arena
from sandbox.attacks.attack import Attack, named
from sandbox.attacks.sample import SAMPLES, Sample
from sandbox.discover import connect
from sandbox.docker import DockerEngine
from sandbox.image import Images
from sandbox.recipe import EnvironmentSettings

GOT_THROUGH = 3
_WORKERS = 2
_WIDTHS = (43, 16, 13)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How one patch ended."""

    patch: str
    tries: str
    on: str
    """The sample."""
    outcome: str
    blame: str
    said: str
    """What the verdict says about the attempt."""
    seconds: float
    right: bool


def attack_all(settings: Settings, *, as_json: bool) -> int:
    """Try all of them, print a table as it grows, and return the exit code.

    Raises InfrastructureError where the samples cannot be built here.
    """
    show = (lambda _: None) if as_json else table(Console())
    return tell(try_all(settings, ATTACKS, show), as_json=as_json)


def try_all(
    settings: Settings, attacks: Sequence[Attack], show: Callable[[Tried], None]
) -> list[Tried]:
    """On each sample honest patches, then attacks, each shown at its end. Raises the same."""
    done: list[Tried] = []
    engine = connect(settings.variables, settings.redactor, settings.runtime)
    try:
        with tempfile.TemporaryDirectory(prefix="patchmark-") as folder:
            say = errors()
            say.print(
                "building the samples as they are needed; the first time takes minutes", style="dim"
            )
            images = _images(settings, engine, Path(folder) / "logs", say.print)
            for sample in SAMPLES:
                of_it = [attack for attack in attacks if attack.sample is sample]
                if not of_it:
                    continue
                with arena(engine, sample, Path(folder) / sample.name, images) as ring:
                    for tried in chain(_honest(ring, sample), _attacks(ring, of_it)):
                        done.append(tried)
                        show(tried)
    finally:
        engine.close()
    return done


def _images(
    settings: Settings, engine: DockerEngine, logs: Path, tell: Callable[[str], None]
) -> Callable[[Repository], Images]:
    def make(repository: Repository) -> Images:
        return Images(
            engine=engine,
            repository=repository,
            settings=EnvironmentSettings(),
            network=settings.network,
            logs=logs,
            tell=tell,
            pythons=settings.pythons,
            mark=marks(settings.variables).mark,
            store=Warm(engine, settings.registry, None, tell).store,
        )

    return make


def _honest(ring: Arena, sample: Sample) -> Iterator[Tried]:
    """Without these being right no attack tells anything."""
    for name, diff, wanted in (
        ("the fix", sample.diff(sample.fix), Outcome.PASSED),
        ("no change", "", Outcome.FAILED),
    ):
        start = time.monotonic()
        verdict = ring.judged(diff)
        right = verdict.outcome is wanted and not verdict.evidence
        tries = f"nothing, and must be {wanted.value}"
        yield _tried(name, tries, sample, verdict, start, right=right)


def _attacks(ring: Arena, attacks: Sequence[Attack]) -> Iterator[Tried]:
    def one(attack: Attack) -> Tried:
        start = time.monotonic()
        verdict = ring.judged(attack.text)
        # Where the engine or patchmark failed, the attack was not really tried.
        tried = verdict.outcome.scored or verdict.outcome.value in attack.ends
        right = tried and verdict.outcome is not Outcome.PASSED
        tries = f"to {attack.kind.value}"
        return _tried(attack.name, tries, attack.sample, verdict, start, right=right)

    workers = min(_WORKERS, os.cpu_count() or 1)
    yield from (tried for _, tried in unordered(attacks, one, workers))


def _tried(
    name: str, tries: str, sample: Sample, verdict: Verdict, start: float, *, right: bool
) -> Tried:
    return Tried(
        patch=name,
        tries=tries,
        on=sample.name,
        outcome=verdict.outcome.value,
        blame=verdict.cause.value if verdict.cause else "",
        # An attack writes some of these words, and a terminal or a runner would obey them.
        said=one_line(named(verdict), 160),
        seconds=round(time.monotonic() - start, 1),
        right=right,
    )


def table(console: Console) -> Callable[[Tried], None]:
    """Prints a heading, then two lines for each that is given to it."""
    printed: list[str] = []

    def show(tried: Tried) -> None:
        if not printed:
            console.print(_row("patch", "outcome", "blame"), "seconds", style="bold")
        printed.append(tried.patch)
        name = tried.patch if tried.on == SAMPLES[0].name else f"{tried.patch} ({tried.on})"
        style = "green" if tried.right else "bold red"
        console.print(
            _row(name, tried.outcome, tried.blame), f"{tried.seconds:7.1f}", style=style,
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
        words = f"tries {tried.tries}" + (f" → {tried.said}" if tried.said else "")
        console.print(f"    {words}", markup=False, highlight=False, style="dim", soft_wrap=True)

    return show


def _row(*cells: str) -> str:
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))


def tell(done: Sequence[Tried], *, as_json: bool) -> int:
    """Print how it went, as JSON everything, and return the exit code."""
    wrong = [tried for tried in done if not tried.right]
    if as_json:
        rows = [asdict(tried) for tried in done]
        sys.stdout.write(json.dumps({"ok": not wrong, "tried": rows}, indent=1) + "\n")
    elif wrong:
        names = ", ".join(f"{tried.patch} ({tried.on})" for tried in wrong)
        sys.stdout.write(f"{len(wrong)} of {len(done)} patches ended wrongly: {names}\n")
    else:
        sys.stdout.write(f"{len(done)} patches, none got through\n")
    return GOT_THROUGH if wrong else 0
