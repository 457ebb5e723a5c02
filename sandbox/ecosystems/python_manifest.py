"""What the manifests of a Python repository say: its folders, names, extras and requirements."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sandbox.facts import Facts, strings, table

_TEST_NAMES = ("test", "tests", "testing")
_DEV_NAMES = ("dev", "develop", "development")
_PYTEST = re.compile(r"^\s*pytest\b", re.MULTILINE)
_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_MOST_FOLDERS = 20
_ASIDE = frozenset(
    (
        "test",
        "tests",
        "testing",
        "docs",
        "doc",
        "examples",
        "example",
        "benchmarks",
        "tools",
        "vendor",
    )
)


@dataclass(frozen=True)
class Manifest:
    """What one installable folder says of itself."""

    name: str | None
    extras: tuple[str, ...]
    development: tuple[str, ...]


def manifest(facts: Facts, folder: str) -> Manifest:
    """What the manifests of one folder say."""
    at = "" if folder == "." else f"{folder}/"
    pyproject, setup_cfg = facts.toml(f"{at}pyproject.toml"), facts.ini(f"{at}setup.cfg")
    setup_py = facts.text(f"{at}setup.py")
    named, poetry = table(pyproject, "project"), table(pyproject, "tool", "poetry")
    extras = [
        *table(named, "optional-dependencies"),
        *table(poetry, "extras"),
        *_options(setup_cfg, "options.extras_require"),
        *_extras_of_setup(setup_py),
    ]
    return Manifest(
        _name(named, poetry, setup_cfg, setup_py), tuple(extras), tuple(_poetry_development(poetry))
    )


def folders(facts: Facts) -> list[str]:
    """Folders to install: the root, or else the packages that a monorepo holds."""
    found = {
        str(PurePosixPath(path).parent)
        for path in facts.named(*_FILES)
        if path.count("/") <= 2 and _installable(facts, str(PurePosixPath(path).parent))
    }
    if "." in found:
        return [".", *_members(facts, found)]
    outer = [p for p in sorted(found) if not any(p.startswith(f"{other}/") for other in found)]
    return [p for p in outer if _ASIDE.isdisjoint(PurePosixPath(p).parts)][:_MOST_FOLDERS]


def _members(facts: Facts, found: set[str]) -> list[str]:
    """The packages of a workspace, which its root does not install by itself."""
    workspace = table(facts.toml("pyproject.toml"), "tool", "uv", "workspace")
    members, not_these = strings(workspace.get("members")), strings(workspace.get("exclude"))
    return [
        place for place in sorted(found - {"."})
        if any(PurePosixPath(place).match(one) for one in members)
        and not any(PurePosixPath(place).match(one) for one in not_these)
    ][:_MOST_FOLDERS]  # fmt: skip


def _installable(facts: Facts, folder: str) -> bool:
    at = "" if folder == "." else f"{folder}/"
    toml = facts.toml(f"{at}pyproject.toml")
    if facts.text(f"{at}setup.py") or facts.ini(f"{at}setup.cfg").has_section("metadata"):
        return True
    return bool(table(toml, "project") or table(toml, "tool", "poetry"))


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


def _poetry_development(poetry: dict[str, Any]) -> list[str]:
    """Names only: the date decides the versions, and poetry's carets are not pip's language."""
    named = [*table(poetry, "dev-dependencies")]
    for group in table(poetry, "group"):
        named += table(poetry, "group", group, "dependencies")
    return [name for name in named if name.startswith("pytest") or name in ("hypothesis",)]


def for_tests(names: Iterable[str]) -> tuple[str, ...]:
    """The extras or groups that look made for testing, else those for development."""
    names = list(dict.fromkeys(names))
    words = {name: set(re.split(r"[^a-z]+", name.lower())) for name in names}
    exact = [name for name in names if name.lower() in _TEST_NAMES]
    return tuple(
        exact
        or [name for name in names if words[name].intersection((*_TEST_NAMES, "pytest"))]
        or [name for name in names if name.lower() in _DEV_NAMES]
    )


def requirement_files(names: Iterable[str], *, wanted_all: bool) -> tuple[str, ...]:
    """The requirement files that tests need; `wanted_all` = there is nothing else to install."""

    def fits(path: str) -> bool:
        words = requirement_words(path)
        if words & {*_TEST_NAMES, *_DEV_NAMES}:
            return True
        return wanted_all and bool(words) and words <= {"", "requirements", "base"}

    found = sorted(name for name in names if fits(name))
    for_tests = [name for name in found if re.search("test", name)]
    return tuple(found if wanted_all else for_tests or found)


def naming_pytest(facts: Facts) -> tuple[str, ...]:
    """The plainest requirement file that asks for pytest: several may exclude each other."""
    found = [p for p in filter(requirement_words, facts.names) if _PYTEST.search(facts.text(p))]
    return tuple(sorted(found, key=lambda path: (path.count("/"), len(path), path))[:1])


def requirement_words(path: str) -> set[str]:
    """The words in a requirement file's path; none for any other file."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".txt") or folder not in ("", "requirements", "test", "tests"):
        return set()
    words = set(re.split(r"[^a-z]+", f"{folder} {name[:-4]}".lower()))
    return words if words & {"requirements", "require", "reqs"} else set()
