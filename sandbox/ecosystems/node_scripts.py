"""From a package's test script to a command whose results can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_OUT = '"$PATCHMARK_RESULTS"'
_JSON = f"--json --outputFile={_OUT}"
_NODE_TEST = (
    "--require=/patchmark/in/patchmark_node_guard.cjs --test "
    "--test-reporter=/patchmark/in/patchmark_node.mjs --test-reporter-destination=stdout"
)
# Programs in Node that start another leave it no descriptors but the usual three.
_CLOSES = re.compile(r"\bdotenv\b")
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'])*"""
_PREFIX = re.compile(rf"((?:\w+={_VALUE}\s+|cross-env\s+|env\s+|dotenv\s+--\s+)*)")
_VIA = re.compile(
    r"^(?:npx\s+(?:--no-install\s+)?|(?:npm|pnpm|yarn)\s+exec\s+(?:--\s+)?|yarn\s+(?:run\s+)?|pnpm\s+)"
)
_COVERAGE = re.compile(
    r"^(?:nyc|c8)\s+(?:\S+\s+)*?"
    r"(?=(?:node|tsx|npx|npm|pnpm|yarn|_?mocha|jest|vitest|ava|tap|tape|react-scripts)(?:\s|$))"
)
_FILE = re.compile(
    r"(?P<node>node\s+(?:-\S+\s+)*)?(?:\./)?node_modules/(?:\.bin/)?(?P<name>[\w-]+)(?:/\S+)?(?=\s|$)"
)
# tap took one word for the other in its 18th version.
_TAP = (
    'tap --reporter=tap $(case $(sed -n \'s/.*"version": "\\([0-9]*\\).*/\\1/p\' '
    "node_modules/tap/package.json) in ?|1[0-7]) echo --no-coverage;; "
    "*) echo --disable-coverage;; esac)"
)
# Tests that look at the process's arguments must not find ours, which is why it is not called;
# nor may jest's own workers, which are started with the flags of their parent.
_JEST = (
    "node -e 'const given = process.argv.splice(2); process.execArgv.splice(0); "
    'process.argv[1] = require.resolve("jest"); '
    'process.env.NODE_ENV = process.env.NODE_ENV || "test"; require("jest").run(given)\' jest'
)
_RUNNERS: tuple[tuple[str, str, str, str], ...] = (
    # words that start it, words in their place, words at the end, form of the results
    (r"react-scripts test", "react-scripts test", f"--watchAll=false {_JSON}", "jest"),
    (r"jest(?:\.js)?(?=\s|$)", _JEST, f"--ci {_JSON}", "jest"),
    (r"vitest(?:\.mjs)?(?: run| watch| dev)?(?=\s|$)", "vitest run",
     f"--reporter=json --outputFile={_OUT}", "jest"),
    (r"_?mocha(?:\.js)?(?=\s|$)", "mocha", f"--reporter xunit -O output={_OUT}",
     "junit"),
    (r"node (?P<more>.*?)--test(?=\s|$)", rf"node \g<more>{_NODE_TEST}", "", "lines"),
    (r"(?P<runs>node|tsx) (?P<more>.*?)--test(?=\s|$)",
     rf"\g<runs> \g<more>--test --test-reporter=tap --test-reporter-destination={_OUT}", "", "tap"),
    (r"ava(?=\s|$)", "ava --tap", f"> {_OUT}", "tap"),
    (r"tap(?=\s|$)", _TAP, f"> {_OUT}", "tap"),
    (r"tape(?=\s|$)", "tape", f"> {_OUT}", "tape"),
)  # fmt: skip
# It gives up where nothing happens for ten seconds, as long as a busy machine takes to compile.
_PATIENT = ("ava --tap", '--timeout="${PATCHMARK_TEST_SECONDS:-60}s"')
_DIRECT = ("vitest", "jest", "mocha", "ava", "tap")
_NOT_OURS = re.compile(
    # Words that end a run early, wait for ever, or write another report than the one read here.
    r"(?<=\s)(?:--bail(?:[= ](?:\d+|true|false))?|-b|--fail-fast|--watch(?:All)?|--run"
    r"|(?:--reporter|-R|--test-reporter(?:-destination)?|--outputFile)(?:=|\s+)"
    rf"{_VALUE}|--tap)(?=\s|$)"
)
_CALLS = re.compile(
    r"^(?:npm run|npm run-script|yarn run|yarn|pnpm run|pnpm|bun run|npm(?= t(?:est)?\b))\s+"
    r"(?:-s\s+|--silent\s+)?([\w:.-]+)"
)
_CHECKS = re.compile(
    r"lint|prettier|audit|\bstandard\b|\bxo\b|--noEmit|\btsd\b|type-?s?-?check|check-?types"
    r"|\bbiome\b|\bknip\b|(?:test|check)[:-](?:types|typings)"
)
"""What says nothing about how the code works."""
_WITH_VALUE = ("-c", "--config", "-r", "--require", "--import", "--timeout", "-t", "--root")
_DEEPEST = 5


@dataclass(frozen=True)
class Command:
    """Shell that runs a suite, and what it leaves in PATCHMARK_RESULTS."""

    shell: str
    form: str
    """A name in `sandbox.readers`."""
    narrows: bool
    """Whether names of test files at the end make it run these alone."""


def test_command(scripts: Mapping[str, object], packages: set[str]) -> Command | None:
    """From the scripts, else from what is installed; None if there is no runner that is known.

    What a script does before its runner (`tsc && mocha`) is done before it here too.
    """
    found = script_command(scripts)
    if found is None:
        runner = next((one for one in _DIRECT if one in packages), None)
        found = _of_segment(runner) if runner else None
    before = scripts.get("pretest")
    if found and isinstance(before, str):
        return _after(_not_checks(before, scripts), found)
    return found


def script_command(scripts: Mapping[str, object]) -> Command | None:
    """From the script `test` alone."""
    return _of_script(scripts, "test", 0)


def _of_script(scripts: Mapping[str, object], name: str, depth: int) -> Command | None:
    script = scripts.get(name)
    if not isinstance(script, str) or depth > _DEEPEST:
        return None
    before: list[str] = []
    for whole in _parts(script):
        part = _COVERAGE.sub("", whole)
        called = _called(part, scripts)
        found = _of_script(scripts, called, depth + 1) if called else _of_segment(part)
        if found is None and (several := re.match(r"^(?:run-s|run-p|npm-run-all)\s+(.*)", part)):
            names = (word for word in several.group(1).split() if not word.startswith("-"))
            tried = (_of_script(scripts, one, depth + 1) for one in names)
            found = next((one for one in tried if one), None)
        if found:
            return _after(before, found)
        before += _not_checks(part, scripts)
    return None


def _after(before: list[str], found: Command) -> Command:
    lines = [f"({one}) || exit 2" for one in before]
    return Command("\n".join([*lines, found.shell]), found.form, found.narrows)


def _parts(script: str) -> list[str]:
    return [part for one in re.split(r"&&|;", script) if (part := one.strip())]


def _called(part: str, scripts: Mapping[str, object]) -> str | None:
    """The script that a command runs, if it is one of the package's own."""
    call = _CALLS.match(part)
    name = {"t": "test"}.get(call.group(1), call.group(1)) if call else None
    return name if name in scripts else None


def _not_checks(script: str, scripts: Mapping[str, object]) -> list[str]:
    """What of a script does more than look at the code."""
    return [part for part in _parts(script) if not _only_checks(part, scripts, 0)]


def _only_checks(part: str, scripts: Mapping[str, object], depth: int) -> bool:
    if _CHECKS.search(part):
        return True
    script = scripts.get(_called(part, scripts) or "")
    if not isinstance(script, str) or depth > _DEEPEST:
        return False
    return all(_only_checks(inner, scripts, depth + 1) for inner in _parts(script))


def _of_segment(segment: str) -> Command | None:
    prefix = _PREFIX.match(segment)
    start = prefix.group(1) if prefix else ""
    # What a pipe does with the output is for people.
    rest = re.split(r"\s\|\s", segment[len(start) :])[0]
    rest = _VIA.sub("", _COVERAGE.sub("", _VIA.sub("", rest, count=1)), count=1)
    if file := _FILE.match(rest):
        rest = file["name"] + rest[file.end() :]
    start = start.replace("cross-env ", "env ")
    for pattern, words, end, form in _RUNNERS:
        if form == "lines" and _CLOSES.search(start):
            continue
        match = re.match(pattern, rest)
        if match:
            given = " ".join(_NOT_OURS.sub("", f" {rest[match.end() :]} ").split())
            head = match.expand(words) if "\\g" in words else words
            if head == _PATIENT[0] and not re.search(r"--timeout\b|(?:^|\s)-T", given):
                given = f"{_PATIENT[1]} {given}".rstrip()
            if file and file["node"]:
                # Flags of node itself, which not all may stand in NODE_OPTIONS.
                head = " ".join([file[0], *("" if words == _JEST else head).split(" ")[1:]])
            shell = start + " ".join(word for word in (head, given, end) if word)
            return Command(shell, form, not list(_places(given)))
    return None


def _places(given: str) -> Iterator[str]:
    """The words that say which files to run."""
    before = ""
    for word in given.split():
        if not word.startswith("-") and before not in _WITH_VALUE:
            yield word
        before = word
