"""What a file is, judged by path components and file name, never by a substring.

One answer for the miner (which splits a change into test part and fix part) and for the
judge (which drops a model's edits to tests), so that the two cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePosixPath

_TEST_FOLDERS = frozenset(
    {
        "test",
        "tests",
        "__tests__",
        "testdata",
        "test_data",
        "test-data",
        "unit_tests",
        "unittests",
        "integration_tests",
        "functional_tests",
    }
)
# Only at the root: `src/x/testing/` ships helpers to users, `src/x/spec/` is about some standard.
_ROOT_TEST_FOLDERS = frozenset({"testing", "spec", "specs"})
_RUNNER_FILES = frozenset(
    {
        "conftest.py",
        "pytest.ini",
        ".pytest.ini",
        "pytest.toml",
        ".pytest.toml",
        "tox.ini",
        "noxfile.py",
        "setup.cfg",
        "sitecustomize.py",
        "usercustomize.py",
        ".coveragerc",
    }
)
_DOC_FOLDERS = frozenset(
    {"doc", "docs", "documentation", "changelog.d", "changes", "newsfragments"}
)
_DOC_SUFFIXES = frozenset({".md", ".rst", ".txt", ".adoc"})
_DOC_NAMES = frozenset(
    {"license", "licence", "authors", "changes", "changelog", "readme", "contributing", "notice"}
)
# Named like prose, and yet what an install or a build is steered by.
_NO_PROSE = re.compile(r"(?:[\w.-]*requirements[\w.-]*|[\w.-]*constraints[\w.-]*|cmakelists)\.txt")
_SOURCE_SUFFIXES = frozenset({".py", ".pyi", ".pyx", ".pxd", ".c", ".h", ".cpp", ".hpp", ".rs"})


class Kind(StrEnum):
    """What part a file plays in a change."""

    TEST = "test"
    RUNNER = "runner"
    """Configures or hooks into the test run: neither fix nor test, but never the model's."""
    DOCUMENTATION = "documentation"
    SOURCE = "source"
    OTHER = "other"


def kind_of(path: str) -> Kind:
    """Classify one path of a repository, given with forward slashes."""
    pure = PurePosixPath(path)
    folders = [part.lower() for part in pure.parts[:-1]]
    name, suffix = pure.name.lower(), pure.suffix.lower()
    if name in _RUNNER_FILES or suffix == ".pth":
        return Kind.RUNNER
    in_docs = bool(folders) and folders[0] in _DOC_FOLDERS
    if _is_test_name(name) or (_in_tests(folders) and not in_docs):
        return Kind.TEST
    if suffix in _SOURCE_SUFFIXES and not in_docs:
        # Also below `src/x/docs/`: a package may well be about documentation.
        return Kind.SOURCE
    if not _DOC_FOLDERS.isdisjoint(folders):
        return Kind.DOCUMENTATION
    if "requirements" in folders or _NO_PROSE.fullmatch(name):
        return Kind.OTHER
    prose = pure.stem.lower() in _DOC_NAMES or suffix in _DOC_SUFFIXES
    return Kind.DOCUMENTATION if prose else Kind.OTHER


def is_protected(path: str) -> bool:
    """True for files that a model's patch must not decide: tests and what steers their run."""
    return kind_of(path) in (Kind.TEST, Kind.RUNNER)


def _in_tests(folders: Sequence[str]) -> bool:
    at_root = bool(folders) and folders[0] in _ROOT_TEST_FOLDERS
    return at_root or not _TEST_FOLDERS.isdisjoint(folders)


def _is_test_name(name: str) -> bool:
    return name.endswith((".py",)) and (
        name.startswith("test_") or name.endswith("_test.py") or name in {"tests.py", "test.py"}
    )
