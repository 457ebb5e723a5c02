"""Rows as Parquet, read by the tools that people read them with."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import swebench
from support.exported import clone, source
from support.interchange import foreign, shop
from support.tasks import make_task

from core.errors import UsageError
from patchmark.cli import main
from patchmark.formats import parquet, rows

_LOAD = """
import json, sys
from datasets import load_dataset
found = {}
for kind, path in (("json", sys.argv[1]), ("parquet", sys.argv[2])):
    data = load_dataset(kind, data_files=path, split="train")
    found[kind] = [data.column_names, sorted({f.dtype for f in data.features.values()}), data[1]]
print(json.dumps(found, default=str))
"""


def test_datasets_reads_both_forms_alike(tmp_path: Path) -> None:
    given = source(clone(tmp_path / "repo"), [make_task(1), make_task(2, statement="Ü\r\n\tx")])
    rows.write(given, tmp_path / "rows.jsonl")
    parquet.write(given, tmp_path / "rows.parquet")
    (tmp_path / "load.py").write_text(_LOAD)
    done = swebench.run(tmp_path, "python", "load.py", "rows.jsonl", "rows.parquet")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = [list(rows.COLUMNS), ["string"], rows.row_of(given, given.tasks[1])]
    assert found["parquet"] == expected
    # Of JSON Lines the same library makes moments out of what looks like them.
    assert found["json"][0] == expected[0]
    assert found["json"][2]["patch"] == given.tasks[1].gold_patch


def test_lists_and_moments_of_others_are_read(tmp_path: Path) -> None:
    there = shop(tmp_path)
    day = datetime(2024, 1, 2, tzinfo=UTC)
    row = foreign(there, created_at=day, PASS_TO_PASS=["a", "b"], difficulty=3)
    bad = foreign(there, instance_id="a-2", patch=None, created_at=day, PASS_TO_PASS=[])
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([row, {**bad, "difficulty": 1}]), path)
    found = parquet.read(path)
    (told,) = found.tasks
    assert (told.created_at, told.pass_to_pass) == (day, ("a", "b"))
    assert [str(problem) for problem in found.problems] == [f"{path}: row 2: it lacks patch"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 99 + b"PAR1", b"{}\n"])
def test_what_is_no_parquet(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    there, path = shop(tmp_path), tmp_path / "rows.parquet"
    path.write_bytes(content)
    into = [f"--repo={there.path}", f"--out={tmp_path / 'out'}"]
    assert main(["import", "--format=swebench-parquet", str(path), *into]) == 2
    assert f"{path}: cannot be read as Parquet" in capsys.readouterr().err


def test_a_small_file_that_holds_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"repo": pa.array(["x" * 100_000] * 1000)}), path)
    assert path.stat().st_size < 20_000
    monkeypatch.setattr(parquet, "_MOST", 50_000_000)
    with pytest.raises(UsageError, match="holds more than"):
        parquet.read(path)


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = shop(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    to = tmp_path / "rows.parquet"
    code = main(["export", "--format=swebench-parquet", f"--out={there.run}", f"--to={to}"])
    assert code == 2
    assert "patchmark[parquet]" in capsys.readouterr().err
