"""One side of a candidate: its runs before the fix, or those after it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from core.paths import Kind, PathRules, kind_of
from sandbox.results import Status, SuiteRun
from sandbox.suite import Suite
from sandbox.tampering import EXIT
from sandbox.tripwires import split

_FAILED = (Status.FAILED, Status.ERROR)
_PATH = re.compile(r"(?<![\w/.-])(?:/repo/|\./)?[\w@+-][\w@.+-]*(?:/[\w@+-][\w@.+-]*)*\.\w+")


@dataclass(frozen=True)
class Side:
    """The runs before the fix, or those after it."""

    suites: tuple[Suite, ...]

    @property
    def last(self) -> Suite:
        """The last run, which may be the only one."""
        return self.suites[-1]

    @cached_property
    def _parted(self) -> list[tuple[SuiteRun, Mapping[str, Status], Suite]]:
        told = [(s, s.run, s.applied.get("planted", ())) for s in self.suites]
        return [(*split(run, planted), s) for s, run, planted in told if run is not None]

    @property
    def runs(self) -> tuple[SuiteRun, ...]:
        """Without tripwires."""
        return tuple(run for run, _, _ in self._parted)

    @property
    def tripwires(self) -> tuple[str, ...]:
        """The kinds of which each test failed in each run, as it must."""
        kinds: set[str] = set()
        for number, (run, told, suite) in enumerate(self._parted):
            good = {
                wire.kind
                for wire in suite.order.tripwires
                if all(told.get(name) in _FAILED for name in wire.names)
            }
            good |= {EXIT} if good and run.exit_code != 0 else set()
            kinds = kinds & good if number else good
        return tuple(sorted(kinds))

    @property
    def fell_as_a_whole(self) -> bool:
        """It ran, and not one test was reported."""
        return self.last.run is not None and not any(run.statuses for run in self.runs)

    def bad_files(self, rules: PathRules) -> tuple[str, ...]:
        """The test files that the runner named when it fell: as uncollected, or in its words."""
        run, output = self.last.run, self.last.ran.output
        words = [*(run.uncollected if run is not None else ()), *_PATH.findall(output)]
        paths = {word.removeprefix("/repo/").removeprefix("./") for word in words}
        return tuple(sorted(path for path in paths if kind_of(path, rules) is Kind.TEST))
