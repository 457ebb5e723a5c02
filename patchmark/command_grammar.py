"""What may be said to patchmark in a comment: a closed grammar, read from the first line alone.

    /patchmark run [MODELS] [--tasks N]
    /patchmark stop
    /patchmark help

No flag of the command line is among it, and no character that a shell or a runner would mind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from core.errors import UsageError
from models.spec import BASELINE_NAMES, check

CALLED = "/patchmark"
MOST_TASKS = 200
MOST_MODELS = 12
LONGEST = 1000
"""Characters of a command."""
HELP = f"""\
| Command | What it does |
|:--|:--|
| `/patchmark run` | Compares the models that the workflow names, on this pull request's head |
| `/patchmark run MODELS` | Compares these, separated by commas, beside `reference` and `empty` |
| `/patchmark run --tasks N` | On N tasks, {MOST_TASKS} at most; also behind MODELS |
| `/patchmark stop` | Stops what commands on this pull request started; paid answers are kept |
| `/patchmark help` | Shows this |

For people who may write to this repository. The workflow's budget holds for every command.
"""
_USAGE = "`/patchmark run [MODELS] [--tasks N]`, `/patchmark stop`, `/patchmark help`"
_WORD = re.compile(r"[A-Za-z0-9._:/@+=,-]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
_TASKS = "--tasks"

Verb = Literal["run", "stop", "help"]


@dataclass(frozen=True, kw_only=True)
class Command:
    """What was asked for."""

    verb: Verb
    models: tuple[str, ...] = ()
    """Entrants; none = those that the workflow names."""
    tasks: int | None = None
    """How many at most; None = what the workflow says."""


def is_for_us(body: str) -> bool:
    """Whether a comment's first line is a command, sound or not."""
    return _first_line(body).split(" ")[0].rstrip() == CALLED


def parse(body: str) -> Command:
    """Read a comment that `is_for_us`. Raises UsageError that says what is wrong in it."""
    line = _first_line(body)
    if len(line) > LONGEST:
        raise UsageError(f"a command has at most {LONGEST} characters, not {len(line)}")
    words = line.split()[1:]
    for word in words:
        if not _WORD.fullmatch(word):
            raise UsageError(f"{word!r} holds a character that no command has; known: {_USAGE}")
    verb, *rest = words or ["help"]
    if verb == "run":
        return _run(rest)
    if verb not in ("stop", "help"):
        raise UsageError(f"{verb!r} is no command; known: {_USAGE}")
    if rest:
        raise UsageError(f"`{verb}` takes nothing behind it, not {rest[0]!r}")
    return Command(verb="stop" if verb == "stop" else "help")


def _first_line(body: str) -> str:
    return body.partition("\n")[0].rstrip("\r")


def _run(words: list[str]) -> Command:
    names: list[str] = []
    counts: list[str] = []
    waiting = iter(words)
    for word in waiting:
        flag, equals, value = word.partition("=")
        if flag == _TASKS:
            counts.append(value if equals else next(waiting, ""))
        elif word.startswith("-"):
            raise UsageError(f"{word!r} is not known here; the only option is `{_TASKS} N`")
        else:
            names += [name for name in word.split(",") if name]
    if len(counts) > 1:
        raise UsageError(f"`{_TASKS}` is given more than once")
    return Command(verb="run", models=_entrants(names), tasks=_tasks(counts))


def _entrants(names: list[str]) -> tuple[str, ...]:
    """All names once, with both baselines before them where neither is among them."""
    names = list(dict.fromkeys(names))
    if len(names) > MOST_MODELS:
        raise UsageError(f"at most {MOST_MODELS} models at once, not {len(names)}")
    for name in names:
        check(name)
        if name.startswith(("replay:", "predictions:")):
            raise UsageError(f"{name!r}: recordings cannot be asked for in a comment")
    if names and not set(BASELINE_NAMES) & set(names):
        names = [*BASELINE_NAMES, *names]
    return tuple(names)


def _tasks(counts: list[str]) -> int | None:
    if not counts:
        return None
    if not _NUMBER.fullmatch(counts[0]) or int(counts[0]) > MOST_TASKS:
        raise UsageError(f"`{_TASKS}` takes a number from 1 to {MOST_TASKS}, not {counts[0]!r}")
    return int(counts[0])
