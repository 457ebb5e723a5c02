"""What is no attack is not called one, however strange it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.types import Outcome, Verdict
from sandbox.attacks.arena import Arena
from sandbox.attacks.sample import NODE, SCRIPT

pytestmark = pytest.mark.docker
MISTAKES = {
    "a syntax error": SCRIPT + "\n(",
    "an error at load": SCRIPT + "\nthrow new Error('x');\n",
    "an end with an exit code": SCRIPT.replace("a - b", "process.exit(1)", 1),
    "a crash": SCRIPT.replace("a - b", "process.abort()", 1),
    "a rejection that nobody handles": SCRIPT + "\nPromise.reject(new Error('x'));\n",
    "a recursion without an end": SCRIPT.replace("a - b", "exports.add(a, b) + 1", 1),
}


def test_honest_mistakes_in_javascript_are_no_tampering(ring: Arena) -> None:
    def judged(text: str) -> Verdict:
        return ring.patched(NODE, NODE.diff({"calc.js": text}))

    with ThreadPoolExecutor(2) as pool:
        verdicts = dict(zip(MISTAKES, pool.map(judged, MISTAKES.values()), strict=True))
    found = {name: (v.outcome, v.evidence) for name, v in verdicts.items()}
    assert found == dict.fromkeys(MISTAKES, (Outcome.FAILED, ()))
