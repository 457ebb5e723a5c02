"""Trying pull requests live: each becomes one task in a run folder of its own.

Three steps that can be three processes: find what to try, mine it (which asks GitHub), and try it
(which asks models, and needs no token of GitHub's).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from core.errors import PatchmarkError, StoreError, UsageError
from core.live import LiveResult
from core.types import Candidate, Dropped
from miner.one import one
from miner.tracker import Issue, PullRequest, Tracker
from models.budget import Budget
from models.exchange_store import write_durably
from patchmark.live_result import result_of, write
from patchmark.live_targets import TARGETS, Target
from patchmark.pipeline import try_all
from patchmark.progress import Show
from patchmark.run import Run, opened
from patchmark.settings import Settings
from patchmark.sources import tracker_for
from patchmark.trial_term import term_of
from patchmark.under_test import open_repository, refuse_tracked
from reports.escape import one_line
from reports.words import reason_words

NAME = "targets.json"


@dataclass(frozen=True)
class Live:
    """Pull requests to be tried in folders below `settings.out`."""

    settings: Settings
    tell: Callable[[str], None]
    show: Callable[[Budget], Show]

    def ended(self, known: Sequence[LiveResult], config: Path | None) -> str:
        """Why nothing is tried any more; empty while the trial goes on."""
        term = term_of(config, self.settings.repo, known)
        if not term.over(datetime.now(UTC)):
            return ""
        return f"The live trial ended on {term.last_day}: nothing is tried, and nothing is spent."

    def begin(self, targets: Sequence[Target], known: Sequence[LiveResult]) -> list[Target]:
        """Note what is to be tried: what was not measured before, and holds a change with tests."""
        refuse_tracked(open_repository(self.settings.repo), self.settings.out)
        measured = [result for result in known if result.measured]
        done = {name for one in measured for name in (one.pull_request, one.head)} - {None}
        kept = []
        for target in targets:
            if not done.isdisjoint((target.pull_request, target.head)):
                self.tell(f"{target.called} was tried before")
            elif self._mined(target):
                kept.append(target)
        write_durably(self.settings.out / NAME, TARGETS.dump_json(kept, indent=1) + b"\n")
        return kept

    def noted(self) -> list[Target]:
        """What is to be tried. Raises UsageError where nothing was noted."""
        path = self.settings.out / NAME
        try:
            return TARGETS.validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise UsageError("name what to try: --commit SHA, or --pull NUMBER") from error
        except (OSError, ValidationError) as error:
            raise StoreError(f"{path}: cannot be read: {error}") from error

    def attempt(self) -> tuple[list[LiveResult], PatchmarkError | None]:
        """Try all that is noted; what kept some from being tried, where anything did.

        Where one cannot be tried, the others are all the same.
        """
        results: list[LiveResult] = []
        failed: PatchmarkError | None = None
        for target in self.noted():
            try:
                results.append(self._attempt(target))
            except PatchmarkError as error:
                failed = failed or error
                self.tell(f"{target.called}: {error}")
        return results, failed

    def _mined(self, target: Target) -> bool:
        """Whether it holds a task; what it is, is in its run folder then."""
        with opened(self._settings_of(target), self.show) as run:
            found = [*run.folder.read(Candidate), *run.folder.read(Dropped)]
            if not found:
                found = [self._mine(run, target)]
                run.folder.append(found[0])
        dropped = found[0] if isinstance(found[0], Dropped) else None
        if dropped is not None and dropped.stage == "mine":
            self.tell(f"{self._named(target)}: no task, it {_plainly(dropped)}")
            return False
        return True

    def _mine(self, run: Run, target: Target) -> Candidate | Dropped:
        tracker = tracker_for(run.settings, run.repository, run.show.tell)
        return one(
            run.repository,
            _Told(tracker, target.told) if target.told else tracker,
            target.base,
            target.head,
            pull_request=target.pull_request,
            rules=run.settings.path_rules,
        )

    def _attempt(self, target: Target) -> LiveResult:
        settings = self._settings_of(target)
        with opened(settings, self.show) as run:
            self.tell(f"trying {self._named(target)}")
            result = result_of(run, target, try_all(run))
            write(settings.out, result)
            return result

    def _settings_of(self, target: Target) -> Settings:
        # Answers that take up to a day are no way to tell how fast somebody is.
        out = self.settings.out / target.folder
        return replace(self.settings, out=out, history=None, batch=False)

    def _named(self, target: Target) -> str:
        return f"{target.called} {one_line(target.title, 70)}".strip()


@dataclass(frozen=True)
class _Told:
    """A tracker, and the one pull request that it does not tell of while it is open."""

    tracker: Tracker
    told: PullRequest

    @property
    def slug(self) -> str:
        return self.tracker.slug

    @property
    def missed(self) -> int:
        return self.tracker.missed

    def pull_requests(
        self, numbers: Collection[int], commits: Collection[str]
    ) -> Mapping[int | str, PullRequest]:
        others = {number for number in numbers if number != self.told.number}
        found = dict(self.tracker.pull_requests(others, commits)) if others or commits else {}
        return found | ({self.told.number: self.told} if self.told.number in numbers else {})

    def issues(self, numbers: Collection[int]) -> Mapping[int, Issue]:
        return self.tracker.issues(numbers)


def _plainly(dropped: Dropped) -> str:
    words = reason_words(dropped.reason)
    return words if words.startswith(("changes", "only")) else f"is {words}"
