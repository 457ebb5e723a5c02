"""What a model's patch may not decide: its edits to tests, and to what steers or reaches them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath

from core.diff import split
from core.git import touched_paths
from core.paths import NO_RULES, PathRules, is_protected, named_by
from core.types import Task

Protects = Callable[[str, bool], bool]
"""(path, whether the patch makes it) → whether that edit is left out."""

# Found by the interpreter or runner without being asked for, and by nobody's mistake.
_NEVER = re.compile(
    r"(^|/)(__pycache__|node_modules|[^/]+\.(egg|dist)-info|\.venv|venv|\.cargo|\.mvn|"
    r"(site|user)customize)/|\.(pyc|pyo|pth|egg-link)$"
)
# Part of how tests are built or started, and yet of the product too: the real fix decides.
_BUILD = re.compile(
    r"(^|/)(build\.rs|makefile|gnumakefile|[^/]+\.mk|babel\.config\.\w+|\.babelrc(\.\w+)?|"
    r"\.swcrc|vite\.config\.\w+|rakefile|\.rspec|pom\.xml|go\.(mod|work)|"
    r"(build|settings)\.gradle(\.kts)?|gradle\.properties|gradlew|mvnw|rust-toolchain(\.toml)?|"
    r"\.npmrc|\.yarnrc(\.yml)?|\.node-version|\.nvmrc|\.envrc|\.env)$",
    re.IGNORECASE,
)
_RUNNERS = frozenset(
    {
        *("pytest", "_pytest", "pluggy", "iniconfig", "py", "nose", "xdist", "hypothesis"),
        *("sitecustomize", "usercustomize", "patchmark_results", "patchmark_guard", "pytest_cov"),
        *("mock", "attr", "exceptiongroup", "tomli", "packaging", "coverage"),
    }
)
_ROOTS = frozenset({"", "src", "lib", "python"})
"""Folders that a test run puts on Python's path."""


class SteersTestsError(Exception):
    """A diff touches protected files in a form that cannot be taken apart."""


def protects(task: Task) -> Protects:
    """What is protected in a task: the real fix tells what a fix may touch beyond the source."""
    return partial(_protects, rules=task.path_rules, fixed=frozenset(touched(task.gold_patch)))


def touched(diff: str) -> tuple[str, ...]:
    """All paths of a diff, old and new ones."""
    return tuple(sorted({path for section in split(diff) for path in section.paths}))


def _protects(path: str, made: bool, *, rules: PathRules, fixed: frozenset[str]) -> bool:
    if _NEVER.search(path) or is_protected(path, rules):
        return True
    if path in fixed or named_by(rules, path) is not None:
        return False
    return _BUILD.search(path) is not None or (made and shadows(path))


def shadows(path: str) -> bool:
    """Whether a new file takes the name of a module of Python's own or of the test runner."""
    pure = PurePosixPath(path)
    folder, name = str(pure.parent), pure.stem
    if pure.suffix not in (".py", ".so", ".pyi"):
        return False
    if name == "__init__":
        folder, name = str(pure.parent.parent), pure.parent.name
    at = "" if folder == "." else folder
    return at in _ROOTS and (name in sys.stdlib_module_names or name in _RUNNERS)


_ANYWHERE: Protects = partial(_protects, rules=NO_RULES, fixed=frozenset())


def without_protected(diff: str, protects: Protects = _ANYWHERE) -> tuple[str, tuple[str, ...]]:
    """The diff without its edits to what is protected, and the paths of those edits."""
    sections = split(diff)
    # Text without any section goes to git as it is: no edit at all is no passing edit.
    kept, dropped = [] if sections else [diff], []
    made: set[str] = set()
    for section in sections:
        is_made = "\nnew file mode" in section.text or "\n--- /dev/null" in f"\n{section.text}"
        is_made = is_made or "\nrename to" in section.text or "\ncopy to" in section.text
        made |= section.paths if is_made else set()
        steers = [path for path in section.paths if protects(path, is_made)]
        if steers:
            dropped += steers
        else:
            kept.append(section.text)
    text = "".join(kept)
    # git is the one that will apply it: what git reads in it decides, not our reading.
    hidden = [path for path in touched_paths(text) if protects(path, path in made)]
    if hidden:
        raise SteersTestsError(", ".join(hidden))
    # A name that is no UTF-8 is told with question marks: a verdict must be writable.
    return text, tuple(sorted(p.encode("utf-8", "replace").decode() for p in dropped))
