"""Node projects whose runners come from the package index, pinned: one a package manager."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.results import Status

P, F, S = Status.PASSED, Status.FAILED, Status.SKIPPED
_CALC = "exports.add = (a, b) => a - b;\nexports.sub = (a, b) => a - b;\n"


@dataclass(frozen=True)
class NodeSample:
    """Files with a bug, a test file that finds it, and what a run says of each test."""

    files: Mapping[str, str]
    test_file: str
    statuses: Mapping[str, Status]
    told: str
    """What the record says first: as of when the dependencies are."""
    runner: str
    """`NAME@VERSION`, which the record holds too."""


def _package(name: str, test: str, runner: str = "", **more: object) -> str:
    asked = dict([runner.rsplit("@", 1)]) if runner else {}
    package = {"name": name, "version": "1.0.0", "private": True, "scripts": {"test": test}}
    return json.dumps({**package, "devDependencies": asked, **more})


_GLOBALS = """const { add, sub } = require('./calc.js');
"""
_EXPECT = """describe('calc', () => {
  test('adds', () => { expect(add(2, 3)).toBe(5); });
  test('subtracts', () => { expect(sub(5, 3)).toBe(2); });
  test.skip('divides', () => { expect(1).toBe(2); });
});
"""
_ALONE = """test('is alone', () => {
  const { argv, env, execArgv } = process;
  expect([env.NODE_ENV, ...execArgv, ...argv.slice(2)]).toEqual(['test']);
});
"""
_JEST = "jest@29.7.0"
YARN_JEST = NodeSample(
    files={
        "package.json": _package("calc", "jest", _JEST, packageManager="yarn@1.22.22"),
        "calc.js": _CALC,
        # What runs it leaves no arguments of its own to be found, and says that this is a test.
        "calc.test.js": _GLOBALS + _EXPECT + _ALONE,
    },
    test_file="calc.test.js",
    statuses={
        "calc.test.js::is alone": P,
        "calc.test.js::calc > adds": F,
        "calc.test.js::calc > subtracts": P,
        "calc.test.js::calc > divides": S,
    },
    told="# newest: yarn resolves to no date",
    runner=_JEST,
)

_VITEST = "vitest@2.1.8"
_MODULE = """import { describe, expect, test } from 'vitest';
import { add } from 'calc';
import { sub } from './index.js';

"""
PNPM_VITEST = NodeSample(
    files={
        "package.json": _package("root", "pnpm -r test"),
        "pnpm-workspace.yaml": "packages:\n  - packages/*\n",
        "packages/calc/package.json": _package("calc", "vitest run", _VITEST, main="index.js"),
        "packages/calc/index.js": _CALC,
        "packages/calc/calc.test.js": "import { expect, test } from 'vitest';\n"
        "import { sub } from './index.js';\n"
        "test('subtracts', () => { expect(sub(5, 3)).toBe(2); });\n",
        # Uses the other one, as packages of a workspace do.
        "packages/more/package.json": _package(
            "more", "vitest", _VITEST, dependencies={"calc": "workspace:*"}
        ),
        "packages/more/index.js": _CALC,
        "packages/more/more.test.js": _MODULE + _EXPECT,
    },
    test_file="packages/more/more.test.js",
    statuses={
        "packages/calc/calc.test.js::subtracts": P,
        "packages/more/more.test.js::calc > adds": F,
        "packages/more/more.test.js::calc > subtracts": P,
        "packages/more/more.test.js::calc > divides": S,
    },
    told="# newest: pnpm resolves to no date",
    runner=_VITEST,
)

_MOCHA = "mocha@2.5.3"
# All that this mocha needs, as `npm ci` wants it; in no lock stands what it would resolve to.
_LOCKED = {
    "mocha": ("2.5.3", {"commander": "2.3.0", "debug": "2.2.0", "diff": "1.4.0",
                        "escape-string-regexp": "1.0.2", "glob": "3.2.11", "growl": "1.9.2",
                        "jade": "0.26.3", "mkdirp": "0.5.1", "supports-color": "1.2.0",
                        "to-iso-string": "0.0.2"}),
    "commander": ("2.3.0", {}),
    "debug": ("2.2.0", {"ms": "0.7.1"}),
    "diff": ("1.4.0", {}),
    "escape-string-regexp": ("1.0.2", {}),
    "glob": ("3.2.11", {"inherits": "2", "minimatch": "0.3"}),
    "growl": ("1.9.2", {}),
    "inherits": ("2.0.3", {}),
    "jade": ("0.26.3", {"commander": "0.6.1", "mkdirp": "0.3.0"}),
    "jade/node_modules/commander": ("0.6.1", {}),
    "jade/node_modules/mkdirp": ("0.3.0", {}),
    "lru-cache": ("2.7.3", {}),
    "minimatch": ("0.3.0", {"lru-cache": "2", "sigmund": "~1.0.0"}),
    "minimist": ("0.0.8", {}),
    "mkdirp": ("0.5.1", {"minimist": "0.0.8"}),
    "ms": ("0.7.1", {}),
    "sigmund": ("1.0.0", {}),
    "supports-color": ("1.2.0", {}),
    "to-iso-string": ("0.0.2", {}),
}  # fmt: skip
_LOCK = {
    "name": "calc",
    "version": "1.0.0",
    "lockfileVersion": 3,
    "requires": True,
    "packages": {
        "": {"name": "calc", "version": "1.0.0", "devDependencies": {"mocha": "2.5.3"}},
        **{
            f"node_modules/{name}": {
                "version": version,
                "dev": True,
                "dependencies": asked,
                "bin": {"mocha": "bin/mocha"} if name == "mocha" else {},
            }
            for name, (version, asked) in _LOCKED.items()
        },
    },
}
_BEHAVIOUR = """const assert = require('assert');
const { add, sub } = require('../calc.js');
describe('calc', () => {
  it('adds', () => { assert.equal(add(2, 3), 5); });
  it('subtracts', () => { assert.equal(sub(5, 3), 2); });
  it.skip('divides', () => { assert.equal(1, 2); });
});
"""
NPM_MOCHA = NodeSample(
    files={
        "package.json": _package("calc", "mocha --reporter dot", _MOCHA),
        "package-lock.json": json.dumps(_LOCK),
        "calc.js": _CALC,
        "test/calc.js": _BEHAVIOUR,
    },
    test_file="test/calc.js",
    statuses={"calc::adds": F, "calc::subtracts": P, "calc::divides": S},
    # A newer `inherits` fits as well.
    told="# locked by package-lock.json",
    runner="inherits@2.0.3",
)

_AVA = "ava@6.2.0"
NPM_AVA = NodeSample(
    files={
        "package.json": _package("calc", "ava", _AVA, type="module"),
        "calc.js": _CALC.replace("exports.", "export const "),
        "test.js": """import test from 'ava';
import { add, sub } from './calc.js';

test('adds', t => { t.is(add(2, 3), 5); });
test('subtracts', t => { t.is(sub(5, 3), 2); });
test.skip('divides', t => { t.is(1, 2); });
""",
    },
    test_file="test.js",
    # It names the file too where there are several, as the one of the tripwires is.
    statuses={"test › adds": F, "test › subtracts": P, "test › divides": S},
    told="# as of 2025-06-30",
    runner=_AVA,
)

_TAP = "tap@16.3.9"
NPM_TAP = NodeSample(
    files={
        "package.json": _package("calc", "tap test/*.js", _TAP),
        "calc.js": _CALC,
        "test/calc.js": """const tap = require('tap');
const { add, sub } = require('../calc.js');
tap.test('adds', t => { t.equal(add(2, 3), 5); t.end(); });
tap.test('subtracts', t => { t.equal(sub(5, 3), 2); t.end(); });
tap.test('divides', { skip: true }, t => { t.equal(1, 2); t.end(); });
""",
    },
    test_file="test/calc.js",
    statuses={
        "test/calc.js": F,
        "test/calc.js::adds": F,
        "test/calc.js::adds::should be equal": F,
        "test/calc.js::subtracts": P,
        "test/calc.js::subtracts::should be equal": P,
        "test/calc.js::divides": S,
    },
    told="# as of 2025-06-30",
    runner=_TAP,
)

NODE_SAMPLES = {
    "pnpm workspace, vitest": PNPM_VITEST,
    "yarn, jest": YARN_JEST,
    "npm with a lock, mocha": NPM_MOCHA,
    "npm, ava": NPM_AVA,
    "npm, tap": NPM_TAP,
}
