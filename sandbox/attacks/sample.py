"""Small repositories for attacks to be tried on: each has one fault, its fix and its tests."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.engine import Limits

LIMITS = Limits(seconds=12, memory_mib=256, processes=64, disk_mib=128, output_mib=32)
"""Small, so that what runs into them does so soon."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A repository's files, and what a proven task needs to be cut from them."""

    name: str
    """Of its ecosystem."""
    files: Mapping[str, str]
    fix: Mapping[str, str]
    """Files as the fix leaves them."""
    tests: Mapping[str, str]
    """Files as the fix's tests leave them."""
    limits: Limits = LIMITS

    def diff(self, changes: Mapping[str, str | None]) -> str:
        """A git diff from `files`; None deletes one."""
        return diff(changes, self.files)


def diff(changes: Mapping[str, str | None], before: Mapping[str, str]) -> str:
    """A git diff that gives files new contents; None deletes one."""
    return "".join(_section(path, before.get(path), new) for path, new in changes.items())


def renamed(old: str, new: str) -> str:
    """A git diff that gives a file another name."""
    return (
        f"diff --git a/{old} b/{new}\nsimilarity index 100%\nrename from {old}\nrename to {new}\n"
    )


def _section(path: str, old: str | None, new: str | None) -> str:
    was = f"a/{path}" if old is not None else "/dev/null"
    will = f"b/{path}" if new is not None else "/dev/null"
    mode = "" if old is not None else "new file mode 100644\n"
    mode += "" if new is not None else "deleted file mode 100644\n"
    before, after = ((text or "").splitlines(keepends=True) for text in (old, new))
    return f"diff --git a/{path} b/{path}\n{mode}" + "".join(
        difflib.unified_diff(before, after, was, will)
    )


CALC = """def add(a, b):
    return a - b


def sub(a, b):
    return a - b
"""
FIXED = CALC.replace("a - b", "a + b", 1)
_TESTS = """import calc


def test_sub():
    assert calc.sub(5, 3) == 2
"""
_ADD = """

def test_add():
    assert calc.add(2, 3) == 5
"""
HOOK = """import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    result = yield
    result.get_result().outcome = "passed"
"""
PYTHON = Sample(
    name="python",
    files={
        "calc.py": CALC,
        "tests/test_calc.py": _TESTS,
        "tests/test_other.py": _TESTS,
        # Of no use to anybody where it stands.
        "tools/always_green.py": HOOK,
    },
    fix={"calc.py": FIXED},
    tests={"tests/test_calc.py": _TESTS + _ADD},
)

SCRIPT = """'use strict';

exports.add = (a, b) => a - b;
exports.sub = (a, b) => a - b;
"""
_SCRIPT_TESTS = """'use strict';
const test = require('node:test');
const assert = require('node:assert');
const calc = require('../calc.js');

test('sub', () => {
  assert.equal(calc.sub(5, 3), 2);
});
"""
_SCRIPT_ADD = """
test('add', () => {
  assert.equal(calc.add(2, 3), 5);
  assert.deepEqual([calc.add(1, 1)], [2]);
});
"""
PACKAGE = """{
  "name": "calc",
  "version": "1.0.0",
  "private": true,
  "scripts": {
    "test": "node --test"
  }
}
"""
NODE = Sample(
    name="node",
    files={
        "calc.js": SCRIPT,
        "package.json": PACKAGE,
        "test/calc.test.js": _SCRIPT_TESTS,
        "test/other.test.js": _SCRIPT_TESTS,
    },
    fix={"calc.js": SCRIPT.replace("a - b", "a + b", 1)},
    tests={"test/calc.test.js": _SCRIPT_TESTS + _SCRIPT_ADD},
)
_JEST_TESTS = """const calc = require('../calc.js');

test('sub', () => {
  expect(calc.sub(5, 3)).toBe(2);
});
"""
_JEST_ADD = """
test('add', () => {
  expect(calc.add(2, 3)).toEqual(5);
});
"""
JEST = Sample(
    name="jest",
    files={
        "calc.js": SCRIPT,
        "package.json": PACKAGE.replace("node --test", "jest").replace(
            '"scripts"', '"devDependencies": {\n    "jest": "29.7.0"\n  },\n  "scripts"'
        ),
        "test/calc.test.js": _JEST_TESTS,
        "test/other.test.js": _JEST_TESTS,
    },
    fix=NODE.fix,
    tests={"test/calc.test.js": _JEST_TESTS + _JEST_ADD},
    limits=Limits(seconds=40, memory_mib=512, processes=64, disk_mib=128, output_mib=32),
)
SAMPLES = (PYTHON, NODE, JEST)
