"""Task repositories of SWE-bench 5: its own check, its own parsers, and folders of strangers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support import swebench
from support.exported import clone, source
from support.interchange import FIX, NEW_TEST, Shop, shop
from support.tasks import make_task

from core.errors import UsageError
from core.git import Repository
from core.types import Candidate, Unstable
from patchmark.cli import main
from patchmark.formats import swebench_repo
from patchmark.formats.harness import graded
from patchmark.formats.names import is_name, name_of
from patchmark.formats.reading import UnfitError
from patchmark.formats.swebench_repo import image_name

PYTEST = "cd /repo\n/opt/venv/bin/python /patchmark/in/start.py -q"
GO = 'cd .\ngo test -json ./... > "$PATCHMARK_RESULTS"'
CARGO = 'ended=0\ncargo test --offline > "$PATCHMARK_RESULTS" 2>&1 || ended=$?\nexit $ended'
JEST = 'vitest run --reporter=json --outputFile="$PATCHMARK_RESULTS"'
AVA = 'ava --tap > "$PATCHMARK_RESULTS"'
COMMANDS = {"lines": PYTEST, "go": GO, "libtest": CARGO, "jest": JEST, "tap": AVA}
TESTS = {
    "lines": "tests/a.py::test_a",
    "go": "example.org/a::TestA/sub",
    "libtest": "src/lib.rs::tests::a",
    "jest": "test/a.test.js::adds > two  numbers",
    "tap": "adds two",
}
# What each runner prints, with what our conversion adds.
LOGS = {
    "lines": "PASSED tests/a.py::test_a\nFAILED tests/a.py::test_b - assert 1 == 2\n",
    "go": "=== RUN   TestA/sub\n    --- PASS: TestA/sub (0.00s)\nok  \texample.org/a\t0.1s\n",
    "libtest": "test tests::a ... ok\n",
    "jest": "[PASSED] test/a.test.js::adds > two numbers\n",
    "tap": "TAP version 13\nok 1 - adds two\n",
}
_PARSE = """
import json, sys
from swebench.harness.log_parsers import PARSER_REGISTRY
asked = json.load(open(sys.argv[1])).items()
print(json.dumps({form: PARSER_REGISTRY[parser](log, None) for form, (parser, log) in asked}))
"""


def test_its_own_check_and_build_take_every_kind_of_task(tmp_path: Path) -> None:
    tasks = [
        make_task(n, results=form, test_command=COMMANDS[form], fail_to_pass=(TESTS[form],))
        for n, form in enumerate(COMMANDS, 1)
    ]
    odd = make_task(9, results="junit", test_command="mocha", statement="Ü: 'x'\r\n")
    given = source(clone(tmp_path / "clone"), [*tasks, odd])
    left_out, images = swebench_repo.write(given, tmp_path / "repo")
    assert str(left_out) == (
        f"{given.names[odd.id]}: no log parser of SWE-bench fits its test command, which leaves "
        "results of the form `junit`"
    )
    assert "no container engine answers" in images.what
    done = swebench.run(tmp_path, "swebench", "dataset", "check", "repo")
    assert (done.returncode, done.stderr) == (0, "")
    assert "looks well formed" in done.stdout


def test_its_parsers_find_the_tests_by_the_names_that_are_written(tmp_path: Path) -> None:
    asked, expected = {}, {}
    for form, test in TESTS.items():
        task = make_task(results=form, test_command=COMMANDS[form], fail_to_pass=(test,))
        how = graded(task)
        asked[form] = (how.parser, LOGS[form])
        expected[form] = how.fail_to_pass
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    (tmp_path / "parse.py").write_text(_PARSE)
    done = swebench.run(tmp_path, "python", "parse.py", "asked.json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for form, names in expected.items():
        assert [found[form].get(name) for name in names] == ["PASSED"], (form, found[form])


def test_tests_that_a_parser_takes_for_one_do_not_decide_for_each_other() -> None:
    """Pytest's names are cut at a blank: one test's failure was read as another one's."""
    task = make_task(
        test_command=PYTEST,
        fail_to_pass=("t.py::a[1 2]", "t.py::b"),
        pass_to_pass=("t.py::a[1 3]", "t.py::c[1 2]", "t.py::c[1 3]", "t.py::d[x y]"),
        unstable=(Unstable(test="t.py::d[x z]", before=(1, 2), after=(1, 2)),),
    )
    how = graded(task)
    assert (how.fail_to_pass, how.pass_to_pass) == (("t.py::b",), ("t.py::c[1",))
    with pytest.raises(UnfitError, match="cannot tell its FAIL_TO_PASS tests from others"):
        graded(task.model_copy(update={"fail_to_pass": ("t.py::a[1 2]",)}))


@pytest.mark.parametrize("form", ["junit", "tape", "rspec", "lines"])
def test_where_no_parser_fits_the_form_is_named(tmp_path: Path, form: str) -> None:
    task = make_task(results=form, test_command="ruby -r/patchmark/in/patchmark_minitest.rb")
    with pytest.raises(UsageError, match=f"no log parser .* form `{form}`"):
        swebench_repo.write(source(clone(tmp_path / "c"), [task]), tmp_path / "repo")
    assert not (tmp_path / "repo").exists()


def test_images_have_names_that_an_engine_takes() -> None:
    task = make_task(1)
    for repository in (
        "Acme/Shop",
        "a_b/c__d",
        "x/.github",
        "x/a..b",
        "üx/--y--",
        "alone",
        "a/b.-",
    ):
        name = name_of(repository, task)
        assert is_name(name)
        assert image_name(name).startswith("swebench/sweb.eval.x86_64.")
    assert image_name("Acme__Shop-1") == "swebench/sweb.eval.x86_64.acme_1776_shop-1:latest"
    with pytest.raises(UnfitError):
        image_name("a__b-")


def test_a_patch_cannot_end_the_script_that_applies_it() -> None:
    diff = f"{NEW_TEST}PATCHMARK_END\nrm -rf /\nPATCHMARK_END_\n"
    task = make_task(test_command=PYTEST, test_patch=diff)
    script = swebench_repo._eval(task, graded(task))
    assert f"<<'PATCHMARK_END__'\n{diff}PATCHMARK_END__\n" in script


# --- reading ------------------------------------------------------------------------------


@pytest.fixture
def there(tmp_path: Path) -> Shop:
    return shop(tmp_path)


@pytest.fixture
def repo(tmp_path: Path, there: Shop) -> Path:
    """A task repository of somebody else, with a task called `good`."""
    task = there.task.model_copy(update={"test_command": PYTEST})
    given = source(Repository(there.path), [task], names={task.id: "acme__good-1"})
    swebench_repo.write(given, tmp_path / "repo")
    (tmp_path / "repo/tasks/acme__good-1/patchmark.json").unlink()
    (tmp_path / "repo/tasks/acme__good-1/hints.md").write_text("Look at the sign.")
    return tmp_path / "repo"


def taken(repo: Path, there: Shop, out: Path) -> tuple[int, list[Candidate]]:
    into = [f"--repo={there.path}", f"--out={out}"]
    code = main(["import", "--format=swebench-repo", str(repo), *into])
    made = out / "candidates.jsonl"
    text = made.read_text("utf-8") if made.exists() else ""
    return code, [Candidate.model_validate_json(line) for line in text.splitlines()]


def test_a_folder_of_others_becomes_a_candidate(tmp_path: Path, there: Shop, repo: Path) -> None:
    code, (candidate,) = taken(repo, there, tmp_path / "out")
    assert code == 0
    assert (candidate.gold_patch, candidate.test_patch) == (FIX, NEW_TEST)
    # The base commit's: such folders tell no day.
    assert candidate.committed_at.isoformat() == "2023-11-14T22:13:20+00:00"
    one = repo / "tasks" / "acme__good-1"
    assert taken(one, there, tmp_path / "one") == (0, [candidate])


def _task_yaml(**changes: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "task.yaml"
        lines = [x for x in path.read_text().splitlines() if x.partition(":")[0] not in changes]
        path.write_text("\n".join([*lines, *(f"{k}: {v}" for k, v in changes.items() if v), ""]))

    return spoil


def _put(name: str, content: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return spoil


def _link(name: str, to: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(to)

    return spoil


def _pipe(folder: Path) -> None:
    (folder / "eval.sh").unlink()
    os.mkfifo(folder / "eval.sh")


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "no patch": (lambda folder: (folder / "gold.patch").unlink(), "it lacks gold.patch"),
    "no task.yaml": (lambda folder: (folder / "task.yaml").unlink(), "it lacks task.yaml"),
    "no key": (_task_yaml(base_commit="", image=""), "task.yaml lacks base_commit, image"),
    "a list": (_task_yaml(repo="[a]"), "task.yaml: repo: text was expected"),
    "another name": (_task_yaml(instance_id="../good"), "instance_id '../good': the folder's name"),
    "no YAML": (_put("task.yaml", b"{"), "task.yaml: YAML was expected"),
    "deep YAML": (_put("task.yaml", b"[" * 5000), "task.yaml: YAML was expected"),
    "no keys": (_put("task.yaml", b"3"), "keys and values were expected"),
    "code": (_put("task.yaml", b"!!python/object/apply:os.system [id]"), "YAML was expected"),
    "not UTF-8": (_put("gold.patch", b"\xff"), "gold.patch: byte 1 is not UTF-8"),
    "a NUL": (_put("gold.patch", b"\0"), "gold.patch holds a NUL character"),
    "no tests": (_put("tests.json", b"[]"), "tests.json: an object with FAIL_TO_PASS"),
    "tests that are none": (
        _put("tests.json", b'{"FAIL_TO_PASS": 3, "PASS_TO_PASS": []}'), "FAIL_TO_PASS: a list",
    ),
    "deprecated": (_task_yaml(split="deprecated"), "it is deprecated"),
    "a link out": (_link("problem_statement.md", "/etc/passwd"), "problem_statement.md is a link"),
    "a link to itself": (_link("test.patch", "test.patch"), "it lacks test.patch"),
    "a pipe": (_pipe, "eval.sh cannot be read: it is no regular file"),
    "a patch that does not fit": (
        _put("gold.patch", FIX.replace("a - b", "a * b").encode()), "the patch does not apply",
    ),
}  # fmt: skip


def test_what_is_wrong_with_a_folder_is_named_and_the_rest_goes_on(
    tmp_path: Path, there: Shop, repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = repo / "tasks"
    for number, (spoil, _) in enumerate(BAD.values()):
        folder = tasks / f"acme__bad-{number}"
        shutil.copytree(tasks / "acme__good-1", folder)
        _task_yaml(instance_id=folder.name)(folder)
        spoil(folder)
    (tasks / "acme__link-1").symlink_to("/etc")
    code, candidates = taken(repo, there, tmp_path / "out")
    assert (code, len(candidates)) == (7, 1)
    said = capsys.readouterr().err.splitlines()
    assert f"patchmark: {tasks}/acme__link-1: is a link; a folder of its own was expected" in said
    for number, (name, (_, words)) in enumerate(BAD.items()):
        mine = [x for x in said if x.startswith(f"patchmark: {tasks}/acme__bad-{number}: ")]
        assert len(mine) == 1, (name, mine)
        assert words in mine[0], name
    assert len(said) == len(BAD) + 1


@pytest.mark.parametrize("name", ["gone", "empty", "file"])
def test_what_is_no_task_repository(tmp_path: Path, there: Shop, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    assert taken(tmp_path / name, there, tmp_path / "out") == (2, [])
