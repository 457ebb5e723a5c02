"""What tox, nox, hatch, pdm, pipenv and CI commands say that tests need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from configparser import RawConfigParser
from dataclasses import dataclass
from typing import Any

from sandbox.ci import Workflow
from sandbox.ecosystems.python_manifest import for_tests
from sandbox.facts import Facts, ini, strings, table

_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w,.-]+\])?\s*([<>=!~].*)?")
_NOT_FOR_TESTS = frozenset(
    (
        *("pip", "setuptools", "wheel", "tox", "nox", "uv", "poetry", "pdm", "hatch", "pipenv"),
        *("virtualenv", "build", "twine", "coveralls", "codecov", "pre-commit", "black", "flake8"),
        *("mypy", "pylint", "isort", "ruff", "sphinx", "install"),
    )
)
_HATCH_KEYS = ("dependencies", "extra-dependencies")


@dataclass(frozen=True)
class Told:
    """Arguments for pip, from wherever."""

    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def told_by_tools(facts: Facts) -> Told:
    """What the configuration of the usual tools asks for."""
    pyproject = facts.toml("pyproject.toml")
    tool = table(pyproject, "tool")
    pdm = table(tool, "pdm", "dev-dependencies")
    hatch = [table(tool, "hatch", "envs", name) for name in ("default", "test", "hatch-test")]
    words = [
        *_tox(facts),
        *_nox(facts.text("noxfile.py")),
        *strings(table(tool, "uv").get("dev-dependencies")),
        *(s for name in for_tests(pdm) for s in strings(pdm[name])),
        *(s for env in hatch for key in _HATCH_KEYS for s in strings(env.get(key))),
        *_pipfile(facts.toml("Pipfile")),
        *_poetry(table(tool, "poetry")),
    ]
    features = strings(table(tool, "hatch", "envs", "test").get("features"))
    found = told(words)
    return Told(found.packages, found.files, (*found.extras, *features), found.groups)


def told_by_ci(workflow: Workflow) -> Told:
    """What the commands of a CI job install."""
    words = []
    for call in workflow.installs():
        if call[0] in ("pip", "pip3") or call[:2] == ["uv", "pip"]:
            words += call[call.index("install") + 1 :] if "install" in call else []
        else:
            words += _options(call)
    return told(words)


def told(words: Iterable[str]) -> Told:
    """Sort arguments as pip would read them; what is for no test is left out."""
    packages, files, extras, groups = [], [], [], []
    rest = (word.strip() for word in words)
    for word in rest:
        if word in ("-r", "--requirement"):
            files.append(next(rest, ""))
        elif word.startswith("-r"):
            files.append(word[2:].strip())
        elif word in ("--extra", "--extras", "-E"):
            extras += next(rest, "").split()
        elif word in ("--group", "--with", "-G"):
            groups += re.split(r"[\s,]+", next(rest, ""))
        elif own := re.fullmatch(r"(?:-e\s*)?\.\[([\w,\s.-]+)\]", word):
            extras += [one.strip() for one in own.group(1).split(",")]
        elif _REQUIREMENT.fullmatch(word) and not word.startswith("."):
            name = re.split(r"[\[<>=!~\s;]", word)[0].lower()
            packages += [word] if name not in _NOT_FOR_TESTS else []
    return Told(tuple(packages), tuple(files), tuple(extras), tuple(groups))


def _options(call: list[str]) -> list[str]:
    """The options of uv, poetry or pdm that name extras and groups, with their values."""
    found: list[str] = []
    for index, word in enumerate(call):
        name, _, value = word.partition("=")
        if name in ("--extra", "--extras", "-E", "--group", "--with", "-G"):
            found += [name, value or " ".join(call[index + 1 : index + 2])]
    return found


def _tox(facts: Facts) -> Iterator[str]:
    of_project = table(facts.toml("pyproject.toml"), "tool", "tox")
    inside = of_project.get("legacy_tox_ini")
    yield from _tox_ini(facts.ini("tox.ini") if not isinstance(inside, str) else ini(inside))
    for toml in (of_project, facts.toml("tox.toml")):
        for base in (table(toml, "env_run_base"), table(toml, "env", "test")):
            yield from (one for one in strings(base.get("deps")) if "{" not in one)
            for name in strings(base.get("extras")):
                yield from ("--extra", name)
            for name in strings(base.get("dependency_groups")):
                yield from ("--group", name)


def _tox_ini(ini: RawConfigParser) -> Iterator[str]:
    for name in ("deps", "extras", "dependency_groups"):
        lines = ini.get("testenv", name, fallback="").splitlines()
        prefix = {"deps": "", "extras": "--extra ", "dependency_groups": "--group "}[name]
        for line in lines:
            plain = line.strip()
            # `py38: mock` holds for some environments only; `{…}` is tox's own language.
            if plain and not re.search(r"^[\w!,{}-]+\s*:|[{}#]", plain):
                yield from (
                    f"{prefix}{plain}".split(None, 1) if prefix or plain[0] == "-" else [plain]
                )


def _nox(noxfile: str) -> Iterator[str]:
    for block in re.split(r"^(?=@nox)", noxfile, flags=re.M):
        if re.search(r"def \w*test", block):
            for call in re.findall(r"session\.install\(([^)]*)\)", block):
                yield from re.findall(r"['\"]([^'\"]+)['\"]", call)


def _pipfile(pipfile: dict[str, Any]) -> Iterator[str]:
    for section in ("packages", "dev-packages"):
        for name, wanted in table(pipfile, section).items():
            more = wanted if isinstance(wanted, dict) else {"version": wanted}
            version = more.get("version")
            if isinstance(version, str):
                extras = ",".join(strings(more.get("extras")))
                named = f"{name}[{extras}]" if extras else name
                yield named if version == "*" else f"{named}{version}"


def _poetry(poetry: dict[str, Any]) -> Iterator[str]:
    """Names only: the date decides the versions, and poetry's carets are not pip's language."""
    found = [table(poetry, "dev-dependencies")]
    found += [table(poetry, "group", name, "dependencies") for name in
              for_tests(table(poetry, "group"))]  # fmt: skip
    for name, wanted in (item for one in found for item in one.items()):
        if not isinstance(wanted, dict) or "version" in wanted:
            yield name
