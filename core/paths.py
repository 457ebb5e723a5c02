"""What a file is, judged by path components and file name, never by a substring.

One answer for the miner (which splits a change into test part and fix part) and for the
judge (which drops a model's edits to tests), so that the two cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict

from core.languages import language_of
from core.paths_tests import in_tests, is_runner_name, is_test_name, source_set

_DOC_FOLDERS = frozenset(
    {"doc", "docs", "documentation", "changelog.d", "changes", "newsfragments"}
)
_DOC_SUFFIXES = frozenset({".md", ".mdx", ".rst", ".txt", ".adoc"})
_DOC_NAMES = frozenset(
    {"license", "licence", "authors", "changes", "changelog", "readme", "contributing", "notice"}
)
# Named like prose, and yet what an install or a build is steered by.
_NO_PROSE = re.compile(r"(?:[\w.-]*requirements[\w.-]*|[\w.-]*constraints[\w.-]*|cmakelists)\.txt")
_ANY_FOLDERS = "**"


class Kind(StrEnum):
    """What part a file plays in a change."""

    TEST = "test"
    RUNNER = "runner"
    """Configures or hooks into the test run: neither fix nor test, but never the model's."""
    DOCUMENTATION = "documentation"
    SOURCE = "source"
    OTHER = "other"


class PathRules(BaseModel):
    """A project's corrections, as globs over whole paths. What is named here decides alone.

    `*`, `?` and `[abc]` stand for characters of one name, `**` for any number of folders; a
    `/` at the end for all that is below. Capitals count. Where both match, it is a test.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tests: tuple[str, ...] = ()
    source: tuple[str, ...] = ()


NO_RULES = PathRules()


@lru_cache(maxsize=1 << 15)
def kind_of(path: str, rules: PathRules = NO_RULES) -> Kind:
    """Classify one path of a repository, given with forward slashes."""
    named = named_by(rules, path)
    if named is not None:
        return named
    pure = PurePosixPath(path)
    name, suffix = pure.name.lower(), pure.suffix.lower()
    folders = [part.lower() for part in pure.parts[:-1]]
    if is_runner_name(name):
        return Kind.RUNNER
    in_docs = bool(folders) and folders[0] in _DOC_FOLDERS
    if _is_test(pure, in_docs=in_docs):
        return Kind.TEST
    if language_of(name) is not None and not in_docs:
        # Also below `src/x/docs/`: a package may well be about documentation.
        return Kind.SOURCE
    if not _DOC_FOLDERS.isdisjoint(folders):
        return Kind.DOCUMENTATION
    if "requirements" in folders or _NO_PROSE.fullmatch(name):
        return Kind.OTHER
    prose = pure.stem.lower() in _DOC_NAMES or suffix in _DOC_SUFFIXES
    return Kind.DOCUMENTATION if prose else Kind.OTHER


def is_protected(path: str, rules: PathRules = NO_RULES) -> bool:
    """True for files that a model's patch must not decide: tests and what steers their run."""
    return kind_of(path, rules) in (Kind.TEST, Kind.RUNNER)


def named_by(rules: PathRules, path: str) -> Kind | None:
    """What a project's own rules say a file is; None where they do not name it."""
    for kind, globs in ((Kind.TEST, rules.tests), (Kind.SOURCE, rules.source)):
        if any(matches(path, glob) for glob in globs):
            return kind
    return None


def _is_test(pure: PurePosixPath, *, in_docs: bool) -> bool:
    folders = pure.parts[:-1]
    set_ = source_set(folders)
    if set_ is not None:
        # What is shipped to users may well be called a test, or stand in a package `test`.
        return set_
    return is_test_name(pure.name) or (not in_docs and in_tests(folders, pure.name))


def matches(path: str, glob: str) -> bool:
    """Whether a glob stands for a path, component by component; see PathRules.

    Goes back to the last `**` only, so time is bounded by the product of their lengths.
    """
    wanted = (glob + _ANY_FOLDERS if glob.endswith("/") else glob).split("/")
    parts: Sequence[str] = path.split("/")
    at = place = 0
    last_any, tried = -1, 0
    while at < len(parts):
        if place < len(wanted) and wanted[place] == _ANY_FOLDERS:
            last_any, tried = place, at
            place += 1
        elif place < len(wanted) and fnmatchcase(parts[at], wanted[place]):
            at, place = at + 1, place + 1
        elif last_any >= 0:
            tried += 1
            at, place = tried, last_any + 1
        else:
            return False
    return all(part == _ANY_FOLDERS for part in wanted[place:])
