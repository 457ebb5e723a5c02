"""What test runners leave behind, each form read into the same `SuiteRun`.

A form is one file with one function. Reports are untrusted: whatever they hold, reading them
gives a run, if need be one without any test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.readers import gotest, jest, junit, libtest, rspec, tap, tape
from sandbox.results import SuiteRun, parse

READERS: Mapping[str, Callable[[bytes, int | None], SuiteRun]] = {
    # Lines of patchmark's own plugins, for pytest and minitest.
    "lines": parse,
    "junit": junit.read,
    "tap": tap.read,
    "tape": tape.read,
    "go": gotest.read,
    "libtest": libtest.read,
    "jest": jest.read,
    "rspec": rspec.read,
}


def read(form: str, report: bytes, exit_code: int | None) -> SuiteRun:
    """The run that a report of this form tells of."""
    return READERS[form](report, exit_code)
