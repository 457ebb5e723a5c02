"""SWE-bench rows: what is written for others, what is read of others, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.exported import clone, source
from support.interchange import FIX, NEW_TEST, Shop, foreign, lines, shop
from support.tasks import make_task

from core.types import Candidate, Expected
from patchmark import imported
from patchmark.cli import main
from patchmark.formats import reading, rows
from patchmark.formats.rows import COLUMNS


@pytest.fixture
def there(tmp_path: Path) -> Shop:
    return shop(tmp_path)


def taken(path: Path, shop: Shop, out: Path, name: str = "swebench") -> tuple[int, list[Candidate]]:
    """The exit code of an import, and the candidates that it left."""
    code = main(["import", f"--format={name}", str(path), f"--repo={shop.path}", f"--out={out}"])
    made = out / "candidates.jsonl"
    text = made.read_text("utf-8") if made.exists() else ""
    return code, [Candidate.model_validate_json(line) for line in text.splitlines()]


def test_a_run_is_written_with_the_columns_of_the_published_data_set(
    tmp_path: Path, there: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "rows.jsonl"
    assert main(["export", "--format=swebench", f"--out={there.run}", f"--to={to}"]) == 0
    assert capsys.readouterr().out == f"{to}: 1 task as swebench\n"
    (row,) = map(json.loads, to.read_text("utf-8").splitlines())
    assert tuple(row) == COLUMNS
    assert all(isinstance(value, str) for value in row.values())
    assert row["instance_id"] == there.name
    assert row["created_at"] == "2026-03-01T00:00:00Z"
    assert json.loads(row["FAIL_TO_PASS"]) == ["tests/test_calc.py::test_add"]
    # What is there already is never overwritten.
    assert main(["export", "--format=swebench", f"--out={there.run}", f"--to={to}"]) == 2


def test_what_was_exported_is_imported_as_the_same_candidate(tmp_path: Path, there: Shop) -> None:
    to = tmp_path / "rows.jsonl"
    main(["export", "--format=swebench", f"--out={there.run}", f"--to={to}"])
    code, candidates = taken(to, there, tmp_path / "again")
    assert code == 0
    assert candidates == [Candidate(**{n: getattr(there.task, n) for n in Candidate.model_fields})]
    # A proof is not believed, whoever brings it.
    assert not (tmp_path / "again" / "tasks.jsonl").exists()


def test_names_that_the_tests_expect_are_told_to_others_too(tmp_path: Path) -> None:
    expects = (Expected(kind="function", name="total", signature="(lines)", path="shop.py"),)
    task = make_task(expects=expects)
    row = rows.row_of(source(clone(tmp_path), [task]), task)
    assert row["problem_statement"].startswith(task.statement)
    assert "- function total(lines), in shop.py" in row["problem_statement"]


def test_a_row_of_others_becomes_a_candidate(tmp_path: Path, there: Shop) -> None:
    path = lines(tmp_path / "rows.jsonl", foreign(there, difficulty="<15 min", mine={"a": 1}))
    code, (candidate,) = taken(path, there, tmp_path / "out")
    assert code == 0
    assert candidate.title == "add() subtracts"
    assert candidate.source_files == ("calc.py",)
    assert candidate.test_files == ("tests/test_calc.py",)
    assert candidate.committed_at.isoformat() == "2024-05-06T07:08:09+00:00"
    claims = imported.read(tmp_path / "out")
    assert claims is not None
    (claim,) = claims.tasks.values()
    assert (claim.name, claim.where) == ("acme__shop-7", f"{path}:1")
    assert claim.kept == {
        "hints_text": "Look at the sign.", "version": "3.1", "environment_setup_commit": "e" * 40,
    }  # fmt: skip


def test_edits_of_the_fix_to_tests_go_to_the_tests(tmp_path: Path, there: Shop) -> None:
    """The judge would leave them out of the reference's own patch, which then failed."""
    conftest = NEW_TEST.replace("test_calc", "conftest")
    path = lines(tmp_path / "rows.jsonl", foreign(there, patch=conftest + FIX))
    _, (candidate,) = taken(path, there, tmp_path / "out")
    assert candidate.gold_patch == FIX
    assert candidate.test_patch == NEW_TEST + conftest


GOOD = "acme__shop-1"
BAD: dict[str, tuple[Any, str]] = {
    "not JSON": (b"{", "JSON was expected"),
    "no object": ([1], "an object with the columns of SWE-bench was expected"),
    "not UTF-8": (b'{"repo": "\xff"}', "byte 11 is not UTF-8"),
    "half a character": ({"problem_statement": "\ud800"}, "half a character"),
    "missing fields": ({"patch": ..., "FAIL_TO_PASS": ...}, "it lacks patch, FAIL_TO_PASS"),
    "null": ({"base_commit": None}, "it lacks base_commit"),
    "a number": ({"patch": 3}, "patch: text was expected, not int"),
    "tests that are no JSON": ({"FAIL_TO_PASS": "a.py::b"}, "FAIL_TO_PASS: JSON was expected"),
    "tests that are one string": ({"PASS_TO_PASS": '"a"'}, "PASS_TO_PASS: a list of names"),
    "tests that are numbers": ({"PASS_TO_PASS": [1]}, "PASS_TO_PASS: a list of names"),
    "a way out": ({"instance_id": "../../x"}, "instance_id '../../x': letters, digits"),
    "an absolute path": ({"instance_id": "/etc/x"}, "instance_id '/etc/x': letters, digits"),
    "the same name": ({"instance_id": GOOD}, "acme__shop-1 stands at"),
    "a short commit": ({"base_commit": "abc"}, "no clone at"),
    "another repository": ({"base_commit": "a" * 40}, "no clone at"),
    "an option": ({"base_commit": "--output=x"}, "no clone at"),
    "no diff": ({"patch": "mended"}, "the patch of the fix holds no change"),
    "no tests": ({"test_patch": ""}, "the patch of the tests holds no change"),
    "nothing to solve": ({"patch": NEW_TEST}, "changes nothing but tests"),
    "a patch that does not fit": (
        {"patch": FIX.replace("a - b", "a * b")}, "the patch does not apply to",
    ),
    "a test patch that does not fit": (
        {"test_patch": FIX.replace("a - b", "a * b").replace("calc.py", "test_calc.py")},
        "the test patch does not apply to",
    ),
    "a patch outside": ({"patch": FIX.replace("calc.py", "../calc.py")}, "does not apply to"),
}  # fmt: skip


def test_what_is_wrong_is_named_with_its_line_and_the_rest_goes_on(
    tmp_path: Path, there: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [
        foreign(there, **{"instance_id": f"acme__bad-{n}", **row}) if isinstance(row, dict) else row
        for n, (row, _) in enumerate(BAD.values())
    ]
    good = foreign(there, instance_id=GOOD, FAIL_TO_PASS='["a"]')
    last = foreign(there, instance_id="acme__shop-2")
    path = lines(tmp_path / "rows.jsonl", good, *bad, b"", last)
    code, candidates = taken(path, there, tmp_path / "out")
    assert (code, len(candidates)) == (7, 2)
    said = capsys.readouterr().err.splitlines()
    for number, (name, (_, words)) in enumerate(BAD.items(), 2):
        mine = [line for line in said if line.startswith(f"patchmark: {path}:{number}: ")]
        assert len(mine) == 1, (name, mine)
        assert words in mine[0], name
    assert len(said) == len(BAD)


def test_a_line_without_end_is_refused_and_not_held(
    tmp_path: Path, there: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reading, "LONGEST", 10_000)
    long = foreign(there, instance_id="a-1", problem_statement="x" * 40_000)
    path = lines(tmp_path / "rows.jsonl", long, foreign(there))
    code, candidates = taken(path, there, tmp_path / "out")
    assert (code, len(candidates)) == (7, 1)
    assert f"{path}:1: the line is longer than" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"\0" * 100])
def test_a_file_without_any_task(tmp_path: Path, there: Shop, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    assert taken(path, there, tmp_path / "out") == (2, [])
    assert not (tmp_path / "out").exists()


def test_neither_a_device_nor_a_folder_nor_nothing_is_read(tmp_path: Path, there: Shop) -> None:
    for path in (Path("/dev/zero"), tmp_path, tmp_path / "gone"):
        assert taken(path, there, tmp_path / "out")[0] == 2


def test_of_a_folder_of_clones_each_gets_a_run_folder(tmp_path: Path) -> None:
    one, two = (shop(tmp_path / "clones", name) for name in ("shop", "bank"))
    rows_of_both = [foreign(each, instance_id=f"a-{n}") for n, each in enumerate((one, two))]
    path = lines(tmp_path / "rows.jsonl", *rows_of_both)
    into = [f"--repo={tmp_path / 'clones'}", f"--out={tmp_path / 'out'}"]
    assert main(["import", "--format=swebench", str(path), *into]) == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["bank", "shop"]


def test_a_row_comes_back_as_it_was(tmp_path: Path, there: Shop) -> None:
    """Its name, and what no task has a field for, come back when it is exported again."""
    path = lines(tmp_path / "rows.jsonl", foreign(there))
    _, (candidate,) = taken(path, there, tmp_path / "out")
    given = {name: getattr(candidate, name) for name in Candidate.model_fields}
    task = make_task(**{k: v for k, v in given.items() if k != "schema_version"})
    with (tmp_path / "out" / "tasks.jsonl").open("w") as tasks:
        tasks.write(task.model_dump_json() + "\n")
    to = tmp_path / "again.jsonl"
    assert main(["export", "--format=swebench", f"--out={tmp_path / 'out'}", f"--to={to}"]) == 0
    (row,) = map(json.loads, to.read_text("utf-8").splitlines())
    before = foreign(there)
    same = ("instance_id", "patch", "test_patch", "problem_statement", *rows.KEPT)
    assert {name: row[name] for name in same} == {name: before[name] for name in same}


def test_what_to_do_next_is_said(
    tmp_path: Path, there: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tasks whose statement says nothing are kept apart: a run would leave them out, unsaid."""
    mute = foreign(there, instance_id="acme__mute-1", problem_statement="Bug")
    path = lines(tmp_path / "rows.jsonl", foreign(there), mute)
    out = tmp_path / "out"
    taken(path, there, out)
    assert capsys.readouterr().out == (
        f"{out}: 2 tasks to be proven, 1 of them kept apart for what their statements say\n"
        f"next: patchmark run --repo {there.path} --out {out} --max-tasks 2 --include-apart\n"
    )


def test_the_history_is_not_mined_for_imported_tasks(tmp_path: Path, there: Shop) -> None:
    path, out = lines(tmp_path / "rows.jsonl", foreign(there)), tmp_path / "out"
    _, before = taken(path, there, out)
    assert main(["mine", f"--repo={there.path}", f"--out={out}"]) == 0
    assert not (out / "mined.json").exists()
    assert len((out / "candidates.jsonl").read_text("utf-8").splitlines()) == len(before)


def test_merged_runs_keep_the_names_of_their_tasks(tmp_path: Path, there: Shop) -> None:
    for n in (1, 2):
        row = foreign(there, instance_id=f"acme__shop-{n}")
        taken(lines(tmp_path / f"{n}.jsonl", row), there, tmp_path / f"run-{n}")
    main(["merge", str(tmp_path / "run-1"), str(tmp_path / "run-2"), f"--out={tmp_path / 'all'}"])
    found = imported.read(tmp_path / "all")
    assert found is not None
    assert [claim.name for claim in found.tasks.values()] == ["acme__shop-1", "acme__shop-2"]


def test_tests_that_are_not_confirmed_are_told(tmp_path: Path, there: Shop) -> None:
    told = ["tests/test_calc.py::test_add", "tests/test_calc.py::test_gone[a"]
    path = lines(tmp_path / "rows.jsonl", foreign(there, FAIL_TO_PASS=told, PASS_TO_PASS=["x"]))
    _, (candidate,) = taken(path, there, tmp_path / "out")
    task = make_task(id=candidate.id, fail_to_pass=(told[0], "more"))
    assert imported.unconfirmed(tmp_path / "out", [task]) == (
        "Of acme__shop-7, 1 of 2 FAIL_TO_PASS (tests/test_calc.py::test_gone[a) and 1 of 1 "
        "PASS_TO_PASS (x) could not be confirmed here; what was proven here counts.",
    )
    # Harnesses cut names at a blank.
    whole = make_task(id=candidate.id, fail_to_pass=(told[0], f"{told[1]} b]"), pass_to_pass=("x",))
    assert imported.unconfirmed(tmp_path / "out", [whole]) == ()
