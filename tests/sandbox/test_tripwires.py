"""Tests that must fail: where they are planted, and how a run is parted from them."""

from __future__ import annotations

import pytest

from sandbox.results import Status, SuiteRun
from sandbox.tripwires import beside, split
from sandbox.tripwires_script import script_variants

P, F = Status.PASSED, Status.FAILED


@pytest.mark.parametrize(
    ("path", "planted"),
    [
        ("tests/test_calc.py", "tests/test_lazy.py"),
        ("src/calc.test.ts", "src/lazy.test.ts"),
        ("test/calc.js", "test/lazy.js"),
        ("test.js", "test-lazy.js"),
        ("checks/tests.py", "checks/test_lazy.py"),
    ],
)
def test_a_planted_file_is_one_that_runners_find(path: str, planted: str) -> None:
    """Beside `test.js` was planted `lazy.js`, which no runner takes for a test."""
    assert beside(path, "lazy") == planted


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("(tsc) || exit 2\nmocha --reporter xunit", "require('assert')"),
        ("node --expose-gc ./node_modules/vitest/dist/cli.js run", "expect("),
        ("node node_modules/mocha/bin/_mocha test/tap/x.js", "require('assert')"),
        ("node --import tsx --test", "require('node:test')"),
        ("make test", ""),
    ],
)
def test_a_planted_file_speaks_the_runners_words(command: str, word: str) -> None:
    variants = script_variants(command, ("late order", "width limit"), 1, 2)
    assert [word in text for _, text in variants[-1:]] == [True] * bool(word)


def test_a_file_that_holds_nothing_but_tripwires_is_no_test() -> None:
    """Tap reports files too: the planted one, named anew each time, stood among the tests."""
    real = {"test/calc.js": P, "test/calc.js::adds": P}
    statuses = {**real, "test/lazy.js": F, "test/lazy.js::late order": F}
    run, told = split(SuiteRun(statuses, frozenset(), "1", 1), ["late order"])
    assert run.statuses == real
    assert told == {"late order": F}


def test_a_file_that_holds_others_too_stays() -> None:
    real = {"a": P, "a::adds": P}
    run, _ = split(SuiteRun({**real, "a::late order": F}, frozenset(), "1", 1), ["late order"])
    assert run.statuses == real
