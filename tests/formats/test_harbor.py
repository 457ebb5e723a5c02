"""Harbor's folders: what is written, what is read, and what is said of those that are unfit."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.exported import clone, source
from support.tasks import make_task

from core.git import Repository
from core.types import Task
from patchmark.formats import harbor
from patchmark.formats.base import Read
from patchmark.formats.harbor_reading import read
from patchmark.formats.problem import FRAME

GOLD = (
    "diff --git a/src/calc.py b/src/calc.py\n--- a/src/calc.py\n+++ b/src/calc.py\n"
    "@@ -1 +1 @@\n-x\n+y\n"
)
TASK = make_task(gold_patch=GOLD)
NAME = "acme__shop-000000000001"
ROW = {
    "repo": "acme/shop",
    "instance_id": "acme__shop-7",
    "base_commit": "a" * 40,
    "patch": GOLD,
    "test_patch": GOLD.replace("src/", "tests/test_"),
    "problem_statement": "x is not y",
    "FAIL_TO_PASS": '["tests/test_calc.py::test_y"]',
    "PASS_TO_PASS": "[]",
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return clone(tmp_path_factory.mktemp("repository"))


@pytest.fixture
def written(repository: Repository, tmp_path: Path) -> Path:
    """A folder with one exported task."""
    harbor.write(source(repository, [TASK]), tmp_path / "tasks")
    return tmp_path / "tasks"


def only(found: Read) -> Task | None:
    (told,) = found.tasks
    assert found.problems == ()
    return told.task


def test_a_task_is_what_harbor_expects(written: Path) -> None:
    """Its verifier is apart, nobody has a network, and nothing of the tests is the agent's."""
    folder = written / NAME
    settings = tomllib.loads((folder / "task.toml").read_text())
    assert settings["schema_version"] == "1.4"
    assert settings["task"]["name"] == "acme/shop-000000000001"
    assert settings["verifier"]["environment_mode"] == "separate"
    for environment in (settings["environment"], settings["verifier"]["environment"]):
        assert environment["network_mode"] == "no-network"
    (dockerfile,) = (folder / "environment").iterdir()
    assert "COPY" not in dockerfile.read_text()
    assert (folder / "instruction.md").read_text() == f"{FRAME}{TASK.statement}"
    assert (folder / "solution" / "fix.patch").read_text() == GOLD
    for script in ("solution/solve.sh", "tests/test.sh"):
        assert os.access(folder / script, os.X_OK)


def test_images_that_cannot_be_named_are_told(repository: Repository, tmp_path: Path) -> None:
    (problem,) = harbor.write(source(repository, [TASK]), tmp_path / "tasks")
    assert str(problem).startswith("images: no container engine answers; tasks need 1")


def test_one_folder_is_read_as_well_as_a_folder_of_them(written: Path) -> None:
    assert only(read(written)) == TASK
    assert only(read(written / NAME)) == TASK


def test_an_instruction_that_somebody_wrote_anew_is_the_statement(written: Path) -> None:
    (written / NAME / "instruction.md").write_text("Make it right.\n")
    (told,) = read(written).tasks
    assert told.task is None
    assert told.statement == "Make it right.\n"
    assert (told.repository, told.base_commit) == ("acme/shop", TASK.base_commit)
    assert (told.gold_patch, told.test_patch) == (GOLD, TASK.test_patch)
    assert told.fail_to_pass == TASK.fail_to_pass


def test_a_task_that_carries_a_row_of_swe_bench_is_read_from_it(written: Path) -> None:
    (written / NAME / "tests" / "task.json").unlink()
    (written / NAME / "tests" / "config.json").write_text(json.dumps(ROW))
    (told,) = read(written).tasks
    assert (told.name, told.statement) == ("acme__shop-7", "x is not y")
    assert told.where.endswith("tests/config.json")
    # Those that exist were mostly made for older schemas, and nothing that is read has changed.
    settings = (written / NAME / "task.toml").read_text()
    (written / NAME / "task.toml").write_text(
        settings.replace('schema_version = "1.4"', 'version = "1.0"')
    )
    assert read(written).tasks == (told,)
    (written / NAME / "task.toml").write_text(settings.replace('= "1.4"', '= "1.5"'))
    (problem,) = read(written).problems
    assert problem.what == (
        "schema_version '1.5': '1.4', or an older one from '1.0' on, was expected"
    )


def test_a_task_of_others_is_read_where_it_holds_its_diffs_and_names_its_commit(
    tmp_path: Path,
) -> None:
    """Its scripts are read for them, and not run."""
    _foreign(tmp_path / "tasks" / "theirs")
    (told,) = read(tmp_path / "tasks").tasks
    assert (told.name, told.repository, told.base_commit) == ("theirs", "acme/shop", "a" * 40)
    assert (told.gold_patch, told.test_patch) == (GOLD, ROW["test_patch"])
    assert (told.statement, told.fail_to_pass) == ("Make it right.\n", ())
    settings = f'version = "1.0"\n[metadata]\nrepo = "b/c"\nbase_commit = "{"b" * 40}"\n'
    (tmp_path / "tasks" / "theirs" / "task.toml").write_text(settings)
    (told,) = read(tmp_path / "tasks").tasks
    assert (told.repository, told.base_commit) == ("b/c", "b" * 40)


def _script_only(folder: Path) -> None:
    (folder / "tests" / "task.json").unlink()


def _nothing_but_scripts(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("environment", "solution", "tests"):
        (folder / part).mkdir(parents=True)
    (folder / "task.toml").write_text('version = "1.0"\n')
    (folder / "instruction.md").write_text("Make it right.\n")
    (folder / "environment" / "Dockerfile").write_text("FROM scratch\n")
    (folder / "solution" / "solve.sh").write_text("sed -i s/x/y/ src/calc.py\n")
    (folder / "tests" / "test.sh").write_text("echo 1 > /logs/verifier/reward.txt\n")


def _foreign(folder: Path) -> None:
    """As others make them: diffs stand in scripts, the commit in a Dockerfile."""
    _nothing_but_scripts(folder)
    clone = (
        f"git clone https://example.org/acme/shop.git /app && cd /app && git checkout {'a' * 40}"
    )
    (folder / "environment" / "Dockerfile").write_text(f"FROM scratch\nRUN {clone}\n")
    for script, diff in (("solution/solve.sh", GOLD), ("tests/test.sh", ROW["test_patch"])):
        text = f"#!/bin/bash\ncat > /tmp/p <<'END_OF_IT'\n{diff}END_OF_IT\ngit apply /tmp/p\n"
        (folder / script).write_text(text)


def _two_fixes(folder: Path) -> None:
    _foreign(folder)
    for name in ("a.patch", "b.diff"):
        (folder / "solution" / name).write_text(GOLD.replace("+y", f"+{name}"))


def _replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def _linked(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        outside = folder.parent.parent / "outside"
        shutil.move(path, outside)
        path.symlink_to(outside)

    return change


def _pipe(folder: Path) -> None:
    (folder / "instruction.md").unlink()
    os.mkfifo(folder / "instruction.md")


UNFIT: dict[str, tuple[Callable[[Path], object], str]] = {
    "an older schema": (
        _replace("task.toml", 'schema_version = "1.4"', 'schema_version = "1.3"'),
        "{0}/task.toml: schema_version '1.3': '1.4' was expected",
    ),
    "the old name of an older schema": (
        _replace("task.toml", 'schema_version = "1.4"', "version = 1"),
        "{0}/task.toml: schema_version 1: '1.4' was expected",
    ),
    "no TOML": (
        _replace("task.toml", "[task]\n", "[task]\nname = \n"),
        "{0}/task.toml:4: TOML was expected: Invalid value",
    ),
    "TOML that stops": (
        lambda folder: (folder / "task.toml").write_text('a = 1\nb = """'),
        "{0}/task.toml:2: TOML was expected: Unterminated string",
    ),
    "several steps": (
        _replace("task.toml", "[task]", '[[steps]]\nname = "one"\n[task]'),
        "{0}/task.toml: it has steps; a task of one instruction was expected",
    ),
    "another system": (
        _replace("task.toml", "[environment]", '[environment]\nos = "windows"'),
        "{0}/task.toml: environment.os 'windows': 'linux' was expected",
    ),
    "scripts alone": (
        _script_only,
        "{0}: it does not tell its tests as a git diff below tests/; scripts are not run to find",
    ),
    "nothing but scripts": (
        _nothing_but_scripts,
        "{0}: it does not tell which commit it starts from, nor its fix as a git diff below "
        "solution/, nor its tests as a git diff below tests/; scripts are not run",
    ),
    "two fixes": (
        _two_fixes,
        "{0}: solution/ holds 2 different git diffs; one was expected",
    ),
    "no instruction": (
        lambda folder: (folder / "instruction.md").unlink(),
        "{0}: there is no instruction.md, which was expected",
    ),
    "no fix": (
        lambda folder: (folder / "solution" / "fix.patch").unlink(),
        "{0}: there is no fix.patch, which was expected",
    ),
    "a linked record": (
        _linked("tests/task.json"),
        "{0}: tests/task.json is a link; a file of its own was expected",
    ),
    "linked settings": (_linked("task.toml"), "{0}: task.toml is a link"),
    "a linked folder": (_linked("solution"), "{0}: solution is a link"),
    "a pipe": (_pipe, "{0}: instruction.md cannot be read"),
    "no JSON": (
        lambda folder: (folder / "tests" / "task.json").write_text("{"),
        "{0}: tests/task.json: JSON was expected",
    ),
    "JSON of another kind": (
        lambda folder: (folder / "tests" / "task.json").write_text("[]"),
        "{0}: tests/task.json: an object was expected",
    ),
    "a record without tests": (
        _replace("tests/task.json", '"fail_to_pass"', '"fail_to_pas"'),
        "{0}: tests/task.json: fail_to_pass: a list of names was expected",
    ),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_what_is_unfit_is_named_and_the_rest_goes_on(written: Path, kind: str) -> None:
    change, said = UNFIT[kind]
    bad = written / "bad"
    shutil.copytree(written / NAME, bad)
    change(bad)
    found = read(written)
    assert [told.task for told in found.tasks] == [TASK]
    (problem,) = found.problems
    assert str(problem).startswith(said.format(bad)), str(problem)


def test_a_task_of_the_same_name_is_named(written: Path) -> None:
    for name in ("one", "two"):
        folder = written / name / "tests"
        folder.mkdir(parents=True)
        shutil.copy(written / NAME / "task.toml", written / name)
        (folder / "config.json").write_text(json.dumps(ROW))
    found = read(written)
    assert len(found.tasks) == 2
    (problem,) = found.problems
    first = written / "one" / "tests" / "config.json"
    assert str(problem) == f"{written / 'two'}: acme__shop-7 stands at {first} already"


def test_a_folder_that_is_a_link_is_not_followed(written: Path) -> None:
    (written / "z").symlink_to(written / NAME)
    found = read(written)
    assert len(found.tasks) == 1
    assert str(found.problems[0]) == f"{written / 'z'}: is a link; a folder of its own was expected"
