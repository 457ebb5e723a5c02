"""Settings of the two versions: which of them are compared, and why the others are not."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.change_check import ChangedItem
from core.errors import UsageError
from models.agent import AgentLimits
from models.spec import BASELINE_NAMES, check, full_name, parse
from patchmark.config import DEFAULT_OUTPUT_TOKENS, Config

COMPARED = ("max-output-tokens", "agent.steps", "agent.seconds", "agent.command-seconds")
"""How models are asked, beside who they are and what their names say."""
_TASKS = "which tasks there are, and how often each is tried, is the base's word for both"
_MONEY = "what may be spent is the base's word"
_TESTS = "how tests are run and judged is the base's word for both"
_REPORT = "it says what a report makes of a run, not how a model is asked"
_RECKONED = "what is reckoned with is the base's word for both"
_WHY = {
    "attempts": _TASKS,
    "max-tasks": _TASKS,
    "mine": _TASKS,
    "budget-usd": _MONEY,
    "budgets": _MONEY,
    "agent.usd": _MONEY,
    "agent": "no agent takes part",
    "environment": _TESTS,
    "limits": _TESTS,
    "sandbox": _TESTS,
    "prices": _RECKONED,
    "cutoffs": _RECKONED,
    "batch": _RECKONED,
    "commands": "what is carried out is the base's word: a pull request could say anything",
}
_SHORT = 60
_LIMITS = AgentLimits()
_DEFAULTS = {
    "max-output-tokens": DEFAULT_OUTPUT_TOKENS,
    "agent.steps": _LIMITS.steps,
    "agent.seconds": _LIMITS.seconds,
    "agent.command-seconds": _LIMITS.command_seconds,
}


@dataclass(frozen=True)
class Twin:
    """A model, as each version's settings name it."""

    base: str
    head: str


@dataclass(frozen=True)
class Differences:
    """What differs between two settings files."""

    compared: tuple[ChangedItem, ...]
    ignored: tuple[ChangedItem, ...]


def differences(base: str | None, head: str | None, *, agents: bool) -> Differences:
    """All settings that differ, but for the models; `agents` = whether one takes part.

    Both texts are known to be valid.
    """
    before, after = (_flat(tomllib.loads(text or "")) for text in (base, head))
    compared, ignored = [], []
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name) or name == "models":
            continue
        how = f"{_shown(name, before)} → {_shown(name, after)}"
        part = name.partition(".")[0]
        if name in COMPARED and (agents or part != "agent"):
            compared.append(ChangedItem(name=name, how=how))
        else:
            why = _WHY.get(name) or _WHY.get(part, _REPORT)
            ignored.append(ChangedItem(name=name, how=how, why=why))
    return Differences(tuple(compared), tuple(ignored))


def limits(base: Config, head: Config) -> AgentLimits:
    """How long an agent of the head's version may work, at the base's cost."""
    return AgentLimits(**{**dict(head.agent), "usd": base.agent.usd})


def twins(
    base: Sequence[str], head: Sequence[str], where: str, commands: Mapping[str, object]
) -> tuple[list[Twin], list[ChangedItem]]:
    """Each model of the base, with its name in the head; and who has nobody to be compared with.

    Only the same model of the same service is compared with itself: how it is asked may differ.
    Raises UsageError, naming `where` the head's settings are, for a name that can be no entrant.
    """
    ours, theirs = (list(dict.fromkeys(map(full_name, names))) for names in (_models(base), head))
    try:
        for name in theirs:
            check(name)
    except UsageError as error:
        raise UsageError(f"{where}: models: {error}") from error
    theirs = _models(theirs)
    alone = [name for name in theirs if name not in ours]
    found, ignored = [], []
    for name in ours:
        other = name if name in theirs else _reset(name, ours, theirs, commands)
        found.append(Twin(name, other or name))
        if other is None:
            ignored.append(_left_alone(name, "removed"))
    used = {twin.head for twin in found}
    ignored += [_left_alone(name, "new") for name in alone if name not in used]
    return found, ignored


def _models(names: Sequence[str]) -> list[str]:
    return [n for n in names if n not in BASELINE_NAMES and not n.startswith("replay:")]


def _reset(
    name: str, ours: Sequence[str], theirs: Sequence[str], commands: Mapping[str, object]
) -> str | None:
    """The same model with other settings, where it is plain which one is meant."""
    model = parse(name).priced_as
    left, right = (
        [one for one in names if one not in others and parse(one).priced_as == model]
        for names, others in ((ours, theirs), (theirs, ours))
    )
    if len(left) != 1 or len(right) != 1:
        return None
    spec = parse(right[0])
    known = not spec.command or spec.command in commands
    return right[0] if known and not spec.version else None


def _left_alone(name: str, how: str) -> ChangedItem:
    why = "a model is compared with itself alone; other models are a backtest's matter"
    return ChangedItem(name=name, how=f"{how} among the models", why=why)


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        inner = isinstance(value, dict) and prefix.count(".") < 1
        found.update(_flat(value, f"{prefix}{name}.") if inner else {f"{prefix}{name}": value})
    return found


def _shown(name: str, table: Mapping[str, object]) -> str:
    if name not in table:
        default = _DEFAULTS.get(name)
        return "not set" if default is None else f"not set ({default})"
    value = table[name]
    text = " ".join(str(value).split())
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
