"""What an attack is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.types import Verdict
from sandbox.attacks.sample import PYTHON, Sample


class Kind(StrEnum):
    """What the attacks of one kind try, as people read it."""

    HOOKS = "be loaded by interpreter or runner unasked"
    TESTS = "change, skip or remove the tests"
    MACHINERY = "replace what compares and reports"
    ENDING = "end the run before a test can fail"
    RESULTS = "forge or destroy the results"
    LOOKS = "look like a result, or like a command"
    OUTLIVING = "outlive or kill the run"
    BOMBS = "use up the machine"
    READING = "find the answer"
    REACHING = "reach out of the container"
    PATCHES = "write where no patch may"
    ELSEWHERE = "break something else on the way"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One patch that would pass if what it tries worked, and how it has to end."""

    name: str
    kind: Kind
    text: str
    """The patch."""
    ends: tuple[str, ...]
    """Outcomes, the usual one first. None of them is a pass."""
    named: str = ""
    """Words that stand in the verdict's evidence, left out edits or detail."""
    sample: Sample = PYTHON

    @property
    def id(self) -> str:
        """The name, and on what it is tried where that is not Python."""
        return self.name if self.sample is PYTHON else f"{self.name} ({self.sample.name})"


def named(verdict: Verdict) -> str:
    """What a verdict says about the attempt, the strongest word it has."""
    if verdict.evidence:
        return verdict.evidence[0]
    if verdict.dropped_edits:
        return f"left out: {', '.join(verdict.dropped_edits)}"
    return " ".join(verdict.detail.split())
