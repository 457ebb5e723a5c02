"""How the SWE-bench harness runs a task's tests and reads what they print.

It reads a log by one of its own parsers; where none fits what a task's runner prints, the task
cannot be graded there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.types import Task
from patchmark.formats.reading import UnfitError

RESULTS = "/tmp/patchmark-results"  # noqa: S108 - in a container
"""Where a test command leaves its results there."""


@dataclass(frozen=True)
class Runner:
    """A test runner that one of the harness's parsers understands."""

    parser: str
    command: Callable[[str], str]
    """Our test command → one whose output the parser reads."""
    name: Callable[[str], str]
    """Our name of a test → the parser's; empty where it does not see such a test."""


@dataclass(frozen=True)
class Graded:
    """What the harness has to know of a task."""

    parser: str
    command: str
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]


def graded(task: Task) -> Graded:
    """How the harness grades it. Raises UnfitError that says why it cannot."""
    runner = _runner(task)
    fates: dict[str, set[str]] = {}
    sides = {"fail": task.fail_to_pass, "pass": task.pass_to_pass}
    unstable = [one.test for one in task.unstable]
    for fate, tests in {**sides, "unstable": unstable}.items():
        for test in tests:
            fates.setdefault(runner.name(test), set()).add(fate)

    def names(fate: str) -> tuple[str, ...]:
        # Of tests that it takes for one and the same, one decides for the others.
        return tuple(name for name, found in fates.items() if name and found == {fate})

    if not names("fail"):
        raise UnfitError(f"{runner.parser} cannot tell its FAIL_TO_PASS tests from others")
    return Graded(runner.parser, runner.command(task.test_command), names("fail"), names("pass"))


def _runner(task: Task) -> Runner:
    for mark, runner in RUNNERS.get(task.results, {}).items():
        if mark in task.test_command:
            return runner
    raise UnfitError(
        "no log parser of SWE-bench fits its test command, which leaves results of the form "
        f"`{task.results}`"
    )


def names_in_logs(results: str) -> Callable[[str], tuple[str, ...]]:
    """Other names that a test of such results has in lists that were made of logs."""
    runners = RUNNERS.get(results, {}).values()
    return lambda test: tuple(name for one in runners if (name := one.name(test)))


def _pytest(command: str) -> str:
    # Not -rA, which old ones do not know: all that may come of a test, a word and its name each.
    # Colours would stand before the word that is looked for.
    return command.replace("/patchmark/in/start.py", "-m pytest -rfEsxXp --color=no")


def _first_word(test: str) -> str:
    return test.split(maxsplit=1)[0] if test.split() else ""


def _go(command: str) -> str:
    return re.sub(r'go test -json (.*?) > "\$PATCHMARK_RESULTS"', r"go test -v \1", command)


def _after_target(test: str) -> str:
    return test.partition("::")[2]


def _cargo(command: str) -> str:
    # It takes a name for one word, which in such lines it is not.
    return _then(command, f"sed -n 's/^\\(test .*\\) - should panic /\\1 /p' {RESULTS}")


def _one_word(test: str) -> str:
    name = _after_target(test)
    return "" if " " in name else name


def _jest(command: str) -> str:
    return _then(command, f"python3 - {RESULTS} <<'PATCHMARK_JSON'\n{_JEST}PATCHMARK_JSON")


_JEST = """
import json, sys
text, at = open(sys.argv[1], encoding="utf-8", errors="replace").read().strip(), 0
while at < len(text):
    report, at = json.JSONDecoder().raw_decode(text, at)
    at += len(text[at:]) - len(text[at:].lstrip())
    for file in report.get("testResults", ()):
        path = str(file.get("name", ""))
        path = path[6:] if path.startswith("/repo/") else path
        for test in file.get("assertionResults", ()):
            parts = [*(test.get("ancestorTitles") or ()), test.get("title", "")]
            name = " ".join((path + "::" + " > ".join(str(p) for p in parts if p)).split())
            if test.get("status") in ("passed", "failed"):
                print("[" + test["status"].upper() + "] " + name)
"""


def _even(test: str) -> str:
    return " ".join(test.split())


def _tap(command: str) -> str:
    return _then(command, f"cat {RESULTS}")


def _point(test: str) -> str:
    """What stands behind the number of a point without subtests."""
    return "" if "::" in test else f"- {test}"


def _then(command: str, more: str) -> str:
    """Both, with the first one's exit code."""
    return f"(\n{command}\n)\nended=$?\n{more}\nexit $ended"


RUNNERS: Mapping[str, Mapping[str, Runner]] = {
    # The form of the results → a mark of the command → the runner.
    "lines": {"/patchmark/in/start.py": Runner("parse_log_pytest", _pytest, _first_word)},
    "go": {"go test -json": Runner("parse_log_gotest", _go, _after_target)},
    "libtest": {"cargo test": Runner("parse_log_cargo", _cargo, _one_word)},
    "jest": {"PATCHMARK_RESULTS": Runner("parse_log_jest_json", _jest, _even)},
    "tap": {"ava --tap": Runner("parse_log_tap", _tap, _point)},
}
