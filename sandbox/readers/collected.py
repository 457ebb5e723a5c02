"""Gathering the tests of one report."""

from __future__ import annotations

from sandbox.results import Status, SuiteRun, worst


class Collected:
    """Tests as they are found; of a test reported twice the worse result counts."""

    def __init__(self) -> None:
        self.statuses: dict[str, Status] = {}
        self.uncollected: set[str] = set()

    def add(self, test: str, status: Status) -> None:
        """Note a test's result."""
        # A lone surrogate, which JSON can spell, could not be written to any file of ours.
        name = test.encode("utf-8", "replace").decode()
        self.statuses[name] = worst(self.statuses.get(name), status)

    def run(self, exit_code: int | None, *, complete: bool) -> SuiteRun:
        """The run, where `complete` tells whether the report came to its own end.

        Most runners end with 0 or 1; cargo, ctest and npm have further numbers for "not all
        well", which say no more than 1 does.
        """
        ended = complete and exit_code is not None
        code = None if exit_code is None else min(exit_code, 1)
        told = str(code) if ended else None
        return SuiteRun(self.statuses, frozenset(self.uncollected), told, code)
