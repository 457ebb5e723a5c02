"""Reports of test runners: what each form says, and what broken or hostile ones come to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.readers import READERS, read
from sandbox.results import Status, SuiteRun

P, F, E, S = Status.PASSED, Status.FAILED, Status.ERROR, Status.SKIPPED

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="outer"><testcase classname="a.B" name="one"/>
<testsuite name="inner"><testcase classname="a.B" name="two"><failure>x</failure></testcase>
<testcase name="three"><skipped/></testcase><testcase classname="c" name="four"><error/></testcase>
</testsuite></testsuite></testsuites>
"""
TAP = """TAP version 13
# Subtest: calc
    # Subtest: adds
    ok 1 - adds
      ---
      duration_ms: 1
      ...
    not ok 2 - subtracts # TODO later
    ok 3 - divides # SKIP no zero
    1..3
not ok 1 - calc
ok 2 - other
1..2
"""
TIMED = """TAP version 14
# Subtest: calc.js
    # Subtest: adds
        ok 1 - should be equal
        1..1
    ok 1 - adds # time=22.136ms
    1..1
    # time=27.1ms
ok 1 - calc.js # time=27ms {
}
1..1
# time=1s
"""
TIMED_NAMES = ("calc.js::adds::should be equal", "calc.js::adds", "calc.js")
TAPE = """TAP version 13
# adds
ok 1 should be equal
ok 2 should be equal
# subtracts
ok 3 should be equal
not ok 4 should be equal
  ---
    operator: equal
  ...
# SKIP divides

1..4
# tests 4
# pass  3
# fail  1
"""
GO = "\n".join(
    json.dumps(event)
    for event in (
        {"Action": "start", "Package": "p"},
        {"Action": "pass", "Package": "p", "Test": "TestA"},
        {"Action": "fail", "Package": "p", "Test": "TestB/sub"},
        {"Action": "skip", "Package": "p", "Test": "TestC"},
        {"Action": "fail", "Package": "p"},
        {"Action": "start", "Package": "broken"},
        {"Action": "fail", "Package": "broken"},
    )
)
LIBTEST = """   Compiling calc v0.1.0 (/repo)
     Running unittests src/lib.rs (/opt/target/debug/deps/calc-1)

running 2 tests
test tests::adds ... ok
test tests::fails ... FAILED

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out
   Doc-tests calc
test src/lib.rs - add (line 3) ... ok
test tests::slow ... ignored
test result: ok. 1 passed; 0 failed
"""
JEST = json.dumps(
    {
        "testResults": [
            {
                "name": "/repo/test/a.js",
                "status": "failed",
                "assertionResults": [
                    # Older versions of vitest name the file's own suite, which has no name.
                    {"ancestorTitles": ["", "calc"], "title": "adds", "status": "passed"},
                    {"ancestorTitles": ["calc"], "title": "divides", "status": "failed"},
                    {"ancestorTitles": [], "title": "later", "status": "todo"},
                ],
            },
            {"name": "/repo/test/b.js", "status": "failed", "assertionResults": []},
        ]
    }
)
RSPEC = json.dumps(
    {
        "examples": [
            {"file_path": "./spec/a_spec.rb", "full_description": "A adds", "status": "passed"},
            {"file_path": "./spec/a_spec.rb", "full_description": "A waits", "status": "pending"},
        ],
        "summary": {"errors_outside_of_examples_count": 1},
    }
)


@pytest.mark.parametrize(
    ("form", "report", "statuses", "uncollected"),
    [
        ("junit", JUNIT, {"a.B::one": P, "a.B::two": F, "three": S, "c::four": E}, set()),
        ("junit", JUNIT * 2, {"a.B::one": P, "a.B::two": F, "three": S, "c::four": E}, set()),
        (
            "tap",
            TAP,
            {
                "calc::adds": P,
                "calc::subtracts": Status.XFAILED,
                "calc::divides": S,
                "calc": F,
                "other": P,
            },
            set(),
        ),
        ("tape", TAPE, {"adds": P, "subtracts": F, "divides": S}, set()),
        ("go", GO, {"p::TestA": P, "p::TestB/sub": F, "p::TestC": S}, {"broken"}),
        (
            "libtest",
            LIBTEST,
            {
                "src/lib.rs::tests::adds": P,
                "src/lib.rs::tests::fails": F,
                "doc-tests calc::src/lib.rs - add": P,
                "doc-tests calc::tests::slow": S,
            },
            set(),
        ),
        ("libtest", "error: could not compile `calc` (lib)\n", {}, {"calc"}),
        (
            "jest",
            JEST,
            {
                "test/a.js::calc > adds": P,
                "test/a.js::calc > divides": F,
                "test/a.js::later": S,
            },
            {"test/b.js"},
        ),
        ("rspec", RSPEC, {"spec/a_spec.rb::A adds": P, "spec/a_spec.rb::A waits": S}, {"."}),
    ],
)
def test_what_a_report_says(
    form: str, report: str, statuses: dict[str, Status], uncollected: set[str]
) -> None:
    run = read(form, report.encode(), 1)
    assert run.statuses == statuses
    assert run.uncollected == uncollected
    assert run.ended


def test_durations_are_no_part_of_a_name() -> None:
    """Tap writes a test's duration behind its name: each run had other tests than the last."""
    assert read("tap", TIMED.encode(), 0).statuses == dict.fromkeys(TIMED_NAMES, P)


@pytest.mark.parametrize(
    ("form", "first", "second", "tests"),
    [
        ("jest", JEST, JEST.replace("test/", "b/test/"), 6),
        ("tap", TAP, TIMED, 8),
        ("tape", TAPE, TAPE.replace("adds", "multiplies"), 4),
        ("junit", JUNIT, JUNIT.replace("a.B", "b.B"), 6),
    ],
)
def test_reports_in_a_row_are_one(form: str, first: str, second: str, tests: int) -> None:
    """The report of a workspace's second package made those of all packages unreadable."""
    run = read(form, f"{first}\n{second}\n".encode(), 1)
    assert run.ended
    assert len(run.statuses) == tests


@pytest.mark.parametrize(
    ("form", "report"),
    [
        ("junit", JUNIT[:-30]),
        ("junit", JUNIT + JUNIT[:-30]),
        ("tap", TAP.replace("1..2\n", "")),
        ("tap", TAP.replace("1..2\n", "1..3\n")),
        ("tap", TAP + TAP.replace("1..2\n", "")),
        ("jest", JEST + JEST[:-5]),
        ("tap", TAP + "Bail out! no more\n"),
        ("tape", TAPE.partition("\n1..")[0]),
        ("tape", TAPE.replace("1..4", "1..5")),
        ("go", GO.rpartition("\n")[0]),
        ("libtest", LIBTEST.rpartition("test result")[0]),
        ("jest", JEST[:-5]),
        ("rspec", RSPEC[:-5]),
        ("rspec", json.dumps({"examples": []})),
    ],
)
def test_a_report_that_was_cut_off_is_no_end(form: str, report: str) -> None:
    assert not read(form, report.encode(), 1).ended


@pytest.mark.parametrize("form", READERS)
@given(report=st.binary(max_size=300), code=st.none() | st.integers(0, 255))
def test_nothing_that_a_patch_may_write_breaks_a_reader(
    form: str, report: bytes, code: int | None
) -> None:
    assert isinstance(read(form, report, code), SuiteRun)


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize(
    "report",
    [
        "[]",
        "null",
        '{"testResults": 3, "examples": 4, "summary": []}',
        '{"testResults": [1, {"assertionResults": [2]}], "examples": [5]}',
        '{"Action": [], "Package": {}, "Test": 3}',
        "<testsuites><testsuite><testcase/></testsuite></testsuites>",
        "[" * 100_000,
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaa">]><testsuites>&a;</testsuites>',
    ],
)
def test_odd_reports_are_runs_that_prove_nothing(form: str, report: str) -> None:
    run = read(form, report.encode(), 0)
    assert not any(status is P for status in run.statuses.values() if form != "junit")


def test_exit_code_zero_with_a_failure_is_a_lie() -> None:
    assert read("junit", JUNIT.encode(), 1).ran
    assert not read("junit", JUNIT.encode(), 0).ran
    # cargo's code for "tests failed"
    assert read("libtest", LIBTEST.encode(), 101).ran
