"""What a file is, judged by path components and file name, never by a substring.

One answer for the miner (which splits a change into test part and fix part) and for the
judge (which drops a model's edits to tests), so that the two cannot disagree.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath

_TEST_FOLDERS = frozenset({"test", "tests", "testing", "spec", "specs", "__tests__", "testdata"})
_RUNNER_FILES = frozenset(
    {
        "conftest.py",
        "pytest.ini",
        ".pytest.ini",
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
    folders = {part.lower() for part in pure.parts[:-1]}
    name, suffix = pure.name.lower(), pure.suffix.lower()
    if name in _RUNNER_FILES or suffix == ".pth":
        return Kind.RUNNER
    if _in_tests(folders, path) or _is_test_name(name):
        return Kind.TEST
    if folders & _DOC_FOLDERS or pure.stem.lower() in _DOC_NAMES or suffix in _DOC_SUFFIXES:
        return (
            Kind.SOURCE
            if suffix in _SOURCE_SUFFIXES and not folders & _DOC_FOLDERS
            else (Kind.DOCUMENTATION)
        )
    return Kind.SOURCE if suffix in _SOURCE_SUFFIXES else Kind.OTHER


def is_protected(path: str) -> bool:
    """True for files that a model's patch must not decide: tests and what steers their run."""
    return kind_of(path) in (Kind.TEST, Kind.RUNNER)


def _in_tests(folders: set[str], path: str) -> bool:
    # `docs/testing/…` describes tests and `src/x/testing/…` ships helpers to users.
    strong = folders & (_TEST_FOLDERS - {"testing"})
    return bool(strong and not folders & _DOC_FOLDERS) or path.startswith("testing/")


def _is_test_name(name: str) -> bool:
    return name.endswith((".py",)) and (
        name.startswith("test_") or name.endswith("_test.py") or name in {"tests.py", "test.py"}
    )
