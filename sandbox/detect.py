"""Finding the recipe of a Python repository in its files at one commit."""

from __future__ import annotations

import calendar
import configparser
import re
import tomllib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from sandbox.recipe import EnvironmentSettings, Recipe

# 3.11 first: the most repositories, old and new, run on it.
_PYTHONS = ("3.11", "3.12", "3.13", "3.10", "3.9", "3.8")
_TEST_NAMES = ("test", "tests", "testing")
_DEV_NAMES = ("dev", "develop", "development")
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

Reader = Callable[[str], str | None]


def detect(
    files: Iterable[str],
    read: Reader,
    committed_at: datetime,
    settings: EnvironmentSettings,
    version: str,
) -> Recipe:
    """Find the recipe of one commit. `read` gives a file's text or None."""
    names = set(files)
    pyproject = _toml(read("pyproject.toml") if "pyproject.toml" in names else None)
    setup_cfg = _ini(read("setup.cfg") if "setup.cfg" in names else None)
    setup_py = (read("setup.py") if "setup.py" in names else None) or ""
    project = _table(pyproject, "project")
    poetry = _table(pyproject, "tool", "poetry")
    installable = bool(project or poetry or setup_py or setup_cfg.has_section("metadata"))
    extras = _chosen(
        [
            *_table(project, "optional-dependencies"),
            *_table(poetry, "extras"),
            *_options(setup_cfg, "options.extras_require"),
            *_extras_of_setup(setup_py),
        ]
    )
    groups = _chosen(_table(pyproject, "dependency-groups"))
    requirements = _requirement_files(names, wanted_all=not installable)
    packages = ["pytest", *_poetry_development(poetry), *_plugins(names, read), *settings.packages]
    month = calendar.monthrange(committed_at.year, committed_at.month)[1]
    requires = (
        project.get("requires-python")
        or setup_cfg.get("options", "python_requires", fallback=None)
        or _first(r"python_requires\s*=\s*['\"]([^'\"]+)", setup_py)
        or _as_specifier(_table(poetry, "dependencies").get("python"))
    )
    return Recipe(
        python=settings.python or _python(str(requires)),
        installable=installable,
        name=_name(project, poetry, setup_cfg, setup_py),
        extras=extras,
        groups=groups,
        requirement_files=requirements,
        packages=tuple(dict.fromkeys(packages)),
        not_after=f"{committed_at:%Y-%m}-{month:02}",
        version=version,
        setup=settings.setup,
        inputs=_inputs(pyproject, setup_cfg, setup_py, names, read),
    )


def _toml(text: str | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text or "")
    except tomllib.TOMLDecodeError:
        return {}


def _table(toml: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A table inside a table, empty where something else stands in its place."""
    for key in keys:
        inner = toml.get(key)
        toml = inner if isinstance(inner, dict) else {}
    return toml


def _ini(text: str | None) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text or "")
    except configparser.Error:
        return configparser.RawConfigParser()
    return parser


def _options(parser: configparser.RawConfigParser, section: str) -> list[str]:
    return parser.options(section) if parser.has_section(section) else []


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found.group(1) if found else None


def _name(
    project: dict[str, Any],
    poetry: dict[str, Any],
    setup_cfg: configparser.RawConfigParser,
    setup_py: str,
) -> str | None:
    named = (
        project.get("name")
        or poetry.get("name")
        or setup_cfg.get("metadata", "name", fallback=None)
        or _first(r"\bname\s*=\s*['\"]([\w.-]+)['\"]", setup_py)
    )
    return str(named) if named else None


def _chosen(names: Iterable[str]) -> tuple[str, ...]:
    """The extras or groups that look made for testing, else those for development."""
    names = list(dict.fromkeys(names))
    for wanted in (_TEST_NAMES, _DEV_NAMES):
        if found := tuple(name for name in names if name.lower() in wanted):
            return found
    return ()


def _extras_of_setup(setup_py: str) -> list[str]:
    """Names in setup.py's extras_require, be it given in the call or in a variable of that name."""
    names: list[str] = []
    start = r"extras_require\s*(?:=|:[^=\n]*=)\s*\{"
    for found in re.finditer(start, setup_py, re.IGNORECASE):
        names += _top_level_keys(setup_py[found.end() :])
    added = re.findall(r"extras_require\[['\"](\w+)['\"]\]\s*=", setup_py, re.IGNORECASE)
    return list(dict.fromkeys([*names, *added]))


def _top_level_keys(text: str) -> list[str]:
    """Keys of a dictionary whose text follows its opening brace. Old syntaxes are welcome too."""
    keys, depth = [], 0
    for token in re.finditer(r"#[^\n]*|[\[({]|[\])}]|(['\"])((?:(?!\1).)*)\1\s*(:?)", text):
        sign = token.group(0)[0]
        if sign in "[({":
            depth += 1
        elif sign in "])}":
            depth -= 1
            if depth < 0:
                break
        elif token.group(3) and depth == 0:
            keys.append(token.group(2))
    return keys


def _requirement_files(names: set[str], *, wanted_all: bool) -> tuple[str, ...]:
    def fits(path: str) -> bool:
        words = _requirement_words(path)
        if words & {*_TEST_NAMES, *_DEV_NAMES}:
            return True
        return wanted_all and bool(words) and words <= {"", "requirements", "base"}

    found = sorted(name for name in names if fits(name))
    for_tests = [name for name in found if re.search("test", name)]
    return tuple(found if wanted_all else for_tests or found)


def _requirement_words(path: str) -> set[str]:
    """The words in a requirement file's path; none for any other file."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".txt") or folder not in ("", "requirements"):
        return set()
    words = set(re.split(r"[^a-z]+", f"{folder} {name[:-4]}".lower()))
    return words if words & {"requirements", "require", "reqs"} else set()


def _poetry_development(poetry: dict[str, Any]) -> list[str]:
    """Names only: the date decides the versions, and poetry's carets are not pip's language."""
    named = [*_table(poetry, "dev-dependencies")]
    for group in _table(poetry, "group"):
        named += _table(poetry, "group", group, "dependencies")
    return [name for name in named if name.startswith("pytest") or name in ("hypothesis",)]


def _plugins(names: set[str], read: Reader) -> list[str]:
    """Plugins without which pytest would refuse its own configuration."""
    places = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg")
    text = "\n".join((read(place) or "") for place in places if place in names)
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


def _as_specifier(poetry: object) -> str:
    """Poetry's carets and tildes in pip's language; all Pythons we know of are 3."""
    text = poetry if isinstance(poetry, str) else ""
    return re.sub(r"^~(\d+\.\d+)$", r"==\1.*", text.replace("^", ">="))


def _python(requires: str) -> str:
    try:
        allowed = SpecifierSet(requires)
    except InvalidSpecifier:
        return _PYTHONS[0]
    return next((p for p in _PYTHONS if allowed.contains(f"{p}.99")), _PYTHONS[0])


def _inputs(
    pyproject: dict[str, Any],
    setup_cfg: configparser.RawConfigParser,
    setup_py: str,
    names: set[str],
    read: Reader,
) -> str:
    project = _table(pyproject, "project")
    parts: list[object] = [
        project.get("dependencies"),
        project.get("optional-dependencies"),
        pyproject.get("dependency-groups"),
        pyproject.get("build-system"),
        _table(pyproject, "tool", "poetry").get("dependencies"),
        [(s, setup_cfg.items(s)) for s in setup_cfg.sections() if s.startswith("options")],
        setup_py,
        # Those not asked for as well: `-r base.txt` and setup.py may read them.
        [(name, read(name)) for name in sorted(filter(_requirement_words, names))],
    ]
    return repr(parts)
