"""Fix part and test part: every section on one side, what steers the run flagged, Rust cut."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.repos import ENVIRONMENT, Repo

from core.diff import split
from core.paths import NO_RULES, PathRules
from miner.part import Parts, may_hold_tests, part
from miner.part_rust import test_lines as rust_test_lines

Files = dict[str, str | None]


def taken_apart(tmp_path: Path, before: Files, after: Files, rules: PathRules = NO_RULES) -> Parts:
    """The parts of a commit that makes `after` of `before`."""
    repo = Repo(tmp_path / "repo")
    repo.commit("Start", {**before, "always": "x\n"})
    repo.commit("Change", dict(after))
    diff = repo.git("diff", "--binary", "--full-index", "--no-renames", "HEAD~1", "HEAD").decode()
    known = {path: (before.get(path), after.get(path, before.get(path))) for path in before | after}
    found = part(split(diff), lambda path: known[path], rules)
    assert_whole(repo, found)
    return found


def assert_whole(repo: Repo, found: Parts) -> None:
    """In either order both parts make the commit's tree of its parent's, as git applies them."""
    tests = "".join(section.text for section in found.tests)
    fix = "".join(section.text for section in found.fix)
    for order in ((tests, fix), (fix, tests)):
        index = {**ENVIRONMENT, "GIT_INDEX_FILE": str(repo.path / ".git" / "try-index")}

        def git(*arguments: str, stdin: str = "", env: dict[str, str] = index) -> str:
            command = ["git", "-C", str(repo.path), *arguments]
            done = subprocess.run(command, input=stdin.encode(), capture_output=True, env=env)
            assert done.returncode == 0, done.stderr.decode() + stdin
            return done.stdout.decode().strip()

        git("read-tree", "HEAD~1")
        for patch in order:
            if patch:
                git("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch)
        assert git("write-tree") == repo.tree("HEAD")


def paths(sections: tuple[object, ...]) -> set[str]:
    return {path for section in sections for path in section.paths}  # type: ignore[attr-defined]


def test_every_kind_of_file_has_its_side(tmp_path: Path) -> None:
    files = ("src/a.py", "README.md", "data.json", "tests/test_a.py", "tests/data/a.json",
             "conftest.py", "jest.config.js")  # fmt: skip
    found = taken_apart(tmp_path, dict.fromkeys(files, "1\n"), dict.fromkeys(files, "2\n"))
    assert paths(found.fix) == {"src/a.py", "README.md", "data.json"}
    assert paths(found.tests) == set(files) - paths(found.fix)
    assert found.runner_files == ("conftest.py", "jest.config.js")


def test_a_project_can_say_otherwise(tmp_path: Path) -> None:
    files = ("checks/a.py", "tests/tool.py", "conftest.py")
    rules = PathRules(tests=("checks/**",), source=("tests/tool.py", "conftest.py"))
    found = taken_apart(tmp_path, dict.fromkeys(files, "1\n"), dict.fromkeys(files, "2\n"), rules)
    assert (paths(found.tests), found.runner_files) == ({"checks/a.py"}, ())


PYPROJECT = "[project]\nname = 'a'\nversion = '1'\n[tool.pytest.ini_options]\naddopts = ''\n"
PACKAGE = '{"version": "1", "scripts": {"test": "jest", "lint": "x"}, "jest": {"a": 1}}\n'
CARGO = "[package]\nname = 'a'\nversion = '1'\n[dev-dependencies]\nx = '1'\n"
CFG = "[metadata]\nversion = 1\n[tool:pytest]\naddopts =\n"


@pytest.mark.parametrize(
    ("name", "text", "old", "new", "side", "flagged"),
    [
        ("pyproject.toml", PYPROJECT, "'1'", "'2'", "fix", False),
        ("pyproject.toml", PYPROJECT, "''", "'-x'", "tests", True),
        ("pyproject.toml", PYPROJECT, "[project]", "[tool.tox]\na = 1\n[project]", "tests", True),
        ("pyproject.toml", PYPROJECT, "[project]", "# more\n[project]", "fix", False),
        ("pyproject.toml", PYPROJECT, "[project]", "[[", "fix", False),
        ("sub/package.json", PACKAGE, '"version": "1"', '"version": "2"', "fix", False),
        ("package.json", PACKAGE, '"test": "jest"', '"test": "jest -w"', "tests", True),
        ("package.json", PACKAGE, '"test": "jest"', '"test:unit": "jest"', "tests", True),
        ("package.json", PACKAGE, '"lint": "x"', '"lint": "y"', "fix", False),
        ("package.json", PACKAGE, '{"a": 1}', '{"a": 2}', "tests", True),
        ("package.json", PACKAGE, '"x"}, "jest": {"a": 1}', '"y"}, "jest": {}', "fix", True),
        ("Cargo.toml", CARGO, "x = '1'", "x = '2'", "tests", True),
        ("Cargo.toml", CARGO, "version = '1'", "version = '2'", "fix", False),
        ("setup.cfg", CFG, "addopts =", "addopts = -x", "tests", True),
        ("setup.cfg", CFG, "version = 1", "version = 2", "tests", False),
    ],
)  # fmt: skip
def test_manifests_go_by_what_changed(
    tmp_path: Path, name: str, text: str, old: str, new: str, side: str, flagged: bool
) -> None:
    found = taken_apart(tmp_path, {name: text}, {name: text.replace(old, new)})
    assert paths(found.tests if side == "tests" else found.fix) == {name}
    assert found.runner_files == ((name,) if flagged else ())


# --- Rust ---------------------------------------------------------------------------------

RUST = """use std::fmt;

/// Adds.
pub fn add(a: i32, b: i32) -> i32 {
    a - b
}

pub fn sub(a: i32, b: i32) -> i32 {
    a - b
}

pub fn mul(a: i32, b: i32) -> i32 {
    a * b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtracts() {
        assert_eq!(sub(3, 2), 1);
    }
}
"""
FIXED = RUST.replace("a - b", "a + b", 1)
ADDS = "    #[test]\n    fn adds() {\n        assert_eq!(add(1, 2), 3);\n    }\n}\n"
TESTED = RUST.removesuffix("}\n") + "\n" + ADDS


def test_inline_tests_are_cut_out_of_a_rust_file(tmp_path: Path) -> None:
    both = FIXED.removesuffix("}\n") + "\n" + ADDS
    found = taken_apart(tmp_path, {"src/lib.rs": RUST}, {"src/lib.rs": both})
    (fix,), (tests,) = found.fix, found.tests
    assert (fix.added, fix.removed) == (1, 1)
    assert (tests.added, tests.removed) == (5, 0)
    assert "a + b" in fix.text
    assert "adds" not in fix.text
    assert "a + b" not in tests.text


def test_a_rust_file_of_one_kind_stays_whole(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    tests = taken_apart(tmp_path / "a", {"src/lib.rs": RUST}, {"src/lib.rs": TESTED})
    assert (paths(tests.fix), paths(tests.tests)) == (set(), {"src/lib.rs"})
    fix = taken_apart(tmp_path / "b", {"src/lib.rs": RUST}, {"src/lib.rs": FIXED})
    assert (paths(fix.fix), paths(fix.tests)) == ({"src/lib.rs"}, set())


@pytest.mark.parametrize(
    "after",
    [
        RUST.replace("#[cfg(test)]", "pub fn new() {}\n#[cfg(test)]\nmod more {}\n#[cfg(test)]"),
        "fn broken( {\n" + TESTED,
    ],
    ids=["side by side", "brackets that do not fit"],
)
def test_what_cannot_be_cut_is_part_of_the_fix(tmp_path: Path, after: str) -> None:
    found = taken_apart(tmp_path, {"src/lib.rs": RUST}, {"src/lib.rs": after})
    assert (paths(found.fix), paths(found.tests)) == ({"src/lib.rs"}, set())


def test_a_new_rust_file_is_part_of_the_fix(tmp_path: Path) -> None:
    found = taken_apart(tmp_path, {}, {"src/new.rs": RUST})
    assert (paths(found.fix), paths(found.tests)) == ({"src/new.rs"}, set())


def test_only_rust_holds_tests_in_its_sources() -> None:
    assert may_hold_tests("src/a.rs")
    assert not may_hold_tests("src/a.py")


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("fn a() {}\n#[test]\nfn t() {\n}\n", "0111"),
        ("#[cfg(all(test, unix))]\nmod t {}\nfn a() {}\n", "110"),
        ("#[cfg(any(test, unix))]\nfn a() {}\n", "00"),
        ("#[cfg(not(test))]\nfn a() {}\n", "00"),
        ("// about it\n#[tokio::test]\nasync fn t() {}\n", "111"),
        ("#[cfg(test)]\nuse x::{\n  y,\n};\nfn a() {}\n", "11110"),
        ('let s = "#[test] {";\nlet r = r#"}"#;\nlet c = \'{\';\n/* { */\n', "0000"),
        ("#![cfg(test)]\nfn a() {}\n", "11"),
        ("#[test_case(1)]\nfn a() {}\n", "00"),
    ],
)
def test_which_lines_are_for_tests(text: str, marked: str) -> None:
    marks = rust_test_lines(text)
    assert marks is not None
    assert "".join(map(str, marks)) == marked


def test_brackets_that_do_not_fit_are_not_guessed_at() -> None:
    assert rust_test_lines("#[test]\nfn a() { ( }\n") is None


LINE = st.sampled_from(
    ["    a\n", "\n", "fn f() {}\n", "use x;\n", "    b;\n", "// c\n", "const A: u8 = 1;\n"]
)
SOURCE = st.lists(LINE, max_size=8).map("".join)
TEST = st.builds(lambda body: f"#[cfg(test)]\nmod t {{\n{body}}}\n", SOURCE)
PIECES = st.lists(st.one_of(SOURCE, SOURCE, TEST), min_size=1, max_size=5)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=PIECES, after=PIECES, end=st.sampled_from(["", "// no end"]))
def test_any_rust_file_comes_back_whole(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str], end: str
) -> None:
    old, new = "".join(before), "".join(after) + end
    if old != new:
        taken_apart(tmp_path_factory.mktemp("r"), {"src/a.rs": old}, {"src/a.rs": new})
