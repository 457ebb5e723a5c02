"""Tests that must fail, in the words of each runner of JavaScript and TypeScript."""

from __future__ import annotations

import re
from collections.abc import Sequence

Variants = tuple[tuple[tuple[str, ...], str], ...]
_MODULE = r"^\s*(import|export)\s"
_IMPORTS = {
    # runner: (line for a module, line for a script)
    "vitest": ("import {{ test, expect }} from 'vitest';", ""),
    "jest": ("", ""),
    "mocha": ("import assert from 'assert';", "const assert = require('assert');"),
    "node": (
        "import test from 'node:test';\nimport assert from 'node:assert';",
        "const test = require('node:test');\nconst assert = require('node:assert');",
    ),
    "ava": ("import test from 'ava';", "const test = require('ava');"),
    "tap": ("import tap from 'tap';", "const tap = require('tap');"),
    "tape": ("import tap from 'tape';", "const tap = require('tape');"),
}
_EXPECT = (
    "test('{0}', () => {{ expect({1}).toBe({2}); }});\n"
    "test('{3}', () => {{ expect([{1}]).toEqual([{2}]); }});\n"
)
_ASSERT = (
    "{word}('{0}', () => {{ assert.strictEqual({1}, {2}); }});\n"
    "{word}('{3}', () => {{ throw new Error('{1}'); }});\n"
)
_BODIES = {
    "vitest": _EXPECT,
    "jest": _EXPECT,
    "mocha": _ASSERT,
    "node": _ASSERT,
    "ava": "test('{0}', t => {{ t.is({1}, {2}); }});\n"
    "test('{3}', t => {{ t.deepEqual([{1}], [{2}]); }});\n",
    "tap": "tap.test('{0}', t => {{ t.equal({1}, {2}); t.end(); }});\n"
    "tap.test('{3}', t => {{ t.ok({1} === {2}); t.end(); }});\n",
}
_BODIES["tape"] = _BODIES["tap"].replace("tap.test", "tap")

_NAMES = "(vitest|jest|react-scripts|mocha|ava|tape|tap)"


def script_variants(command: str, names: Sequence[str], one: int, two: int) -> Variants:
    """(patterns of the sibling, content) for the runner that a command names; none if unknown."""
    runner = _runner(command)
    if runner is None:
        return ()
    module, script = (line.format() for line in _IMPORTS[runner])
    body = _BODIES[runner].format(names[0], one, two, names[1], word="test")
    if runner == "jest":
        named = "import { test, expect } from '@jest/globals';"
        return (((r"@jest/globals",), f"{named}\n\n{body}"), ((), body))
    if runner == "vitest":
        return (((r"['\"]vitest['\"]",), f"{module}\n\n{body}"), ((), body))
    if runner != "mocha":
        return (((_MODULE,), f"{module}\n\n{body}"), ((), f"{script}\n\n{body}"))
    behaviour = _BODIES[runner].format(names[0], one, two, names[1], word="it")
    suite = r"^\s*suite\s*\("
    return (
        ((_MODULE, suite), f"{module}\n\n{body}"),
        ((_MODULE,), f"{module}\n\n{behaviour}"),
        ((suite,), f"{script}\n\n{body}"),
        ((), f"{script}\n\n{behaviour}"),
    )


_SAME_PROCESS = {
    # Each on its own: a runner of which one piece is replaced still does the others right.
    "assert": (
        "assert.strictEqual({one}, {two});",
        "assert.equal({one}, {two});",
        "assert.deepStrictEqual([{one}], [{two}]);",
        "assert.deepEqual({{ a: {one} }}, {{ a: {two} }});",
        "assert.ok({one} > {one});",
        "assert.throws(() => {two});",
        "throw new Error('{one}');",
    ),
    "expect": (
        "expect({one}).toBe({two});",
        "expect([{one}]).toEqual([{two}]);",
        "expect({{ a: {one} }}).toStrictEqual({{ a: {two} }});",
        "expect({one} > {one}).toBeTruthy();",
        "expect(() => {two}).toThrow();",
        "expect([{one}]).toContain({two});",
        "throw new Error('{one}');",
    ),
}
APPENDED = len(_SAME_PROCESS["assert"])
"""How many tests `appended_variants` makes."""


def appended_variants(command: str, names: Sequence[str], one: int, two: int) -> Variants:
    """The same for the end of a file of tests: there they run where the patch's code does."""
    runner = _runner(command)
    fill = {"one": one, "two": two}
    if runner == "node":
        told = [line.format(**fill) for line in _SAME_PROCESS["assert"]]
        tests = "".join(
            f"  run('{n}', () => {{ {line} }});\n" for n, line in zip(names, told, strict=True)
        )
        brought = (
            f"import run{one} from 'node:test';\nimport assert{one} from 'node:assert';\n",
            "",
        )
        inside = (
            f"  const run = run{one}, assert = assert{one};\n",
            "  const run = require('node:test'), assert = require('node:assert');\n",
        )
        module, script = (f"\n{b}{{\n{i}{tests}}}\n" for b, i in zip(brought, inside, strict=True))
        return (((_MODULE,), module), ((), script))
    if runner not in ("jest", "vitest"):
        return ()
    told = [line.format(**fill) for line in _SAME_PROCESS["expect"]]
    variants = []
    for word in ("test", "it"):
        tests = "".join(
            f"  {word}('{n}', () => {{ {line} }});\n" for n, line in zip(names, told, strict=True)
        )
        # What a file takes from elsewhere may not be in reach at its end: then there are none.
        text = f"\ntry {{\n{tests}}} catch {{}}\n"
        variants.append(((rf"^\s*{word}\(", r"\bexpect\("), text))
    return tuple(variants)


def _runner(command: str) -> str | None:
    """The last one named: what stands before it builds."""
    if re.search(r"\b(?:node|tsx)\b.*\s--test\b", command):
        return "node"
    found = re.findall(rf"(?:^|[\s/;(&]){_NAMES}(?=\s|$)|node_modules/{_NAMES}/\S+", command)
    name = found[-1][0] or found[-1][1] if found else None
    return {"react-scripts": "jest"}.get(name, name) if name else None
