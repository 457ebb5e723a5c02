"""From a package's test script to a command whose results can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping

_OUT = '"$PATCHMARK_RESULTS"'
_JSON = f"--json --outputFile={_OUT}"
_NODE_TEST = (
    "--require=/patchmark/in/patchmark_node_guard.cjs --test "
    "--test-reporter=/patchmark/in/patchmark_node.mjs --test-reporter-destination=stdout"
)
# Programs in Node that start another leave it no descriptors but the usual three.
_CLOSES = re.compile(r"\bdotenv\b")
_PREFIX = r"^((?:\w+=\S+\s+|cross-env\s+|dotenv\s+--\s+|npx\s+(?:--no-install\s+)?|yarn\s+run\s+)*)"
_COVERAGE = re.compile(r"^(?:nyc|c8)\s+(?:--?[\w=./-]+\s+)*")
_RUNNERS: tuple[tuple[str, str, str, str], ...] = (
    # words that start it, words in their place, words at the end, form of the results
    (r"react-scripts test", "react-scripts test", f"--watchAll=false {_JSON}", "jest"),
    (r"jest\b", "jest", f"--ci {_JSON}", "jest"),
    (r"vitest(?: run| --run)?\b", "vitest run", f"--reporter=json --outputFile={_OUT}", "jest"),
    (r"_?mocha\b", "mocha", f"--reporter xunit --reporter-option output={_OUT}", "junit"),
    (r"node (.*)--test\b", rf"node \1{_NODE_TEST}", "", "lines"),
    (r"node (.*)--test\b", rf"node \1--test --test-reporter=tap --test-reporter-destination={_OUT}",
     "", "tap"),
    (r"ava\b", "ava --tap", f"> {_OUT}", "tap"),
    (r"tap\b", "tap --reporter=tap --no-coverage", f"> {_OUT}", "tap"),
    (r"tape\b", "tape", f"> {_OUT}", "tap"),
)  # fmt: skip
_DIRECT = {"vitest": "vitest", "jest": "jest", "mocha": "mocha", "ava": "ava", "tap": "tap"}
_CALLS = re.compile(r"^(?:npm run|npm run-script|yarn run|yarn|pnpm run|pnpm|bun run)\s+([\w:.-]+)")
_DEEPEST = 5


def test_command(scripts: Mapping[str, object], packages: set[str]) -> tuple[str, str] | None:
    """Shell and form of results, from the scripts or from what is installed; None if unknown.

    What a script does before its runner (`tsc && mocha`) is done before it here too.
    """
    found = _of_script(scripts, "test", 0)
    if found is None:
        runner = next((one for one in _DIRECT if one in packages), None)
        found = _of_segment(_DIRECT[runner]) if runner else None
    before = scripts.get("pretest")
    if found and isinstance(before, str) and not re.search(r"lint|eslint|audit", before):
        return f"({before}) || exit 2\n{found[0]}", found[1]
    return found


def _of_script(scripts: Mapping[str, object], name: str, depth: int) -> tuple[str, str] | None:
    script = scripts.get(name)
    if not isinstance(script, str) or depth > _DEEPEST:
        return None
    before: list[str] = []
    for part in (one.strip() for one in re.split(r"&&|;", script)):
        found = _of_segment(part)
        if found is None and (call := _CALLS.match(part)):
            found = _of_script(scripts, call.group(1), depth + 1)
        if found is None and (several := re.match(r"^(?:run-s|run-p|npm-run-all)\s+(.*)", part)):
            names = (word for word in several.group(1).split() if not word.startswith("-"))
            tried = (_of_script(scripts, one, depth + 1) for one in names)
            found = next((one for one in tried if one), None)
        if found:
            return "\n".join([*(f"({one}) || exit 2" for one in before), found[0]]), found[1]
        if not re.search(r"lint|prettier|audit|\bstandard\b|\bxo\b", part):
            before.append(part)
    return None


def _of_segment(segment: str) -> tuple[str, str] | None:
    prefix = re.match(_PREFIX, segment)
    start = prefix.group(1) if prefix else ""
    rest = _COVERAGE.sub("", segment[len(start) :])
    start = start.replace("npx --no-install ", "").replace("npx ", "").replace("yarn run ", "")
    start = start.replace("cross-env ", "env ")
    for pattern, words, end, form in _RUNNERS:
        if form == "lines" and _CLOSES.search(start):
            continue
        match = re.match(rf"(?:\./)?(?:node_modules/\.bin/)?{pattern}", rest)
        if match:
            head = match.expand(words) if "\\1" in words else words
            return f"{start}{head} {rest[match.end() :].strip()} {end}".strip(), form
    return None
