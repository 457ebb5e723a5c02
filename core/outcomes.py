"""How attempts end, and whose doing that is: two closed sets and the one table of their rules.

Judging, resuming and reporting all ask here, so that they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stop(StrEnum):
    """How a model's attempt ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    """An answer without any edit that could be understood."""
    MISPLACED = "misplaced"
    """An edit whose place in the file cannot be found."""
    TRUNCATED = "truncated"
    """The answer hit the model's length limit."""
    PROVIDER_FAILED = "provider_failed"
    OVER_BUDGET = "over_budget"
    ENVIRONMENT_BROKEN = "environment_broken"
    """The container that an agent worked in failed, and not by its doing."""

    @property
    def final(self) -> bool:
        """False where a later run should ask again: nothing was answered."""
        return self is Stop.ANSWERED or not RULES[WITHOUT_A_RUN[self][0]].again


class Outcome(StrEnum):
    """How a patch ended; RULES says what each means."""

    PASSED = "passed"
    FAILED = "failed"
    REGRESSED = "regressed"
    TAMPERED = "tampered"
    """The patch reaches for the tests or their results instead of fixing anything."""
    NO_PATCH = "no_patch"
    DOES_NOT_APPLY = "does_not_apply"
    TIMED_OUT = "timed_out"
    ENVIRONMENT_BROKEN = "environment_broken"
    PROVIDER_FAILED = "provider_failed"
    OVER_BUDGET = "over_budget"
    CANCELLED = "cancelled"

    @property
    def scored(self) -> bool:
        """True where the outcome says something about the model."""
        return RULES[self].scored


class Cause(StrEnum):
    """Who has to answer for an outcome that is not `passed`."""

    MODEL = "model"
    TASK = "task"
    ENVIRONMENT = "environment"
    PROVIDER = "provider"
    PATCHMARK = "patchmark"


@dataclass(frozen=True)
class Rule:
    """What an outcome means."""

    scored: bool
    """Counts in the pass rate; what does not is shown beside it, under both denominators."""
    again: bool
    """The next run tries again: what happened says nothing that will stay so."""
    at_once: bool
    """Tried again within the same judgement, on a fresh container, a bounded number of times."""
    causes: frozenset[Cause]
    """Who may be to blame for it; nobody for a pass."""


_OURS = frozenset({Cause.ENVIRONMENT, Cause.PATCHMARK})
_MODEL = frozenset({Cause.MODEL})
_FAIR = Rule(scored=True, again=False, at_once=False, causes=_MODEL)
RULES: dict[Outcome, Rule] = {
    Outcome.PASSED: Rule(scored=True, again=False, at_once=False, causes=frozenset()),
    Outcome.FAILED: _FAIR,
    Outcome.REGRESSED: _FAIR,
    Outcome.TAMPERED: _FAIR,
    Outcome.NO_PATCH: _FAIR,
    Outcome.DOES_NOT_APPLY: _FAIR,
    Outcome.TIMED_OUT: _FAIR,
    Outcome.ENVIRONMENT_BROKEN: Rule(
        scored=False, again=True, at_once=True, causes=_OURS | {Cause.TASK}
    ),
    Outcome.PROVIDER_FAILED: Rule(
        scored=False, again=True, at_once=True, causes=frozenset({Cause.PROVIDER})
    ),
    Outcome.OVER_BUDGET: Rule(
        scored=False, again=True, at_once=False, causes=frozenset({Cause.PATCHMARK})
    ),
    Outcome.CANCELLED: Rule(scored=False, again=True, at_once=False, causes=_OURS),
}
WITHOUT_A_RUN: dict[Stop, tuple[Outcome, Cause]] = {
    Stop.REFUSED: (Outcome.NO_PATCH, Cause.MODEL),
    Stop.EMPTY: (Outcome.NO_PATCH, Cause.MODEL),
    Stop.UNREADABLE: (Outcome.NO_PATCH, Cause.MODEL),
    Stop.TRUNCATED: (Outcome.NO_PATCH, Cause.MODEL),
    Stop.MISPLACED: (Outcome.DOES_NOT_APPLY, Cause.MODEL),
    Stop.PROVIDER_FAILED: (Outcome.PROVIDER_FAILED, Cause.PROVIDER),
    Stop.OVER_BUDGET: (Outcome.OVER_BUDGET, Cause.PATCHMARK),
    Stop.ENVIRONMENT_BROKEN: (Outcome.ENVIRONMENT_BROKEN, Cause.ENVIRONMENT),
}
"""The outcome of an attempt that left no patch to run."""
