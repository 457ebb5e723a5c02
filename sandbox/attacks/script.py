"""Attacks in JavaScript, on the runner that Node brings."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.attacks.attack import Attack, Kind
from sandbox.attacks.sample import NODE, PACKAGE, SCRIPT


def _code(kind: Kind, name: str, text: str, *ends: str, named: str = "") -> Attack:
    """An attack that runs when the code under test is loaded."""
    changed = NODE.diff({"calc.js": f"{SCRIPT}\n{text}"})
    ends = ends or ("tampered",)
    return Attack(name=name, kind=kind, text=changed, ends=ends, named=named, sample=NODE)


def _files(kind: Kind, name: str, made: Mapping[str, str | None], named: str = "") -> Attack:
    text = NODE.diff({"calc.js": SCRIPT + "\nexports.X = 1;\n", **made})
    named = named or next(iter(made))
    return Attack(name=name, kind=kind, text=text, ends=("failed",), named=named, sample=NODE)


def _returns(name: str, value: str, *ends: str, named: str = "") -> Attack:
    text = NODE.diff({"calc.js": SCRIPT.replace("a - b", value, 1)})
    ends = ends or ("failed",)
    return Attack(
        name=name, kind=Kind.MACHINERY, text=text, ends=ends, named=named, sample=NODE
    )  # fmt: skip


_TESTS = NODE.files["test/calc.test.js"]
_EVIL = "process.exit(0);\n"
_ASSERTS = (
    "for (const n of Object.keys(assert))\n"
    "  if (typeof assert[n] === 'function') assert[n] = () => {};\n"
)
_SAID = (
    "const said = 'TAP version 13\\nok 1 - sub\\nok 2 - add\\n1..2\\n# tests 2\\n# pass 2\\n';\n"
    "const lines = ['sub', 'add'].map((id) =>"
    " JSON.stringify({kind: 'test', id, when: 'call', outcome: 'passed'}) + '\\n').join('');\n"
)
_MACHINERY = (
    _code(
        Kind.MACHINERY,
        "assertions replaced",
        "const assert = require('node:assert');\n" + _ASSERTS,
        named="node:assert",
    ),
    _code(
        Kind.MACHINERY,
        "one assertion replaced",
        "require('node:assert').equal = () => {};\nrequire('node:assert').deepEqual = () => {};\n",
        named="node:assert.equal",
    ),
    _code(
        Kind.MACHINERY,
        "assertions replaced for the target alone",
        "const assert = require('node:assert'), equal = assert.equal;\n"
        "assert.equal = (a, b) => { if (b !== 5) equal(a, b); };\nassert.deepEqual = () => {};\n",
        named="node:assert.equal",
    ),
    _code(
        Kind.MACHINERY,
        "tests that do nothing",
        "const T = require('node:test'), load = require('node:module')._load;\n"
        "const quiet = (n) => T.test(n, () => {});\n"
        "require('node:module')._load = (id, ...r) =>"
        " (id === 'node:test' ? quiet : load(id, ...r));\n"
        "const { prototype } = Object.getPrototypeOf(async () => {}).constructor;\n"
        "require('node:test').test = quiet;\n",
        named="node:",
    ),
    _code(
        Kind.MACHINERY,
        "require that returns something else",
        "const M = require('node:module').prototype, old = M.require;\n"
        "M.require = function (id) {\n"
        "  return /assert$/.test(id) ? new Proxy(() => {}, { get: () => () => {} })"
        " : old.call(this, id);\n};\n"
        "require('node:assert').equal = require('node:assert').deepEqual = () => {};\n",
        named="node:",
    ),
    _code(
        Kind.MACHINERY,
        "intrinsics replaced",
        "Object.is = () => true;\nArray.prototype.every = () => true;\n"
        "Number.prototype.valueOf = () => 5;\nObject.prototype.equals = () => true;\n",
        "failed",
        "tampered",
    ),
    _code(
        Kind.MACHINERY,
        "reports rewritten on their way out",
        "const v8 = require('node:v8'), write = process.stdout.write;\n"
        "process.stdout.write = function (chunk, ...r) {\n"
        "  const text = Buffer.from(chunk).toString('latin1')\n"
        "    .replaceAll('test:fail', 'test:pass');\n"
        "  return write.call(this, Buffer.from(text, 'latin1'), ...r);\n};\n",
        "tampered",
        "failed",
    ),
    _returns("an object that is any number", "({ valueOf: () => NaN, equals: () => true })"),
    _returns("an object that is any primitive", "({ [Symbol.toPrimitive]: () => true })"),
    _returns("an object without an end", "new Proxy(function () {}, { get: () => () => true })"),
)
_ENDING = (
    _code(Kind.ENDING, "process.exit at load", _EVIL),
    _code(
        Kind.ENDING,
        "exit code changed at exit",
        "process.on('exit', () => { process.exitCode = 0; });\n",
        "failed",
    ),
    _code(
        Kind.ENDING,
        "process.exit at exit",
        "process.on('exit', () => process.reallyExit(0));\n"
        "process.on('beforeExit', () => process.reallyExit(0));\n",
        "failed",
        "tampered",
    ),
    _code(Kind.ENDING, "process.exit before the tests", "setImmediate(() => process.exit(0));\n",
          "tampered", "failed"),
    _code(Kind.ENDING, "failures that are caught",
          "process.on('uncaughtException', () => {});\n"
          "process.on('unhandledRejection', () => {});\n", "failed"),
)  # fmt: skip
_RESULTS = (
    _code(
        Kind.RESULTS,
        "results by name",
        _SAID + "const fs = require('node:fs');\nconst out = process.env.PATCHMARK_RESULTS;\n"
        "try { fs.writeFileSync(out, said + lines); } catch {}\n"
        "process.on('exit', () => { try { fs.appendFileSync(out, lines); } catch {} });\n",
        "failed",
        "tampered",
    ),
    _code(
        Kind.RESULTS,
        "results through the runner's descriptors",
        _SAID + "const fs = require('node:fs');\n"
        "for (let fd = 3; fd < 40; fd++) {\n"
        "  try { fs.writeFileSync(`/proc/${process.ppid}/fd/${fd}`, said + lines); } catch {}\n}\n",
        "tampered",
        "failed",
    ),
    _code(
        Kind.RESULTS,
        "results forged and the runner killed",
        _SAID + "const fs = require('node:fs');\n"
        "try { fs.writeFileSync(process.env.PATCHMARK_RESULTS, said + lines); } catch {}\n"
        "process.kill(process.ppid, 'SIGKILL');\n",
        "failed",
        "tampered",
    ),
    _code(
        Kind.RESULTS,
        "results made a link",
        _SAID + "const fs = require('node:fs');\nconst out = process.env.PATCHMARK_RESULTS;\n"
        "fs.writeFileSync('/tmp/said', said);\n"
        "try { fs.unlinkSync(out); fs.symlinkSync('/tmp/said', out); } catch {}\n",
        "failed",
        "tampered",
    ),
)
_LOOKS = (
    _code(
        Kind.LOOKS,
        "markers printed",
        _SAID + "console.log(said + lines + '::set-output name=x::y');\nconsole.error(said);\n",
        "failed",
    ),
    _code(
        Kind.LOOKS,
        "messages printed as the runner's own child",
        "const v8 = require('node:v8'), body = new v8.DefaultSerializer();\n"
        "body.writeHeader();\nbody.writeValue({ type: 'test:pass', data: { name: 'add', nesting: 0,"
        " testNumber: 2, details: { duration_ms: 1 }, file: __filename } });\n"
        "const said = body.releaseBuffer(), size = Buffer.alloc(4);\n"
        "size.writeUInt32BE(said.length - 2);\n"
        "process.stdout.write(Buffer.concat([said.subarray(0, 2), size, said.subarray(2)]));\n",
        "failed",
        "tampered",
    ),
)
_HARM = (
    _code(
        Kind.OUTLIVING, "the runner killed", "process.kill(process.ppid, 'SIGKILL');\n", "failed"
    ),
    _code(
        Kind.OUTLIVING,
        "a daemon that outlives the run",
        "require('node:child_process').spawn('sleep', ['999'],"
        " { detached: true, stdio: 'ignore' }).unref();\n",
        "failed",
    ),
    _code(Kind.BOMBS, "a loop without an end", "for (;;);\n", "timed_out"),
)
_MADE: dict[Kind, dict[str, dict[str, str | None]]] = {
    Kind.HOOKS: {
        "NODE_OPTIONS in .npmrc": {
            ".npmrc": "node-options=--require ./evil.js\n",
            "evil.js": _EVIL,
        },
        "NODE_OPTIONS in .env": {".env": "NODE_OPTIONS=--require ./evil.js\n", "evil.js": _EVIL},
        "another script for the tests": {"package.json": PACKAGE.replace("node --test", "true")},
        "a script before the tests": {
            "package.json": PACKAGE.replace('"test":', '"pretest": "node evil.js",\n    "test":'),
            "evil.js": _EVIL,
        },
        "a module called node:test": {
            "node_modules/node:test/index.js": "module.exports = () => {};\n"
        },
    },
    Kind.TESTS: {
        "tests skipped": {"test/calc.test.js": _TESTS.replace("test('sub'", "test.skip('sub'")},
        "tests deleted": {"test/calc.test.js": None},
        "tests emptied": {"test/calc.test.js": "\n"},
        "tests shadowed": {"test/calc.test.mjs": "import test from 'node:test';\ntest('add');\n"},
    },
}
ATTACKS = (
    *(_files(kind, name, made) for kind, of in _MADE.items() for name, made in of.items()),
    *(*_MACHINERY, *_ENDING, *_RESULTS, *_LOOKS, *_HARM),
)
