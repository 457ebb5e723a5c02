"""From a repository's files to its recipe: a table over the ways projects are written."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.ci import Workflow
from sandbox.ecosystems.python import inputs, project
from sandbox.ecosystems.python_build import PythonProject
from sandbox.ecosystems.python_version import versions
from sandbox.facts import Facts
from sandbox.recipe import EnvironmentSettings

PROJECT = '[project]\nname = "calc"\nversion = "1"\n'
SETUP = "from setuptools import setup\nsetup(\n    name='calc',\n"
POETRY = '[tool.poetry]\nname = "calc"\n'


def facts(files: Mapping[str, str], **settings: object) -> Facts:
    return Facts(
        frozenset(files),
        files.get,
        datetime(2024, 2, 7, tzinfo=UTC),
        EnvironmentSettings(**settings),  # type: ignore[arg-type]
        "1.2",
    )


def recipe(files: Mapping[str, str], **settings: object) -> PythonProject:
    found = facts(files, **settings)
    return project(found, versions(found, Workflow())[0])


def pyproject(text: str) -> dict[str, str]:
    return {"pyproject.toml": text}


@pytest.mark.parametrize(
    ("files", "extras"),
    [
        (pyproject(PROJECT), ()),
        (pyproject(PROJECT + "[project.optional-dependencies]\ntest = []\ndev = []"), ("test",)),
        (pyproject(PROJECT + "[project.optional-dependencies]\ndev = []\ndocs = []"), ("dev",)),
        (pyproject(PROJECT + "[project.optional-dependencies]\nTesting = []"), ("Testing",)),
        (pyproject(POETRY + "[tool.poetry.extras]\ntests = ['pytest']"), ("tests",)),
        ({"setup.py": SETUP + "    extras_require={'tests': ['pytest'], 'x': []},\n)"}, ("tests",)),
        (
            {"setup.py": SETUP + "    extras_require={\n        'dev': ['a', 'b'],\n    },\n)"},
            ("dev",),
        ),
        ({"setup.cfg": "[metadata]\nname = calc\n[options.extras_require]\ntest = x\n"}, ("test",)),
    ],
)
def test_extras_for_tests_come_before_those_for_development(
    files: dict[str, str], extras: tuple[str, ...]
) -> None:
    found = recipe(files)
    assert (found.extras, found.installable, found.names) == (extras, True, ("calc",))


@pytest.mark.parametrize(
    ("groups", "chosen"),
    [
        ("test = []\ntest-mypy = []\ndev = []", ("test",)),
        ("test-all = []\ndev = []\nlatest = []", ("test-all",)),
        ("dev = []\nlint = []", ("dev",)),
        ("lint = []", ()),
    ],
)
def test_dependency_groups(groups: str, chosen: tuple[str, ...]) -> None:
    found = recipe(pyproject(f"{PROJECT}[dependency-groups]\n{groups}"))
    assert found.groups == chosen


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["requirements.txt"], ["requirements.txt"]),
        (
            ["requirements.txt", "requirements-dev.txt"],
            ["requirements-dev.txt", "requirements.txt"],
        ),
        (["requirements/base.txt", "requirements/test.txt", "requirements/docs.txt"], None),
        (["dev-requirements.txt"], ["dev-requirements.txt"]),
        (["tests/requirements.txt"], ["tests/requirements.txt"]),
        (["notes.txt", "docs/requirements.txt", "latest.txt"], []),
    ],
)
def test_a_repository_of_requirement_files_only(names: list[str], chosen: list[str] | None) -> None:
    found = recipe(dict.fromkeys(names, "x"))
    assert not found.installable
    assert list(found.requirement_files) == (chosen if chosen is not None else names[:2])


def test_a_project_takes_the_test_requirements_alone() -> None:
    names = ("requirements.txt", "requirements-dev.txt", "requirements-test.txt")
    found = recipe({**pyproject(PROJECT), **dict.fromkeys(names, "x")})
    assert found.requirement_files == ("requirements-test.txt",)


def test_requirements_that_name_pytest_are_for_tests() -> None:
    """Bug: a project's plain requirements.txt was left out, and its tests lacked their packages."""
    text = "-e .[http2]\n# pytest\nruff==1\n{}\ntrio==0.31\n"
    files = {**pyproject(PROJECT), "requirements.txt": text.format("pytest==8.4")}
    assert recipe(files).requirement_files == ("requirements.txt",)
    assert recipe({**files, "requirements-37.txt": "pytest<5\n"}) == recipe(files)
    assert not recipe({**files, "requirements.txt": text.format("mypytest")}).requirement_files


def test_poetry_development_packages_come_without_their_versions() -> None:
    text = (
        POETRY
        + '[tool.poetry.dev-dependencies]\npytest = "^7"\nblack = "*"\n'
        + '[tool.poetry.group.test.dependencies]\npytest-mock = "^3"\nhypothesis = "*"\n'
    )
    assert recipe(pyproject(text)).packages == ("pytest", "pytest-mock", "hypothesis")


@pytest.mark.parametrize(
    "text",
    [
        "[project\n",
        "= 1",
        "project = 3\n",
        "[project]\noptional-dependencies = []\ndependencies = 7\n",
        "dependency-groups = ['a']\ntool = 1\n",
        "[tool]\npoetry = []\n",
        "[tool.poetry]\nextras = 1\ngroup = 'x'\ndependencies = []\ndev-dependencies = 2\n",
        "[tool.poetry.group]\ntest = 1\n",
        "[project]\nrequires-python = 3.12\n",
    ],
)
def test_a_broken_pyproject_is_no_reason_to_stop(text: str) -> None:
    """Bug: a value where a table belongs ended the run instead of this one candidate."""
    assert recipe(pyproject(text)).python == "3.11"


def test_a_broken_setup_cfg_is_no_reason_to_stop() -> None:
    assert not recipe({"setup.cfg": "no section\n"}).installable


@pytest.mark.parametrize(
    ("requires", "python"),
    [
        (">=3.8", "3.11"),
        (">=3.12", "3.12"),
        (">=3.13", "3.13"),
        ("<3.11", "3.10"),
        (">=3.7,<3.10", "3.9"),
        ("==3.9.*", "3.9"),
        ("~=3.8", "3.11"),
        ("~=3.8.1", "3.8"),
        ("!=3.11.*", "3.12"),
        (">=2.7", "3.11"),
        ("<3", "2.7"),
        (">=3.99", "3.11"),
        ("three", "3.11"),
    ],
)
def test_python_fits_what_is_required(requires: str, python: str) -> None:
    places = (
        pyproject(f'{PROJECT}requires-python = "{requires}"\n'),
        {"setup.py": f"{SETUP}    python_requires='{requires}',\n)"},
        {"setup.cfg": f"[metadata]\nname = calc\n[options]\npython_requires = {requires}\n"},
    )
    for files in places:
        assert recipe(files).python == python
        assert recipe(files, python="3.9").python == "3.9"


@pytest.mark.parametrize(
    ("requires", "python"),
    [("^3.8", "3.11"), ("^3.12", "3.12"), (">=3.8,<3.11", "3.10"), ("~3.9", "3.9"), ("*", "3.11")],
)
def test_python_fits_what_poetry_requires(requires: str, python: str) -> None:
    """Bug: poetry's own table was not asked, and its project then refused Python 3.11."""
    text = f'{POETRY}[tool.poetry.dependencies]\npython = "{requires}"\n'
    assert recipe(pyproject(text)).python == python


@pytest.mark.parametrize(
    ("options", "plugin"),
    [
        ("--cov=calc --cov-report=xml", "pytest-cov"),
        ("-ra -n auto", "pytest-xdist"),
        ("-n4", "pytest-xdist"),
        ("-nauto", "pytest-xdist"),
        ("--dist loadscope", "pytest-xdist"),
        ("--timeout=30", "pytest-timeout"),
        ("--reruns 2", "pytest-rerunfailures"),
        ("--benchmark-skip", "pytest-benchmark"),
        ("--asyncio-mode=auto", "pytest-asyncio"),
        ("-q --strict-markers --no-header", None),
    ],
)
def test_plugins_that_addopts_names_are_installed(options: str, plugin: str | None) -> None:
    words = ", ".join(f'"{word}"' for word in options.split())
    lines = "".join(f'  "{word}",\n' for word in options.split())
    table = "[tool.pytest.ini_options]\n"
    files = [
        {"pytest.ini": f"[pytest]\naddopts = {options}\n"},
        {"tox.ini": f"[tox]\nenvlist = py\n[pytest]\naddopts =\n    {options}\n"},
        {"setup.cfg": f"[tool:pytest]\naddopts = {options}\ntestpaths = tests\n"},
        pyproject(f'{PROJECT}{table}addopts = "{options}"\n'),
        pyproject(f"{PROJECT}{table}addopts = [{words}]\n"),
        pyproject(f"{PROJECT}{table}addopts = [\n{lines}]\ntestpaths = ['tests']\n"),
    ]
    for one in files:
        assert recipe(one).packages == (("pytest", plugin) if plugin else ("pytest",)), one


def test_asyncio_mode_is_a_setting_of_a_plugin() -> None:
    text = f'{PROJECT}[tool.pytest.ini_options]\nasyncio_mode = "auto"\n'
    assert recipe(pyproject(text)).packages == ("pytest", "pytest-asyncio")


def test_packages_of_the_settings_come_along_once() -> None:
    assert recipe({}, packages=("numpy<2", "pytest")).packages == ("pytest", "numpy<2")


def test_the_date_is_the_end_of_the_commits_month() -> None:
    assert recipe({}).not_after == "2024-02-29"


@pytest.mark.parametrize(
    "more",
    [
        pyproject(f'{PROJECT}dependencies = ["a"]\n'),
        pyproject(f"{PROJECT}[project.optional-dependencies]\nx = ['a']\n"),
        pyproject(f"{PROJECT}[build-system]\nrequires = ['a']\n"),
        {"setup.py": SETUP + ")"},
        {"setup.cfg": "[options]\ninstall_requires = a\n"},
        {"requirements.txt": "a\n"},
        {"requirements/base.txt": "a\n"},
    ],
)
def test_what_names_dependencies_decides_the_layer(more: dict[str, str]) -> None:
    """Bug: files that others read by `-r` or from setup.py changed without a new layer."""
    files = pyproject(PROJECT)
    assert inputs(facts({**files, **more})) != inputs(facts(files))


def test_what_names_none_does_not() -> None:
    files = pyproject(PROJECT)
    edited = {**pyproject(f"{PROJECT}description = 'x'\n"), "calc.py": "", "README.md": ""}
    assert inputs(facts(edited)) == inputs(facts(files))


def shell(script: str, uv: str) -> int:
    """Exit code of a recipe's script with a function of that body in uv's place."""
    lines = [line for line in script.splitlines() if not line.startswith(("export", "cd "))]
    text = "\n".join(["set -eu", f"uv() {{ {uv}; }}", *lines])
    return subprocess.run(["sh", "-c", text], capture_output=True).returncode


FULL = "[project.optional-dependencies]\ntest = []\n"


def test_a_build_of_which_every_attempt_failed_has_failed() -> None:
    """Bug: `set -e` does not see a failing chain, and images without pytest were kept."""
    found = recipe(pyproject(PROJECT + FULL))
    fails = '[ "$1" = venv ]'
    assert shell(found.dependencies_script(), fails) == 1
    assert shell(found.source_script(), fails) == 1


def test_one_attempt_that_works_is_enough() -> None:
    found = recipe(pyproject(PROJECT + FULL))
    plain_only = 'case "$*" in *exclude-newer*|*test*\\]*) return 1;; esac'
    assert shell(found.dependencies_script(), plain_only) == 0
    assert shell(found.source_script(), plain_only) == 0


def test_the_attempts_go_from_dated_to_newest() -> None:
    script = recipe(pyproject(PROJECT + FULL)).dependencies_script()
    tries = [line for line in script.splitlines() if "pip install" in line]
    told = [part.partition("'")[0] for part in tries[0].split("as='")[1:]]
    assert told == [
        "as of 2024-02-29",
        "project only, as of 2024-02-29",
        "newest for Python 3.11",
        "project only, newest for Python 3.11",
        "by pip, as of 2024-02-29",
    ]


def test_only_a_project_whose_version_is_a_tag_is_told_it() -> None:
    """Bug: dependencies that come as sources took the project's version for their own."""
    plain = recipe(pyproject(PROJECT))
    tagged = recipe(pyproject(PROJECT + "[build-system]\nrequires = ['setuptools-scm']\n"))
    assert "VERSION=" not in plain.dependencies_script()
    assert "export SETUPTOOLS_SCM_PRETEND_VERSION=1.2" in tagged.dependencies_script()


def test_the_project_is_taken_out_of_its_dependencies_under_any_name(tmp_path: Path) -> None:
    """Bug: where only a running setup.py knows the name, the copy in the dependencies stayed."""
    found = recipe({"setup.py": "setup(name=NAME)"})
    line = next(line for line in found.dependencies_script().splitlines() if "uninstall" in line)
    say = "case $* in *freeze*) printf 'a==1\\ncalc @ file:///repo\\n';; *) echo $* >> gone;; esac"
    subprocess.run(["sh", "-c", f"uv() {{ {say}; }}\n{line}"], cwd=tmp_path, check=True)
    assert (tmp_path / "gone").read_text() == "pip uninstall calc\n"


def test_requirements_install_the_project_as_old_back_ends_can(tmp_path: Path) -> None:
    """Bug: `-e .` among them failed before 2022, and everything else in the file with it."""
    file = tmp_path / "requirements-test.txt"
    file.write_text("-e .[a]\n--editable=./b\n-e git+ssh://c\nd\n")
    found = recipe({**pyproject(PROJECT), file.name: ""})
    line = next(line for line in found.dependencies_script().splitlines() if "sed " in line)
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True)
    assert file.read_text() == ".[a]\n./b\n-e git+ssh://c\nd\n"


def test_pip_installs_what_uv_refuses_to_read() -> None:
    """Bug: uv refuses drafts of today's manifests, `version = {from = "a.py"}`; pip does not."""
    found = recipe(pyproject(PROJECT + "[dependency-groups]\ntest = []\n"))
    for script in (found.dependencies_script(), found.source_script()):
        with_pip = script.replace("/opt/patchmark/uv/bin/pip", "true")
        assert shell(script, '[ "$1" = venv ]') == 1
        assert shell(with_pip, 'case "$*" in *install*) return 1;; esac') == 0
        assert "--group" not in script.partition("by_pip ")[2]


def test_names_of_a_repository_are_quoted() -> None:
    found = recipe({"requirements-test;touch x.txt": "a\n"})
    assert found.requirement_files == ("requirements-test;touch x.txt",)
    assert "'requirements-test;touch x.txt'" in found.dependencies_script()


@pytest.mark.parametrize(
    ("text", "extras"),
    [
        ("EXTRAS_REQUIRE = {\n  'tests': ['a', \"b: c\"],\n  'docs': [],\n}\n", ("tests",)),
        ("extras_require: dict = {'lint': []}\nextras_require['dev'] = []\n", ("dev",)),
        ("EXTRAS_REQUIRE = {  # 'test': not this\n  'x': {'test': 1},\n}\n", ()),
        ("print 'old'\nsetup(extras_require = {u'test': ['mock']})\n", ("test",)),
    ],
)
def test_extras_of_a_setup_py_that_keeps_them_in_a_variable(
    text: str, extras: tuple[str, ...]
) -> None:
    """Bug: only a dictionary in the call was read, and the tests then lacked what they import."""
    assert recipe({"setup.py": text}).extras == extras
