"""From a commit's files to the ways of building it: ecosystem, versions, words."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.ci import Workflow, workflow
from sandbox.ecosystems import ECOSYSTEMS, recipes
from sandbox.ecosystems.python import project
from sandbox.ecosystems.python_pins import pins
from sandbox.ecosystems.python_tools import Told, told_by_ci, told_by_tools
from sandbox.ecosystems.python_version import versions
from sandbox.facts import Facts
from sandbox.interpreters import find_python, pack_python
from sandbox.readers import READERS
from sandbox.recipe import EnvironmentSettings, Recipe

PROJECT = '[project]\nname = "calc"\nversion = "1"\n'


def facts(files: Mapping[str, str], day: str = "2024-02-07", **settings: object) -> Facts:
    return Facts(
        frozenset(files),
        files.get,
        datetime.fromisoformat(day).replace(tzinfo=UTC),
        EnvironmentSettings(**settings),  # type: ignore[arg-type]
        "1.2",
    )


def best(files: Mapping[str, str], **settings: object) -> Recipe:
    return recipes(facts(files, "2024-02-07", **settings))[0]


# -- which ecosystem -------------------------------------------------------------------------

PACKAGE = '{"scripts": {"test": "jest"}}'


@pytest.mark.parametrize(
    ("files", "toolchain"),
    [
        ({"a.py": ""}, "python 3.11"),
        ({"package.json": PACKAGE, "a.js": ""}, "node 20"),
        ({"package.json": PACKAGE, "a.js": "", "a.py": "", "b.py": ""}, "python 3.11"),
        ({"package.json": PACKAGE, "a.ts": "", "b.ts": "", "tool.py": ""}, "node 20"),
        ({"go.mod": "module x\n\ngo 1.21\n", "a.go": ""}, "go 1.21"),
        ({"Cargo.toml": "[package]", "src/lib.rs": "", "rust-toolchain": "1.70.0"}, "rust 1.70"),
        ({"pom.xml": "<java.version>11</java.version>", "A.java": ""}, "java 11"),
        ({"build.gradle.kts": "", "A.kt": ""}, "java 17"),
        ({"spec/a_spec.rb": "", "lib/a.rb": ""}, "ruby 3"),
        ({"composer.json": "{}", "a.php": ""}, "php 8"),
        ({"CMakeLists.txt": "", "a.c": ""}, "cmake"),
        ({"README.md": ""}, "debian"),
    ],
)
def test_the_ecosystem_with_the_most_files_is_taken(files: dict[str, str], toolchain: str) -> None:
    assert best(files).toolchain.name == toolchain


def test_the_settings_name_another() -> None:
    files = {"package.json": PACKAGE, "a.js": "", "a.py": "", "b.py": ""}
    found = recipes(facts(files, ecosystem="node", version="22"))
    assert {recipe.toolchain.name for recipe in found} == {"node 22"}


def test_every_ecosystem_is_as_the_guide_says() -> None:
    for one in ECOSYSTEMS:
        assert one.NAME
        assert all(suffix.startswith(".") for suffix in one.SUFFIXES)


def test_settings_are_laid_over_what_was_detected() -> None:
    found = best(
        {"a.py": ""},
        test=("make check",),
        results="out/*.xml",
        apt=("libxml2-dev",),
        setup=("make data",),
        services=("redis-server",),
        variables={"MODE": "a b"},
        workdir="sub",
    )
    assert (found.found_in, found.results, found.apt) == (
        "patchmark.toml",
        "junit",
        ("libxml2-dev",),
    )
    assert "make data" in found.install_script()
    assert "apt_install libxml2-dev" in found.dependencies_script()
    test = found.test_script()
    assert test.index("export MODE='a b'") < test.index("cd /repo/sub") < test.index("redis-server")
    assert test.index("redis-server") < test.index("make check")


@pytest.mark.parametrize(
    ("results", "commands", "report", "code"),
    [
        ("out.xml", ("echo '<a/>' > out.xml", "exit 3"), "<a/>\n", 3),
        ("*.xml", ("echo 1 > a.xml; echo 2 > b.xml",), "1\n2\n", 0),
        ("out.xml", ("true",), "", 0),
        ("a.tap", ("echo ok > a.tap",), "ok\n", 0),
        ("tap", ("echo 1..1; echo ok 1",), "1..1\nok 1\n", 0),
        ("tap", ("false", "echo never"), "", 1),
        ("exit-code", ("true", "exit 2"), "1..2\nok 1 - true\nnot ok 2 - exit 2\n", 1),
    ],
)
def test_a_command_of_ones_own(
    results: str, commands: tuple[str, ...], report: str, code: int, tmp_path: Path
) -> None:
    """A report that lay there before is no report of this run."""
    (tmp_path / "out.xml").write_text("old")
    found = best({"a.py": ""}, test=commands, results=results)
    assert found.results in READERS
    out = tmp_path / "results"
    done = subprocess.run(
        ["sh", "-c", found.test], cwd=tmp_path, env={"PATCHMARK_RESULTS": str(out)}, check=False
    )
    assert (out.read_text(), done.returncode) == (report, code)


# -- what CI says ----------------------------------------------------------------------------

CI = """
on: push
env: {MODE: fast, TOKEN: x, PIP_INDEX_URL: y}
jobs:
  lint:
    runs-on: ubuntu-latest
    steps: [{run: ruff check}]
  test:
    strategy:
      matrix:
        python-version: ["3.8", 3.9, 3.10, pypy3.9]
        include: [{python-version: 3.12-dev}]
    env: {LEVEL: 3, REF: "${{ github.ref }}"}
    steps:
      - uses: actions/setup-python@v5
        with: {python-version: "${{ matrix.python-version }}"}
      - run: |
          sudo apt-get update && sudo apt-get install -y libxml2-dev \\
            libxslt1-dev
          python -m pip install -r requirements/ci.txt "mock>=3" .[test] tox $EXTRA
          uv sync --group testing --extra fast
      - run: pytest --cov
"""


def test_the_job_that_runs_the_tests_is_read() -> None:
    found = workflow(facts({".github/workflows/x.yml": CI, ".github/workflows/a.yml": "jobs: {}"}))
    assert found.path == ".github/workflows/x.yml"
    assert found.versions["python"] == ("3.8", "3.9", "3.10", "3.12")
    assert found.apt == ("libxml2-dev", "libxslt1-dev")
    assert found.environment == {"MODE": "fast", "LEVEL": "3"}
    assert told_by_ci(found) == Told(
        ("mock>=3",), ("requirements/ci.txt",), ("test", "fast"), ("testing",)
    )


def test_travis_is_read_where_there_is_nothing_newer() -> None:
    text = "python:\n  - 3.6\n  - '3.7'\ninstall: pip install mock\nscript:\n  - pytest\n"
    found = workflow(facts({".travis.yml": text}))
    assert (found.path, found.versions) == (".travis.yml", {"python": ("3.6", "3.7")})
    assert told_by_ci(found).packages == ("mock",)


@pytest.mark.parametrize(
    "text", ["", "[", "jobs: 3", "jobs: {a: 1}", "jobs: {a: {steps: 3}}", "a: &x [*x]", "- 1"]
)
def test_a_broken_workflow_says_nothing(text: str) -> None:
    assert workflow(facts({".github/workflows/ci.yml": text})) == Workflow()


def test_a_recipe_of_ci_comes_before_that_of_the_files() -> None:
    files = {".github/workflows/x.yml": CI, "setup.py": "setup(name='calc')", "calc.py": ""}
    first, second, *_ = recipes(facts(files))
    assert (first.found_in, second.found_in) == (".github/workflows/x.yml", "files")
    assert (first.apt, second.apt) == (("libxml2-dev", "libxslt1-dev"), ())
    assert "'mock>=3'" in first.dependencies
    assert "mock" not in second.dependencies


# -- which Python ----------------------------------------------------------------------------

CLASSIFIERS = "".join(f'"Programming Language :: Python :: 3.{minor}",\n' for minor in (6, 7, 8))


@pytest.mark.parametrize(
    ("files", "day", "python"),
    [
        ({}, "2024-02-07", "3.11"),
        ({}, "2022-02-07", "3.10"),
        ({}, "2020-10-20", "3.8"),
        ({}, "2012-01-01", "2.7"),
        ({"setup.py": CLASSIFIERS}, "2021-06-01", "3.8"),
        ({"setup.py": CLASSIFIERS}, "2018-03-01", "3.6"),
        ({"setup.py": CLASSIFIERS + "python_requires='>=3.7,<3.8'"}, "2024-01-01", "3.7"),
        ({"tox.ini": "[tox]\nenvlist = py{36,37},docs\n"}, "2020-01-01", "3.7"),
        ({"tox.ini": "[tox]\nenvlist =\n    py39\n    py310\n"}, "2022-06-01", "3.10"),
        ({".python-version": "3.9.1\n", "setup.py": CLASSIFIERS}, "2022-01-01", "3.9"),
        ({".python-version": "three\n"}, "2024-02-07", "3.11"),
    ],
)
def test_the_python_of_the_day(files: dict[str, str], day: str, python: str) -> None:
    assert versions(facts(files, day), Workflow())[0] == python


def test_what_fails_is_tried_on_an_older_python() -> None:
    told = Workflow(path="ci", versions={"python": ("3.9", "3.10", "3.11", "3.12")})
    assert versions(facts({}), told) == ["3.11", "3.10"]


# -- what Python needs -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "uv.lock",
            '[[package]]\nname = "A.b"\nversion = "1"\n[[package]]\nname = "calc"\nversion = "0"\n'
            'source = { editable = "." }\n[[package]]\nname = "two"\nversion = "1"\n'
            '[[package]]\nname = "two"\nversion = "2"\n',
        ),
        ("poetry.lock", '[[package]]\nname = "a-b"\nversion = "1"\n'),
        ("pdm.lock", '[[package]]\nname = "a_b"\nversion = "1"\n'),
        ("Pipfile.lock", '{"default": {"a-b": {"version": "==1"}, "x": {"git": "y"}}}'),
    ],
)
def test_lock_files_pin(name: str, text: str) -> None:
    assert pins(facts({name: text})) == ("a-b==1",)
    script = project(facts({name: text, "pyproject.toml": PROJECT}), "3.11").dependencies_script()
    assert "a-b==1" in script
    assert script.index("-c /tmp/patchmark-pins.txt") < script.index("as='as of ")


@pytest.mark.parametrize("text", ["", "package = 3", "[[package]]\nname = 1", "= ="])
def test_broken_locks_pin_nothing(text: str) -> None:
    assert pins(facts({"uv.lock": text})) == ()


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {
                "tox.ini": "[testenv]\ndeps =\n  mock\n  py38: old\n  -r req.txt\n  {env:X}\n"
                "extras = t\n"
            },
            Told(("mock",), ("req.txt",), ("t",)),
        ),
        (
            {
                "noxfile.py": "@nox.session\ndef lint(session):\n    session.install('black')\n"
                "@nox.session\ndef tests(session):\n    session.install('.[t]', 'mock', 'pip')\n"
            },
            Told(("mock",), (), ("t",)),
        ),
        (
            {
                "pyproject.toml": '[tool.hatch.envs.test]\ndependencies = ["mock"]\n'
                'features = ["t"]\n'
            },
            Told(("mock",), (), ("t",)),
        ),
        (
            {"pyproject.toml": '[tool.pdm.dev-dependencies]\ntest = ["mock"]\nlint = ["black"]\n'},
            Told(("mock",)),
        ),
        ({"Pipfile": '[packages]\nmock = "*"\nsix = ">=1"\n'}, Told(("mock", "six>=1"))),
        (
            {"Pipfile": "[packages]\na = {version = '>=1', extras = ['x']}\nb = {path = '.'}\n"},
            Told(("a[x]>=1",)),
        ),
        (
            {"tox.toml": "[env_run_base]\ndeps = ['mock', '-r req.txt']\nextras = ['t']\n"},
            Told(("mock",), ("req.txt",), ("t",)),
        ),
        (
            {"pyproject.toml": "[tool.tox]\nlegacy_tox_ini = '''\n[testenv]\ndeps = mock\n'''"},
            Told(("mock",)),
        ),
        (
            {
                "pyproject.toml": "[tool.poetry.dev-dependencies]\nmock = '^1'\nblack = '*'\n"
                "b = {path = '../b'}\n[tool.poetry.group.tests.dependencies]\nsix = '^1'\n"
                "[tool.poetry.group.docs.dependencies]\nmkdocs = '*'\n"
            },
            Told(("mock", "six")),
        ),
        ({"tox.ini": "[testenv\n", "pyproject.toml": "[tool]\ntox = 3\n"}, Told()),
    ],
)
def test_tools_say_what_tests_need(files: dict[str, str], told: Told) -> None:
    assert told_by_tools(facts(files)) == told


def test_a_monorepo_installs_its_packages() -> None:
    manifest = {"a/pyproject.toml": PROJECT, "libs/b/setup.py": "setup(name='b')"}
    aside = {"docs/setup.py": "setup()", "libs/b/inner/setup.py": "setup()"}
    found = project(facts({**manifest, **aside}), "3.11")
    assert (found.projects, found.names) == (("a", "libs/b"), ("calc", "b"))
    assert "./a ./libs/b" in found.dependencies_script()
    assert "-e ./a -e ./libs/b" in found.source_script()


def test_a_workspace_installs_its_members() -> None:
    """Bug: a root that can be installed hid the packages in folders that its tests import."""
    files = {
        "pyproject.toml": PROJECT + "[tool.uv.workspace]\nmembers = ['libs/*']\n"
        "exclude = ['libs/old']\n",
        "libs/b/pyproject.toml": PROJECT.replace("calc", "b")
        + "[dependency-groups]\ntest = [{include-group = 'x'}]\nx = ['six']\n",
        "libs/old/pyproject.toml": PROJECT,
        "other/pyproject.toml": PROJECT,
    }
    found = project(facts(files), "3.11")
    assert found.projects == (".", "libs/b")
    assert "--group libs/b/pyproject.toml:test" in found.dependencies_script()


def test_extensions_are_compiled_again_before_each_run() -> None:
    files = {"setup.py": "setup(name='c', ext_modules=[Extension('c', ['c.c'])])"}
    found = project(facts(files), "3.11")
    assert found.build_requires == ("setuptools", "wheel")
    assert "build_ext --inplace" in found.test_script()


def test_what_compiles_on_import_keeps_its_tools() -> None:
    """Bug: meson's editable install looked for the ninja of a build folder that was gone."""
    text = PROJECT + "[build-system]\nrequires = ['meson-python']\nbuild-backend = 'mesonpy'\n"
    found = project(facts({"pyproject.toml": text}), "3.11")
    assert found.build_requires == ("meson", "ninja", "meson-python")
    assert "--no-build-isolation -e ." in found.source_script()


def test_extensions_in_rust_get_a_compiler() -> None:
    files = {"a.py": "", "pyproject.toml": PROJECT + "[build-system]\nrequires = ['maturin>=1']\n"}
    assert best(files).apt == ("cargo",)


def test_suites_that_unittest_finds() -> None:
    odd = project(facts({"calc/tests.py": "", "calc/testing_it.py": ""}), "3.11")
    assert "python_files=test*.py" in odd.test_script()
    usual = project(facts({"calc/tests.py": "", "tests/test_calc.py": ""}), "3.11")
    assert "python_files" not in usual.test_script()


# -- interpreters of this machine --------------------------------------------------------------


def test_an_interpreter_is_found_and_packed(tmp_path: Path) -> None:
    for place in ("versions/3.8.2", "versions/3.8.18", "cache/3.8.9/x64", "versions/3.80.1"):
        home = tmp_path / place
        for path in ("bin/python3.8", "lib/python3.8/os.py", "lib/python3.8/site-packages/x.py"):
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text("x")
    folders = (tmp_path / "versions", tmp_path / "cache", tmp_path / "none")
    found = find_python("3.8", folders)
    assert found == tmp_path / "versions/3.8.18"
    assert find_python("3.9", folders) is None
    packed = pack_python(found)
    assert b"lib/python3.8/os.py" in packed
    assert b"site-packages" not in packed
