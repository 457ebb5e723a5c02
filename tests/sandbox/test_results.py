"""Reading what the plugin wrote: every ending, and lines nobody honest would write."""

from __future__ import annotations

import json

import pytest

from sandbox.results import Status, parse

END = {"kind": "end", "exit": 0, "collected": 1}


def end(exit_code: int | None) -> object:
    return END | {"exit": exit_code}


def report(*lines: object) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def phases(test: str, setup: str, call: str | None, teardown: str = "passed") -> list[object]:
    """The lines of one test; without a call the set-up decided it."""
    told = {"setup": setup, "call": call, "teardown": teardown}
    return [
        {"kind": "test", "id": test, "when": when, "outcome": outcome}
        for when, outcome in told.items()
        if outcome is not None
    ]


@pytest.mark.parametrize(
    ("setup", "call", "teardown", "status"),
    [
        ("passed", "passed", "passed", Status.PASSED),
        ("passed", "failed", "passed", Status.FAILED),
        ("failed", None, "passed", Status.ERROR),
        ("passed", "passed", "failed", Status.ERROR),
        ("passed", "failed", "failed", Status.ERROR),
        ("skipped", None, "passed", Status.SKIPPED),
        ("passed", "skipped", "passed", Status.SKIPPED),
        ("passed", "xfailed", "passed", Status.XFAILED),
        ("xfailed", None, "passed", Status.XFAILED),
        ("passed", "xpassed", "passed", Status.XPASSED),
        ("passed", "xpassed", "failed", Status.ERROR),
        ("passed", "rerun", "passed", Status.ERROR),
    ],
)
def test_the_worst_phase_counts(
    setup: str, call: str | None, teardown: str, status: Status
) -> None:
    run = parse(report(*phases("t", setup, call, teardown), END), 0)
    assert run.statuses == {"t": status}


def test_a_test_without_its_call_did_not_pass() -> None:
    """Bug: pytest.exit(returncode=0) inside a test left its set-up behind, and that passed."""
    run = parse(report({"kind": "test", "id": "t", "when": "setup", "outcome": "passed"}, END), 0)
    assert run.status("t") is Status.MISSING
    assert not run.ran


@pytest.mark.parametrize(
    ("call", "exit_code", "ran"),
    [
        ("passed", 0, True),
        ("failed", 1, True),
        ("passed", 1, True),
        ("failed", 0, False),
        ("failed", 2, True),
        ("passed", 2, True),
        ("passed", 3, False),
        ("failed", 3, False),
        ("failed", 4, False),
        ("passed", 5, False),
        ("passed", None, False),
        ("failed", 137, False),
    ],
)
def test_exit_code_and_lines_must_agree(call: str, exit_code: int | None, ran: bool) -> None:
    """Bug: a suite that ends with 1 for too little coverage was taken for no proof at all."""
    assert parse(report(*phases("t", "passed", call), end(exit_code)), exit_code).ran is ran


def test_a_process_that_ends_otherwise_than_its_runner_said_proves_nothing() -> None:
    for said, ended in ((0, 1), (1, 0), (1, 2), (0, None)):
        assert not parse(report(*phases("t", "passed", "passed"), end(said)), ended).ran


def test_a_run_that_only_met_files_it_cannot_import_ended_but_proves_nothing() -> None:
    run = parse(report({"kind": "collect", "id": "tests/test_x.py"}, end(2)), 2)
    assert run.ended
    assert not run.ran


def test_without_its_end_a_run_proves_nothing() -> None:
    assert not parse(report(*phases("t", "passed", "passed")), 0).ran


def test_without_a_test_a_run_proves_nothing() -> None:
    assert not parse(report(END), 0).ran
    assert not parse(b"", 0).ran


@pytest.mark.parametrize(("exit_code", "ran"), [(0, False), (1, True), (2, True)])
def test_files_that_cannot_be_imported_must_show_in_the_exit_code(
    exit_code: int, ran: bool
) -> None:
    lines = [*phases("t", "passed", "passed"), {"kind": "collect", "id": "tests/test_x.py"}]
    lines.append(end(exit_code))
    run = parse(report(*lines), exit_code)
    assert run.uncollected == {"tests/test_x.py"}
    assert run.ran is ran


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"no json",
        b"{",
        b'{"kind": "te',
        b"\xff\xfe",
        b"null",
        b"[]",
        b'["kind"]',
        b'"kind"',
        b"1e999",
        b'{"kind": 1}',
        b'{"kind": "other", "id": "x"}',
        b"[" * 100_000,
        b"9" * 5000,
    ],
)
def test_a_line_that_is_none_of_ours_is_passed_over(line: bytes) -> None:
    honest = report(*phases("t", "passed", "passed"), END)
    run = parse(line + b"\n" + honest + line, 0)
    assert run.statuses == {"t": Status.PASSED}
    assert run.ran


@pytest.mark.parametrize("outcome", [None, [], {}, 7, "missing", "PASSED", "error"])
def test_an_outcome_that_does_not_exist_is_an_error(outcome: object) -> None:
    """Bug: a forged line without outcome, or with a strange one, ended patchmark itself."""
    line = {"kind": "test", "id": "t", "when": "call", "outcome": outcome}
    assert parse(report(line, END), 1).statuses == {"t": Status.ERROR}
    del line["outcome"]
    assert parse(report(line, END), 1).statuses == {"t": Status.ERROR}


def test_an_id_can_be_written_to_a_file() -> None:
    """Bug: JSON can spell half a character, which no record of ours could then hold."""
    line = b'{"kind": "test", "id": "t[\\ud800]", "when": "call", "outcome": "passed"}\n'
    assert list(parse(line, 0).statuses) == ["t[?]"]


def test_an_unknown_test_is_missing() -> None:
    assert parse(b"", 0).status("t") is Status.MISSING
