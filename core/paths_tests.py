"""What tells a test file and a runner file, language by language. `core.paths` decides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from core.languages import language_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KINDS_OF_TESTS = ("unit", "integration", "functional", "acceptance", "e2e")
_TEST_FOLDERS = frozenset(
    {
        "test",
        "tests",
        "testsuite",
        "unittests",
        "__tests__",
        "__mocks__",
        "__fixtures__",
        "__snapshots__",
        "__image_snapshots__",
        "cassettes",
        "vcr_cassettes",
        *(f"test{mark}{what}" for mark in ("", "_", "-") for what in ("data", "fixtures")),
        *(f"{what}{mark}tests" for mark in "_-" for what in _KINDS_OF_TESTS),
    }
)
# Only at the root: `src/x/testing/` ships helpers to users, `src/x/spec/` is about some standard.
_ROOT_TEST_FOLDERS = frozenset(
    {"testing", "spec", "specs", "e2e", "cypress", "fixtures", "golden", "goldens"}
)
# Elsewhere code in such a folder is a program's own part, everything else in it is for tests.
_DATA_FOLDERS = frozenset({"fixtures", "golden", "goldens"})
_PROJECT_ENDINGS = (".tests", ".test", ".unittests", ".integrationtests")
_DATA_SUFFIXES = frozenset({".snap", ".ambr", ".golden", ".phpt"})
_DATA_MARKS = frozenset({"golden", "approved"})

_SCRIPT = r"(?:[cm]?[jt]sx?|vue|svelte)"
_SCRIPT_NAME = re.compile(
    rf"(?:.*(?:[._-](?:test|spec)|\.(?:tests|test-d|e2e|e2e-spec|cy))|tests?)\.{_SCRIPT}",
    re.DOTALL | re.IGNORECASE,
)
_C_NAME = re.compile(r"(?:test[_-][^.]*|[^.]*[_-](?:unit)?tests?)\.\w+", re.IGNORECASE)
# In capitals, or else a `Latest.java` would be one.
_CAMEL = r"Test[A-Z0-9]\w*|\w*(?:Test|Tests|TestCase|(?<=[a-z0-9])IT)"
_TEST_NAMES = {
    "python": re.compile(r"(?:test_.*|.*_test|tests?)\.py", re.DOTALL | re.IGNORECASE),
    **dict.fromkeys(("javascript", "typescript", "vue", "svelte"), _SCRIPT_NAME),
    "go": re.compile(r".*_test\.go", re.DOTALL),
    "rust": re.compile(r"(?:.*_)?tests?\.rs", re.DOTALL),
    "java": re.compile(rf"(?:{_CAMEL})\.java"),
    "kotlin": re.compile(rf"(?:{_CAMEL}|\w*Spec)\.kts?"),
    "groovy": re.compile(rf"(?:{_CAMEL}|\w*Spec)\.groovy"),
    "scala": re.compile(rf"(?:{_CAMEL}|\w*(?:Spec|Suite))\.scala"),
    "ruby": re.compile(r".*_(?:spec|test)\.rb", re.DOTALL),
    "php": re.compile(r"\w*Test\.php"),
    "c": _C_NAME,
    "cpp": _C_NAME,
    "objective-c": re.compile(r"\w*Tests?\.mm?"),
    "csharp": re.compile(r"\w*Tests?\.cs"),
    "swift": re.compile(r"\w*Tests?\.swift"),
    "dart": re.compile(r".*_test\.dart", re.DOTALL),
    "elixir": re.compile(r".*_test\.exs", re.DOTALL),
    "lua": re.compile(r".*_spec\.lua", re.DOTALL),
}
_JVM_FOLDERS = frozenset({"java", "kotlin", "scala", "groovy", "resources"})
_JVM_MAIN = re.compile(r"main|\w+Main")
_JVM_TEST = re.compile(r"test(?:[A-Z]\w*)?|\w+Test|it")

_RUNNER_FILES = _words(
    """
    conftest.py pytest.ini .pytest.ini pytest.toml .pytest.toml tox.ini noxfile.py setup.cfg
    sitecustomize.py usercustomize.py .coveragerc
    mocha.opts .taprc jasmine.json cypress.json testem.js testem.cjs .testcaferc.json
    phpunit.xml phpunit.xml.dist phpunit.dist.xml phpspec.yml behat.yml codeception.yml
    .rspec spec_helper.rb rails_helper.rb test_helper.rb .simplecov
    nextest.toml tarpaulin.toml .tarpaulin.toml
    ctestconfig.cmake ctestcustom.cmake ctestcustom.cmake.in
    junit-platform.properties testng.xml xunit.runner.json
    """
)
_RUNNER_STEMS = frozenset({".mocharc", ".nycrc", ".c8rc", "setuptests", "setup-tests"})
_SCRIPT_RUNNERS = _words(
    "jest vitest mocha ava karma playwright cypress jasmine nyc wdio protractor nightwatch"
)
_RUNNER_ROLES = frozenset({"config", "conf", "setup", "workspace"})
_SCRIPT_SUFFIXES = _words(".js .cjs .mjs .jsx .ts .cts .mts .tsx .json .yml .yaml")


def is_runner_name(name: str) -> bool:
    """Whether a file of this name configures or hooks into a test run. For names in lower case."""
    suffix = PurePosixPath(name).suffix
    if name in _RUNNER_FILES or suffix in {".pth", ".runsettings"}:
        return True
    start, *more = name.lstrip(".").split(".")
    stem = f".{start}" if name.startswith(".") else start
    if stem in _RUNNER_STEMS and (not more or suffix in _SCRIPT_SUFFIXES):
        return True
    words = start.split("-")
    roles = {*words[1:], *more[:-1]}
    return (
        words[0] in _SCRIPT_RUNNERS
        and suffix in _SCRIPT_SUFFIXES
        and not _RUNNER_ROLES.isdisjoint(roles)
    )


def is_test_name(name: str) -> bool:
    """Whether a file is a test, or what a test compares with, by its own name."""
    pattern = _TEST_NAMES.get(language_of(name) or "")
    if pattern is not None and pattern.fullmatch(name):
        return True
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    return suffixes[-1:] != [] and (
        suffixes[-1] in _DATA_SUFFIXES
        or not _DATA_MARKS.isdisjoint(suffix[1:] for suffix in suffixes[:-1])
    )


def in_tests(folders: Sequence[str], name: str) -> bool:
    """Whether one of the folders on the way from the root to a file holds tests."""
    language = language_of(name)
    lower = [folder.lower() for folder in folders]
    if lower and lower[0] in _ROOT_TEST_FOLDERS:
        return True
    if language == "ruby":
        # What a gem ships for tests of others stands below `lib`: `lib/rack/test/utils.rb`.
        lower = lower[: _index(lower, "lib")]
        if "spec" in lower and "app" not in lower[: lower.index("spec")]:
            return True
    if not _TEST_FOLDERS.isdisjoint(lower):
        return True
    if language is None and not _DATA_FOLDERS.isdisjoint(lower):
        return True
    return any(folder.endswith((*_PROJECT_ENDINGS, "-snapshots")) for folder in lower)


def source_set(folders: Sequence[str]) -> bool | None:
    """Of a Maven or Gradle layout: True for `src/test/java`, False for `src/main/java`."""
    for place in range(len(folders) - 2):
        if folders[place] == "src" and folders[place + 2] in _JVM_FOLDERS:
            if _JVM_TEST.fullmatch(folders[place + 1]):
                return True
            if _JVM_MAIN.fullmatch(folders[place + 1]):
                return False
    return None


def _index(folders: Sequence[str], name: str) -> int:
    return folders.index(name) if name in folders else len(folders)
