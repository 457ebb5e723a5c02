"""What a commit's own CI says: versions, packages and commands of the job that runs the tests.

Read and never run: actions and matrices are understood only as far as they name facts.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.facts import Facts, table, tables

_FOLDER = ".github/workflows/"
_TRAVIS = ".travis.yml"
_VERSION_KEYS = {
    "python": ("python-version", "python_version", "python"),
    "node": ("node-version", "node_version", "node", "node_js"),
    "go": ("go-version", "go"),
    "java": ("java-version", "java", "jdk"),
    "ruby": ("ruby-version", "ruby", "rvm"),
    "php": ("php-version", "php-versions", "php"),
    "rust": ("toolchain", "rust"),
}
_TESTS = re.compile(
    r"\b(pytest|py\.test|tox|nox|unittest|nosetests|jest|vitest|mocha|ava|ctest|rspec|phpunit"
    r"|cargo test|go test|(npm|yarn|pnpm)( run)? test|make (test|check)|mvn|gradlew?|rake( test)?"
    r"|hatch (run|test)|node --test)\b"
)
_NOT_PASSED_ON = re.compile(
    r"^(PATH|HOME|CI|PYTEST_ADDOPTS|NODE_OPTIONS|LD_.*|PIP_.*|UV_.*|PATCHMARK.*|GITHUB_.*"
    r"|.*(TOKEN|SECRET|KEY|PASSWORD).*)$"
)


@dataclass(frozen=True)
class Workflow:
    """The facts of one CI file; all empty where there is none."""

    path: str = ""
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Ecosystem → versions it is tested with."""
    commands: tuple[str, ...] = ()
    """Lines of shell of the job that runs the tests."""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def apt(self) -> tuple[str, ...]:
        """Debian packages it installs."""
        found: list[str] = []
        for words in self._calls("apt-get", "apt"):
            if "install" in words:
                names = words[words.index("install") + 1 :]
                found += [w for w in names if re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", w)]
        return tuple(dict.fromkeys(found))

    def installs(self) -> Iterator[list[str]]:
        """The words of each call of an installer of Python packages."""
        yield from self._calls("pip", "pip3", "uv", "poetry", "pdm", "pipenv")

    def _calls(self, *programs: str) -> Iterator[list[str]]:
        for line in self.commands:
            for words in _split(line):
                for start, word in enumerate(words):
                    if word in programs:
                        yield words[start:]
                        break


def workflow(facts: Facts) -> Workflow:
    """The CI file whose job runs the tests, the one most likely to be it."""
    paths = [p for p in facts.names if p.startswith(_FOLDER) and p.endswith((".yml", ".yaml"))]
    likely = ("test", "ci", "main", "build", "python", "check")
    for path in sorted(paths, key=lambda p: (_rank(p, likely), p)):
        for job in _jobs(facts.yaml(path)):
            found = _of_job(path, facts.yaml(path), job)
            if any(_TESTS.search(line) for line in found.commands):
                return found
    return _travis(facts)


def _rank(path: str, likely: tuple[str, ...]) -> int:
    name = path.removeprefix(_FOLDER)
    return next((n for n, word in enumerate(likely) if word in name), len(likely))


def _jobs(file: dict[str, Any]) -> list[dict[str, Any]]:
    return [job for job in table(file, "jobs").values() if isinstance(job, dict)]


def _of_job(path: str, file: dict[str, Any], job: dict[str, Any]) -> Workflow:
    steps = tables(job.get("steps"))
    matrix = table(job, "strategy", "matrix")
    rows = tables(matrix.get("include"))
    used = [table(step, "with") for step in steps]
    versions = {
        name: _versions([*_values(used, keys), *_values([matrix, *rows], keys)])
        for name, keys in _VERSION_KEYS.items()
    }
    commands = [line for step in steps for line in _lines(step.get("run"))]
    return Workflow(
        path=path,
        versions={name: found for name, found in versions.items() if found},
        commands=tuple(commands),
        environment=_environment(table(file, "env"), table(job, "env")),
    )


def _travis(facts: Facts) -> Workflow:
    file = facts.yaml(_TRAVIS)
    if not file:
        return Workflow()
    rows = tables(table(file, "matrix").get("include"))
    versions = {n: _versions(_values([file, *rows], keys)) for n, keys in _VERSION_KEYS.items()}
    steps = ("before_install", "install", "before_script", "script")
    runs = [one for name in steps for one in _listed(file.get(name))]
    return Workflow(
        path=_TRAVIS,
        versions={name: found for name, found in versions.items() if found},
        commands=tuple(line for run in runs for line in _lines(run)),
    )


def _values(tables: Iterable[dict[str, Any]], keys: tuple[str, ...]) -> Iterator[str]:
    for one in tables:
        for key in keys:
            for value in _listed(one.get(key)):
                if isinstance(value, str | int | float) and not isinstance(value, bool):
                    yield str(value)


def _versions(found: Iterable[str]) -> tuple[str, ...]:
    """`3.8`, `20`, `1.22` out of what may say `3.8.x`, `pypy-3.8`, `${{ matrix.node }}`."""
    numbers = []
    for text in found:
        for one in text.splitlines():
            plain = re.fullmatch(r"v?(\d+(?:\.\d+)?)(?:\.[\dx*]+)?(?:-dev)?", one.strip())
            if plain:
                # YAML reads an unquoted 3.10 as 3.1; nobody tests with that one any more.
                numbers.append({"3.1": "3.10"}.get(plain.group(1), plain.group(1)))
    return tuple(dict.fromkeys(numbers))


def _lines(run: object) -> list[str]:
    text = run if isinstance(run, str) else ""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [line.strip() for line in joined.splitlines() if line.strip()]


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _environment(*tables: dict[str, Any]) -> dict[str, str]:
    merged = {key: value for one in tables for key, value in one.items()}
    return {
        key: str(value)
        for key, value in merged.items()
        if re.fullmatch(r"[A-Za-z_]\w*", str(key))
        and not _NOT_PASSED_ON.match(str(key).upper())
        and isinstance(value, str | int | float)
        and "${{" not in str(value)
    }


def _split(line: str) -> list[list[str]]:
    """A line of shell as calls, each as its words; those with expressions left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    calls: list[list[str]] = [[]]
    try:
        words = list(lexer)
    except ValueError:
        return []
    for word in words:
        if set(word) <= set("&|;"):
            calls.append([])
        elif "$" not in word:
            calls[-1].append(word)
    return [call for call in calls if call]
