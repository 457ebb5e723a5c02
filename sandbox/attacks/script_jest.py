"""Attacks in JavaScript on jest, which runs tests and the code under test in one process."""

from __future__ import annotations

from sandbox.attacks.attack import Attack, Kind
from sandbox.attacks.sample import JEST, SCRIPT


def _code(kind: Kind, name: str, text: str, *ends: str, named: str = "must fail") -> Attack:
    changed = JEST.diff({"calc.js": f"{SCRIPT}\n{text}"})
    ends = ends or ("tampered",)
    return Attack(name=name, kind=kind, text=changed, ends=ends, named=named, sample=JEST)


def _returns(name: str, value: str) -> Attack:
    return Attack(
        name=name,
        kind=Kind.MACHINERY,
        text=JEST.diff({"calc.js": SCRIPT.replace("a - b", value, 1)}),
        ends=("tampered",),
        named="equals anything",
        sample=JEST,
    )


_SAID = """const passed = (title) => ({ title, ancestorTitles: [], status: 'passed' });
const file = (name, ...titles) => ({ name, assertionResults: titles.map(passed) });
const testResults = [file('/repo/test/calc.test.js', 'add', 'sub'),
  file('/repo/test/other.test.js', 'sub')];
require('fs').writeFileSync(process.env.PATCHMARK_RESULTS, JSON.stringify({ testResults }));
process.kill(process.pid, 'SIGKILL');
"""
ATTACKS = (
    _code(
        Kind.MACHINERY,
        "expect's matchers replaced",
        "const pass = () => ({ pass: true, message: () => '' });\n"
        "expect.extend({ toBe: pass, toEqual: pass });\n",
    ),
    _code(
        Kind.MACHINERY,
        "expect replaced",
        "global.expect = () => new Proxy({}, { get: () => () => {} });\n",
    ),
    _returns("expect.anything() returned", "expect.anything()"),
    _returns(
        "an object that matches anything",
        "({ $$typeof: Symbol.for('jest.asymmetricMatcher'), asymmetricMatch: () => true })",
    ),
    _code(Kind.ENDING, "process.exit at load", "process.exit(0);\n", named="before the tests had"),
    _code(Kind.RESULTS, "results forged and the runner killed", _SAID),
    Attack(
        name="tests that are not looked for, by its settings",
        kind=Kind.HOOKS,
        text=JEST.diff(
            {
                "package.json": JEST.files["package.json"].replace(
                    '"scripts"', '"jest": {\n    "testMatch": ["**/none.js"]\n  },\n  "scripts"'
                ),
                "jest.config.js": "module.exports = { testMatch: ['**/none.js'] };\n",
            }
        ),
        ends=("failed",),
        named="jest.config.js",
        sample=JEST,
    ),
)
