"""Which run a comment tells of, in a hidden line of it: no older run overwrites a newer one.

The line comes back out of GitHub, where people may have edited it: it is read as a stranger's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, ValidationError

from core.digest import Name
from core.mined import Part

_LINE = re.compile(r"^<!-- patchmark:run v1 ([A-Za-z0-9+/=]{1,60000}) -->\r?$", re.MULTILINE)
_Number = Annotated[int, Field(ge=0, le=10**18)]


class RunId(Part):
    """A run of a workflow; 0 where there is no workflow."""

    run: _Number = 0
    attempt: _Number = 0
    made_at: AwareDatetime

    def older_than(self, other: RunId) -> bool:
        """By the workflow's numbers, as a slow run may end after a newer one; else by the clock."""
        if self.run and other.run and self._numbers != other._numbers:
            return self._numbers < other._numbers
        return self.made_at < other.made_at

    @property
    def _numbers(self) -> tuple[int, int]:
        return self.run, self.attempt


class Stamp(RunId):
    """A run, and what its comment says in short."""

    verdict: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the verdict."""
    best: Name
    worse: tuple[Name, ...] = ()
    """Entrants that were called worse than before."""
    unmet: bool = False
    """Whether a gate was not met."""

    @property
    def bad(self) -> bool:
        """Whether somebody has to look."""
        return bool(self.worse) or self.unmet


def run_id(run: str, attempt: str, made_at: datetime) -> RunId:
    """From the texts of the environment; what is no number is no workflow's."""
    numbers = [int(text) if re.fullmatch("[0-9]{1,18}", text) else 0 for text in (run, attempt)]
    aware = made_at if made_at.tzinfo else made_at.replace(tzinfo=UTC)
    return RunId(run=numbers[0], attempt=numbers[1], made_at=aware)


def hash_of(verdict: str) -> str:
    """What stands for a verdict in a stamp."""
    return hashlib.sha256(verdict.encode()).hexdigest()


def stamp_line(stamp: Stamp) -> str:
    """One line that GitHub shows to nobody; no text in it is readable, so none can break out."""
    return (
        f"<!-- patchmark:run v1 {base64.b64encode(stamp.model_dump_json().encode()).decode()} -->"
    )


def stamp_in(text: str) -> Stamp | None:
    """The last stamp in a comment of ours; None where there is none that can be read."""
    found = _LINE.findall(text)
    try:
        content = base64.b64decode(found[-1], validate=True) if found else b""
        return Stamp.model_validate_json(content)
    except (binascii.Error, ValidationError):
        return None
