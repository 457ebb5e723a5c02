"""The files of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.report_cases import NAMES, case

from core.errors import UsageError
from core.report import Report
from reports.files import write
from reports.html import page
from reports.markdown import summary


def test_all_files_are_written_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "run"
    paths = write(case("demo"), folder)
    assert [path.name for path in paths] == [
        "report.md", "report.html", "report.json", "report.csv", "junit.xml", "badge.svg",
    ]  # fmt: skip
    assert sorted(folder.iterdir()) == sorted(paths)
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o644}
    assert paths[0].read_text(encoding="utf-8") == summary(case("demo"))
    assert paths[1].read_text(encoding="utf-8") == page(case("demo"))


@pytest.mark.parametrize("name", NAMES)
def test_the_json_gives_the_report_back(tmp_path: Path, name: str) -> None:
    path = write(case(name), tmp_path)[2]
    assert Report.model_validate_json(path.read_bytes()) == case(name)


def test_money_is_text_so_that_no_digit_is_lost(tmp_path: Path) -> None:
    data = json.loads(write(case("demo"), tmp_path)[2].read_text(encoding="utf-8"))
    costs = [row["cost_usd"] for row in data["entrants"]]
    assert all(isinstance(cost, str) for cost in costs)


def test_older_files_are_replaced(tmp_path: Path) -> None:
    write(case("all passed"), tmp_path)
    write(case("demo"), tmp_path)
    assert len(list(tmp_path.iterdir())) == 6
    assert "replay:careful" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="taken: the report cannot be written"):
        write(case("demo"), path)


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    write(case("all passed"), tmp_path)
    before = (tmp_path / "report.md").read_bytes()
    (tmp_path / "report.html").unlink()
    (tmp_path / "report.html").mkdir()
    with pytest.raises(UsageError):
        write(case("demo"), tmp_path)
    assert (tmp_path / "report.md").read_bytes() != before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(list(tmp_path.iterdir())) == 6
