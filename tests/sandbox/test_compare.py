"""Which tests prove a fix, and what is said of a candidate that none proves."""

from __future__ import annotations

import pytest

from core.types import DropReason, Unstable
from sandbox.compare import Compared, compare, why_nothing
from sandbox.results import Status, SuiteRun

LETTERS = {
    "p": Status.PASSED,
    "f": Status.FAILED,
    "e": Status.ERROR,
    "s": Status.SKIPPED,
    "x": Status.XFAILED,
    "X": Status.XPASSED,
}


def runs(test: str, letters: str) -> list[SuiteRun]:
    """A run for each letter; a dot is a run that did not report the test."""
    return [
        SuiteRun({test: LETTERS[letter]} if letter != "." else {}, frozenset(), "0", 0)
        for letter in letters
    ]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("fff", "ppp", "fail_to_pass"),
        ("eee", "ppp", "fail_to_pass"),
        ("...", "ppp", "fail_to_pass"),
        ("ppp", "ppp", "pass_to_pass"),
        ("fpf", "ppp", "unstable"),
        ("fef", "ppp", "unstable"),
        ("f.f", "ppp", "unstable"),
        ("fff", "pfp", "unstable"),
        ("ppp", "pp.", "unstable"),
        ("fff", "fff", None),
        ("ppp", "fff", None),
        ("ppp", "...", None),
        ("sss", "ppp", None),
        ("xxx", "ppp", None),
        ("xxx", "XXX", None),
        ("fff", "XXX", None),
        ("fff", "sss", None),
        ("sss", "sss", None),
    ],
)
def test_what_every_run_agrees_on_decides(before: str, after: str, found: str | None) -> None:
    compared = compare(runs("t", before), runs("t", after))
    told = {**vars(compared), "unstable": tuple(one.test for one in compared.unstable)}
    for name in ("fail_to_pass", "pass_to_pass", "unstable"):
        assert told[name] == (("t",) if name == found else ())


def test_unstable_tests_are_counted() -> None:
    found = compare(runs("t", "fpf"), runs("t", "pp."))
    assert found.unstable == (Unstable(test="t", before=(1, 3), after=(2, 3)),)


FILE = "tests/test_a.py"


def why(before: str, after: str, test: str = f"{FILE}::t") -> DropReason:
    first, second = runs(test, before), runs(test, after)
    found = compare(first, second)
    assert found.fail_to_pass == ()
    return why_nothing((FILE,), found, first, second)[0]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("fpf", "ppp", DropReason.FLAKY),
        ("fff", "pfp", DropReason.FLAKY),
        ("fff", "fff", DropReason.FAILS_AFTER_FIX),
        ("...", "eee", DropReason.FAILS_AFTER_FIX),
        ("ppp", "ppp", DropReason.NO_FAIL_TO_PASS),
        ("ppp", "fff", DropReason.NO_FAIL_TO_PASS),
        ("sss", "sss", DropReason.NO_FAIL_TO_PASS),
        ("ppp", "pfp", DropReason.NO_FAIL_TO_PASS),
        # Bug: a test named after the time of day was called flaky, and its commit with it.
        ("...", "p..", DropReason.NO_FAIL_TO_PASS),
    ],
)
def test_the_reason_for_no_proof(before: str, after: str, reason: DropReason) -> None:
    assert why(before, after) is reason


def test_old_failures_elsewhere_are_not_the_reason() -> None:
    """Bug: a test that has long failed elsewhere was said to fail after this fix."""
    assert why("fff", "fff", "tests/test_old.py::t") is DropReason.NO_FAIL_TO_PASS


@pytest.mark.parametrize("place", [FILE, "tests", "."])
def test_test_files_that_cannot_be_imported_are_named(place: str) -> None:
    """Bug: of old code on a new interpreter it was said that the tests pass without the fix."""
    one = SuiteRun({"tests/test_old.py::t": Status.PASSED}, frozenset({place}), "1", 1)
    reason, detail = why_nothing((FILE,), compare([one], [one]), [one], [one])
    assert reason is DropReason.FAILS_AFTER_FIX
    assert detail == f"not importable with the fix: {FILE}"


def test_test_files_that_the_runner_never_looks_at_are_told_so() -> None:
    """Bug: of a file outside the runner's paths it was said that its tests pass either way."""
    elsewhere = runs("tests/test_old.py::t", "p")
    found = why_nothing((FILE,), compare(elsewhere, elsewhere), elsewhere, elsewhere)
    assert found == (DropReason.NO_FAIL_TO_PASS, "no test of the changed files was run")


def test_nothing_at_all_compares_to_nothing() -> None:
    assert compare([], []) == Compared((), (), ())
