"""From a Node commit's files to its recipe: version, package manager, runner, workspaces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from sandbox.ci import workflow
from sandbox.ecosystems.node import recipes
from sandbox.ecosystems.node_scripts import _JEST as JEST
from sandbox.ecosystems.node_scripts import test_command as node_command
from sandbox.ecosystems.node_version import admits
from sandbox.ecosystems.node_workspaces import members
from sandbox.facts import Facts
from sandbox.recipe import EnvironmentSettings, Recipe

OUT = '"$PATCHMARK_RESULTS"'
CI = """jobs:
  test:
    strategy: {matrix: {node: [14, 16, 17]}}
    steps:
      - uses: actions/setup-node@v4
        with: {node-version: "${{ matrix.node }}"}
      - run: npm test
"""
PACKAGE = '{"scripts": {"test": "jest"}}'


def facts(files: Mapping[str, str], day: str = "2024-02-07") -> Facts:
    made = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return Facts(frozenset(files), files.get, made, EnvironmentSettings())


def best(files: Mapping[str, str], day: str = "2024-02-07") -> Recipe:
    found = facts(files, day)
    return next(recipes(found, workflow(found)))


# -- which Node ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "day", "version"),
    [
        ({}, "2024-02-07", "20"),
        ({}, "2019-06-01", "10"),
        ({}, "2015-06-01", "8"),
        ({".nvmrc": "v16.20.1\n"}, "2024-02-07", "16"),
        ({".nvmrc": "lts/*\n"}, "2024-02-07", "20"),
        ({"package.json": '{"scripts": {"test": "jest"}, "volta": {"node": "14.17.0"}}'},
         "2024-02-07", "14"),
        ({"package.json": '{"scripts": {"test": "jest"}, "engines": {"node": ">=22"}}'},
         "2024-02-07", "22"),
        ({"package.json": '{"scripts": {"test": "jest"}, "engines": {"node": "14.x"}}'},
         "2024-02-07", "14"),
        ({"package.json": '{"scripts": {"test": "jest"}, "engines": {"node": "0.10"}}'},
         "2024-02-07", "20"),
        ({".github/workflows/ci.yml": CI}, "2024-02-07", "16"),
        ({".github/workflows/ci.yml": CI.replace("14, 16, 17", "6")}, "2024-02-07", "20"),
    ],
)  # fmt: skip
def test_the_node_of_a_commit(files: dict[str, str], day: str, version: str) -> None:
    found = best({"package.json": PACKAGE, **files}, day)
    assert found.toolchain.name == f"node {version}"
    # Wheels of the Python index begin with 18; those before it come from npm's.
    assert ("node-linux-" in found.toolchain.install) is (int(version) < 18)


@pytest.mark.parametrize(
    ("asked", "majors"),
    [
        ("*", "12 14 16 18 20 22"),
        ("", "12 14 16 18 20 22"),
        (">= 0.10.0", "12 14 16 18 20 22"),
        ("^14.17.0 || ^16.10.0 || >=20", "14 16 20 22"),
        (">=14 <17", "14 16"),
        (">12", "14 16 18 20 22"),
        (">12.2", "12 14 16 18 20 22"),
        ("<=16.x", "12 14 16"),
        ("12 - 16", "12 14 16"),
        ("v18.12", "18"),
        ("~20.1", "20"),
        ("lts/*", "12 14 16 18 20 22"),
    ],
)
def test_what_a_range_admits(asked: str, majors: str) -> None:
    found = [str(major) for major in (12, 14, 16, 18, 20, 22) if admits(asked, major)]
    assert " ".join(found) == majors


# -- which command ---------------------------------------------------------------------------

PATIENT = '--timeout="${PATCHMARK_TEST_SECONDS:-60}s"'
NODE_OWN = (
    "--require=/patchmark/in/patchmark_node_guard.cjs --test "
    "--test-reporter=/patchmark/in/patchmark_node.mjs --test-reporter-destination=stdout"
)
NODE_TAP = f"--test-reporter=tap --test-reporter-destination={OUT}"
JSON = f"--json --outputFile={OUT}"


@pytest.mark.parametrize(
    ("scripts", "command", "form"),
    [
        ({"test": "jest"}, f"{JEST} --ci {JSON}", "jest"),
        ({"test": "npx jest --coverage"}, f"{JEST} --coverage --ci {JSON}", "jest"),
        ({"test": "vitest"}, f"vitest run --reporter=json --outputFile={OUT}", "jest"),
        ({"test": "vitest run --x"}, f"vitest run --x --reporter=json --outputFile={OUT}", "jest"),
        (
            {"test": "nyc --reporter=lcov mocha 'test/**/*.js'"},
            f"mocha 'test/**/*.js' --reporter xunit -O output={OUT}",
            "junit",
        ),
        (
            {"test": "eslint . && npm run unit", "unit": "NODE_ENV=test mocha"},
            f"NODE_ENV=test mocha --reporter xunit -O output={OUT}",
            "junit",
        ),
        (
            {"test": "tsc && ava"},
            f"(tsc) || exit 2\nava --tap {PATIENT} > {OUT}",
            "tap",
        ),
        (
            {"test": "cross-env A=b node --experimental-x --test test/"},
            f"env A=b node --experimental-x {NODE_OWN} test/",
            "lines",
        ),
        (
            {"test": "dotenv -- node --test"},
            f"dotenv -- node --test {NODE_TAP}",
            "tap",
        ),
        (
            {"test": "tsx --test"},
            f"tsx --test {NODE_TAP}",
            "tap",
        ),
        (
            {"test": "run-s lint unit", "lint": "xo", "unit": "tape t.js"},
            f"tape t.js > {OUT}",
            "tape",
        ),
        ({"pretest": "tsc", "test": "tap"}, None, "tap"),
    ],
)
def test_a_test_script_and_its_results(
    scripts: dict[str, object], command: str | None, form: str
) -> None:
    found = node_command(scripts, set())
    assert found is not None
    assert found.form == form
    if command:
        assert found.shell == command


@pytest.mark.parametrize(
    "script",
    [
        "c8 -r lcov -r text mocha t",
        "npx nyc --check-coverage --lines 90 npx mocha t",
        "NODE_ENV=test nyc mocha t",
        "nyc npm run unit",
        "nyc --reporter lcov yarn unit",
    ],
)
def test_coverage_is_left_out(script: str) -> None:
    """Values of coverage flags hid the runner behind them, and its own words were lost."""
    found = node_command({"test": script, "unit": "mocha t"}, set())
    assert found is not None
    assert found.shell.removeprefix("NODE_ENV=test ").startswith("mocha t --reporter xunit")


@pytest.mark.parametrize(
    ("script", "command"),
    [
        (
            "node --expose-gc ./node_modules/vitest/dist/cli.js --run && vitest --types",
            "node --expose-gc ./node_modules/vitest/dist/cli.js run "
            f"--reporter=json --outputFile={OUT}",
        ),
        (
            "node --harmony node_modules/.bin/jest t",
            f"node --harmony node_modules/.bin/jest t --ci {JSON}",
        ),
        ("./node_modules/.bin/mocha -b", f"mocha --reporter xunit -O output={OUT}"),
        (
            "node --harmony node_modules/mocha/bin/_mocha t",
            f"node --harmony node_modules/mocha/bin/_mocha t --reporter xunit -O output={OUT}",
        ),
    ],
)
def test_a_runner_called_by_its_file(script: str, command: str) -> None:
    """The first vitest was taken for a step before the tests, and the second run for them."""
    found = node_command({"test": script}, set())
    assert found is not None
    assert found.shell == command


@pytest.mark.parametrize(
    ("script", "command"),
    [("ava", f"ava --tap {PATIENT} > {OUT}"), ("ava -T 2m", f"ava --tap -T 2m > {OUT}")],
)
def test_ava_is_given_as_long_as_a_test_may_take(script: str, command: str) -> None:
    """On a busy machine ava gave up after ten seconds, before its first file was compiled."""
    found = node_command({"test": script}, set())
    assert found is not None
    assert found.shell == command


@pytest.mark.parametrize(
    "scripts", [{}, {"test": 3}, {"test": "make"}, {"test": "npm run test"}, {"test": ""}]
)
def test_unknown_scripts_are_no_command(scripts: dict[str, object]) -> None:
    assert node_command(scripts, set()) is None
    assert node_command(scripts, {"vitest"}) is not None


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"package-lock.json": "{}"}, "npm ci"),
        ({"yarn.lock": "# yarn lockfile v1"}, "yarn install --ignore-engines --frozen-lockfile"),
        ({"yarn.lock": "__metadata:\n"}, "yarn install --immutable"),
        ({"pnpm-lock.yaml": "lockfileVersion: '6.0'"}, "pnpm@8"),
        ({}, "dated 2024-02-29"),
    ],
)
def test_the_package_manager_is_that_of_the_lock(files: dict[str, str], words: str) -> None:
    found = best({"package.json": PACKAGE, "a.js": "", **files})
    assert words in found.dependencies


# -- workspaces ------------------------------------------------------------------------------

ROOT = {"name": "root", "private": True, "scripts": {"test": "pnpm -r test"}}


def workspace(**scripts: str) -> dict[str, str]:
    """A pnpm workspace of packages with these test scripts."""
    files = {"package.json": json.dumps(ROOT), "pnpm-workspace.yaml": "packages: ['packages/*']"}
    for name, script in scripts.items():
        package = {"name": name, "scripts": {"test": script}}
        files[f"packages/{name}/package.json"] = json.dumps(package)
    return files


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        ({"package.json": '{"workspaces": ["packages/*", "!packages/b"]}'}, ["packages/a"]),
        ({"package.json": '{"workspaces": {"packages": ["./tools/**"]}}'}, ["tools/x/y"]),
        ({"pnpm-workspace.yaml": "packages:\n  - packages/b\n"}, ["packages/b"]),
        ({"lerna.json": '{"packages": ["packages/*"]}'}, ["packages/a", "packages/b"]),
        ({"package.json": "{}"}, []),
    ],
)
def test_the_packages_of_a_workspace(files: dict[str, str], folders: list[str]) -> None:
    places = ("packages/a", "packages/b", "tools/x/y", "packages/a/node_modules/c", "other")
    found = facts({**{f"{at}/package.json": "{}" for at in places}, **files})
    assert members(found, found.json("package.json")) == folders


def test_the_suites_of_a_workspace_run_one_after_the_other() -> None:
    found = best(workspace(a="vitest", b="vitest run", c="mocha", d="eslint ."))
    assert found.results == "jest"
    # The reports of mocha have another form than most.
    assert [f"(cd packages/{one} " in found.test for one in "abcd"] == [True, True, False, False]
    assert not found.narrows


def test_a_suite_at_the_root_is_that_of_the_whole_workspace() -> None:
    root = json.dumps({**ROOT, "scripts": {"test": "vitest"}})
    found = best({**workspace(a="vitest"), "package.json": root})
    assert "cd packages" not in found.test
    assert found.narrows
