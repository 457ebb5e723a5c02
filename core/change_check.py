"""What a change of guidance or settings does to the models of a repository: a report's own part.

Field names are a public contract. The two versions are called base and head, as of a pull request.
"""

from __future__ import annotations

from typing import Literal

from core.analysis import Comparison
from core.mined import Part

Says = Literal["helps", "hurts", "as good", "cannot be told"]


class ChangedItem(Part):
    """A file or a setting that differs between the two versions."""

    name: str
    """A path, or a setting as `agent.steps`."""
    how: str
    """What became of a file, or a setting's two values."""
    why: str = ""
    """Why it was not compared, or who does not read it; "" = compared."""


class CheckedEntrant(Part):
    """A model in both versions."""

    entrant: str
    """As the base's settings name it."""
    other: str
    """As the head's do."""
    base: str
    """Its row in the report's tables."""
    head: str
    base_rate: float | None = None
    """Mean over the paired tasks of the share of attempts that passed; None without a task."""
    head_rate: float | None = None
    comparison: Comparison | None = None
    """Head less base, corrected for the number of models; None where nothing was measured."""
    says: Says | None = None


class ChangeCheck(Part):
    """The same tasks with two versions."""

    base: str
    """Commit that the tasks come from, and one version of what differs."""
    head: str
    """Commit of the other; empty = the files as they lay in the working tree."""
    margin: float
    """How much lower a pass rate still counts as good as, a share."""
    compared: tuple[ChangedItem, ...] = ()
    ignored: tuple[ChangedItem, ...] = ()
    """What differs as well and is held equal, or what nobody can be given."""
    entrants: tuple[CheckedEntrant, ...] = ()
    told: tuple[str, ...] = ()
    """Titles of tasks of whose fix the head's guidance holds much, which the base's does not."""
    untouched: tuple[str, ...] = ()
    """Models that are asked the same by both versions, and so were not asked."""
