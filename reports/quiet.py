"""When a run is worth a word on the pull request: the modes of the comment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.digest import Digest
from core.report import Report
from reports.change import called
from reports.digest import digest_of, run_before, unseal
from reports.stamp import RunId, Stamp, hash_of, stamp_in

Mode = Literal["always", "changes", "regressions"]


@dataclass(frozen=True)
class Decision:
    """Whether the comment is written, and beside which run it is put."""

    write: bool
    why: str
    """Why not, for the log."""
    stamp: Stamp
    before: Digest | None


def decide(
    mode: Mode, report: Report, best: str, run: RunId, said: str, kept: Digest | None = None
) -> Decision:
    """What to do about a comment that says `said` now, which is empty where there is none.

    `kept` is the run before, where no comment tells of any. A comment of a newer run is never
    written over.
    """
    there = stamp_in(said)
    before = _before(mode, report, said, there, kept)
    moved = called(digest_of(report), before) if before else {}
    stamp = Stamp(
        **run.model_dump(),
        verdict=hash_of(report.verdict),
        best=best[:200],
        worse=tuple(name for name, way in moved.items() if way == "worse"),
        unmet=any(gate.state == "not met" for gate in report.gates),
    )
    if there and run.older_than(there):
        return Decision(False, "the comment tells of a newer run", stamp, before)
    if mode == "changes":
        news = not there or _told(there) != _told(stamp) or bool(_moved(report, said))
        return Decision(news, "nothing changed since the comment was written", stamp, before)
    if mode == "regressions":
        unresolved = bool(said) and (there is None or there.bad)
        return Decision(stamp.bad or unresolved, "nothing got worse", stamp, before)
    return Decision(True, "", stamp, before)


def _before(
    mode: Mode, report: Report, said: str, there: Stamp | None, kept: Digest | None
) -> Digest | None:
    if mode != "regressions":
        return run_before(report, said)
    if there and there.worse:
        # What got worse stays worse until it is as good as it was before that.
        return unseal(said, "before")
    return run_before(report, said) or kept


def _told(stamp: Stamp) -> tuple[str, str]:
    return stamp.verdict, stamp.best


def _moved(report: Report, said: str) -> list[str]:
    """Entrants that a test calls better or worse than the comment says."""
    last = unseal(said)
    return [name for name, way in called(digest_of(report), last).items() if way] if last else []
