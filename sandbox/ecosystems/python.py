"""Python: pip-installable projects in every common form, their tests run by pytest."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator

from sandbox.ci import Workflow
from sandbox.ecosystems import python_old
from sandbox.ecosystems.python_build import PythonProject
from sandbox.ecosystems.python_manifest import (
    folders,
    for_tests,
    manifest,
    naming_pytest,
    requirement_files,
    requirement_words,
)
from sandbox.ecosystems.python_pins import pins
from sandbox.ecosystems.python_tools import Told, told_by_ci, told_by_tools
from sandbox.ecosystems.python_version import versions
from sandbox.facts import Facts, strings, table
from sandbox.recipe import Recipe, Toolchain

NAME = "python"
SUFFIXES = (".py", ".pyx")
_PLUGINS = {
    "--cov": "pytest-cov",
    "-n": "pytest-xdist",
    "--numprocesses": "pytest-xdist",
    "--timeout": "pytest-timeout",
    "--benchmark": "pytest-benchmark",
    "--dist": "pytest-xdist",
    "--reruns": "pytest-rerunfailures",
    "--asyncio-mode": "pytest-asyncio",
    "asyncio_mode": "pytest-asyncio",
}
_MESON = "mesonpy"
"""Compiles again when the project is imported, with tools that an isolated build takes along."""
_USUAL = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
_ODD = re.compile(r"(^|/)(test[^/]*|[^/]*tests|[^/]*Test)\.py$")
_PYTEST_FILES = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg")


def recipes(facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
    """Ways to build this commit, best first: by what its CI says, and by its files alone."""
    if not facts.count(SUFFIXES):
        return
    for version in versions(facts, workflow):
        if workflow.path:
            yield _recipe(facts, project(facts, version, told_by_ci(workflow)), workflow)
        yield _recipe(facts, project(facts, version), Workflow())


def project(facts: Facts, version: str, ci: Told = Told()) -> PythonProject:  # noqa: B008
    """What one commit needs on this Python."""
    tools = told_by_tools(facts)
    places = folders(facts)
    manifests = [manifest(facts, folder) for folder in places]
    files = requirement_files(facts.names, wanted_all=not places) or naming_pytest(facts)
    files += tuple(path for path in (*tools.files, *ci.files) if facts.has(path))
    development = [name for one in manifests for name in one.development]
    packages = ["pytest", *development, *_plugins(facts), *facts.settings.packages]
    extras = for_tests(name for one in manifests for name in one.extras)
    known = {name for one in manifests for name in one.extras}
    named = [*tools.groups, *ci.groups]
    groups = [name for place in places or ["."] for name in _groups(facts, place, named)]
    kind = python_old.OldPythonProject if version == python_old.VERSION else PythonProject
    return kind(
        python=version,
        projects=tuple(places),
        names=tuple(dict.fromkeys(one.name for one in manifests if one.name)),
        extras=_united(extras, (n for n in (*tools.extras, *ci.extras) if n in known)),
        groups=tuple(groups),
        requirement_files=tuple(dict.fromkeys(files)),
        packages=tuple(dict.fromkeys(packages)),
        wished=_united(tools.packages, ci.packages),
        pins=pins(facts),
        build_requires=_build_requires(facts),
        in_place=("--no-build-isolation",) if _back_end(facts) == _MESON else (),
        not_after=month_end(facts),
        release=facts.release if _reads_history(facts) else "",
        pytest_args=(*_odd_names(facts), *facts.settings.pytest_args),
    )


def month_end(facts: Facts) -> str:
    """The last day of the commit's month: commits of one month share what is resolved."""
    day = facts.committed_at
    return f"{day:%Y-%m}-{calendar.monthrange(day.year, day.month)[1]:02}"


def toolchain(version: str) -> Toolchain:
    """CPython of this version."""
    if version == python_old.VERSION:
        return python_old.toolchain()
    return Toolchain(
        name=f"{NAME} {version}",
        ask="/opt/venv/bin/python --version",
        images=(f"python:{version}-slim",),
        python=version,
    )


def _recipe(facts: Facts, found: PythonProject, workflow: Workflow) -> Recipe:
    return Recipe(
        found_in=workflow.path or "files",
        toolchain=toolchain(found.python),
        dependencies=found.dependencies_script(),
        inputs=inputs(facts),
        install=found.source_script(),
        test=found.test_script(),
        results="lines",
        narrows=True,
        environment=workflow.environment,
        apt=_apt(facts),
    )


def _apt(facts: Facts) -> tuple[str, ...]:
    """The compiler of extensions in Rust; that of C is in every base image."""
    named = strings(table(facts.toml("pyproject.toml"), "build-system").get("requires"))
    return ("cargo",) if any(re.match("maturin|setuptools.rust", n) for n in named) else ()


def _united(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *second]))


def _build_requires(facts: Facts) -> tuple[str, ...]:
    """What compiles extensions, where that is done again for each run; empty elsewhere."""
    tools = ("meson", "ninja") if _back_end(facts) == _MESON else ()
    if re.search(r"\b(ext_modules|cythonize)\b", facts.text("setup.py")):
        tools = ("setuptools", "wheel")
    named = table(facts.toml("pyproject.toml"), "build-system").get("requires")
    return tuple(dict.fromkeys([*tools, *strings(named)])) if tools else ()


def _back_end(facts: Facts) -> str:
    return str(table(facts.toml("pyproject.toml"), "build-system").get("build-backend"))


def _groups(facts: Facts, place: str, named: list[str]) -> list[str]:
    """The dependency groups of a folder that tests need, in uv's words."""
    file = "pyproject.toml" if place == "." else f"{place}/pyproject.toml"
    known = table(facts.toml(file), "dependency-groups")
    wanted = _united(for_tests(known), (name for name in named if name in known))
    return [name if place == "." else f"{file}:{name}" for name in wanted]


def _reads_history(facts: Facts) -> bool:
    """Whether the project's back end makes its version out of tags."""
    text = "\n".join(map(facts.text, facts.named("pyproject.toml", "setup.py", "setup.cfg")[:40]))
    return re.search(r"scm|vcs|\bpbr\b|versioningit|dunamai", text, re.IGNORECASE) is not None


def _odd_names(facts: Facts) -> tuple[str, ...]:
    """For suites that unittest, nose or a script of their own finds, and pytest does not."""
    text = "\n".join(facts.text(name) for name in _PYTEST_FILES)
    if "python_files" in text or any(_USUAL.search(path) for path in facts.names):
        return ()
    patterns = "test*.py *tests.py *Test.py"
    odd = (path for path in facts.names if _ODD.search(path))
    if not any(re.search(r"\bdef test", facts.text(path)) for path in odd):
        patterns += " test/*.py tests/*.py"
    return (f"-o 'python_files={patterns}'",)


def _plugins(facts: Facts) -> list[str]:
    """Plugins without which pytest would refuse its own configuration."""
    text = "\n".join(facts.text(place) for place in _PYTEST_FILES)
    options = " ".join(re.findall(r"addopts\s*=\s*((?:.*(?:\n[ \t\[\"'].*)*))", text))
    words = set(re.split(r"[\s\"',=\[\]]+", options))
    if "asyncio_mode" in text:
        words.add("asyncio_mode")
    found = [p for flag, p in _PLUGINS.items() if any(_is_flag(word, flag) for word in words)]
    return list(dict.fromkeys(found))


def _is_flag(word: str, flag: str) -> bool:
    if flag == "-n":
        return re.fullmatch(r"-n(\d+|auto|logical)?", word) is not None
    return word == flag or word.startswith(f"{flag}-")


def inputs(facts: Facts) -> str:
    """Everything that decides what is installed, as text."""
    parts: list[object] = []
    for path in sorted(facts.named("pyproject.toml", "setup.cfg", "setup.py")):
        if path.count("/") <= 2:
            parts += [path, _of_manifest(facts, path)]
    # Those not asked for as well: `-r base.txt` and setup.py may read them.
    parts.append(
        [(name, facts.text(name)) for name in sorted(filter(requirement_words, facts.names))]
    )
    return repr(parts)


def _of_manifest(facts: Facts, path: str) -> object:
    if path.endswith("setup.py"):
        return facts.text(path)
    if path.endswith("setup.cfg"):
        ini = facts.ini(path)
        return [(name, ini.items(name)) for name in ini.sections() if name.startswith("options")]
    toml = facts.toml(path)
    named = table(toml, "project")
    return [
        named.get("dependencies"),
        named.get("optional-dependencies"),
        toml.get("dependency-groups"),
        toml.get("build-system"),
        table(toml, "tool", "poetry").get("dependencies"),
    ]
