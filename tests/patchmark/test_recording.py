"""`--record`: a run's questions and answers in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UsageError
from patchmark.recording import check, record


def test_all_is_copied_once_and_nothing_is_lost(tmp_path: Path) -> None:
    exchanges, to = tmp_path / "run/exchanges", tmp_path / "kept"
    files = {"a@m/1.1.1.json": "one", "a@m/1.1.1.request.json": "asked", "b/1.1.2.json": "two"}
    for name, text in files.items():
        (exchanges / name).parent.mkdir(parents=True, exist_ok=True)
        (exchanges / name).write_text(text)
    (exchanges / "a@m/.1.1.1.json.99-1").write_text("half")
    assert record(exchanges, to) == 3
    assert record(exchanges, to) == 0
    (exchanges / "b/1.1.2.json").write_text("anew")
    (to / "exchanges/c").mkdir()
    (to / "exchanges/c/of-another-run.json").write_text("stays")
    assert record(exchanges, to) == 1
    kept = {p.relative_to(to / "exchanges").as_posix(): p.read_text() for p in to.rglob("*.json")}
    assert kept == {**files, "b/1.1.2.json": "anew", "c/of-another-run.json": "stays"}
    assert not list(to.rglob(".*"))


def test_a_failure_of_another_question_is_not_recorded_beside_an_answer(tmp_path: Path) -> None:
    """Bug: a later run's answer was replayed with what an older question's failure had cost."""
    exchanges, to = tmp_path / "run/exchanges", tmp_path / "kept"
    failure, answer = exchanges / "a@m/t.1.1.failed-1.json", exchanges / "a@m/t.1.1.json"
    failure.parent.mkdir(parents=True)
    failure.write_text('{"request_sha256": "00112233445566778899"}')
    answer.write_text("old")
    record(exchanges, to)
    for path in (failure, answer):  # as the store does where another question is asked
        path.rename(path.with_name(path.name.replace("t.1.1.", "t.1.1.aside-0011223344556677.")))
    answer.write_text("new")
    other = to / "exchanges/a@m/u.1.1.failed-1.json"
    other.write_text("{}")
    record(exchanges, to)
    kept = {path.name for path in (to / "exchanges/a@m").iterdir()}
    assert "t.1.1.failed-1.json" not in kept
    assert {"t.1.1.json", "t.1.1.aside-0011223344556677.failed-1.json", other.name} <= kept
    assert (to / "exchanges/a@m/t.1.1.json").read_text() == "new"


def test_a_folder_that_the_run_uses_itself(tmp_path: Path) -> None:
    for folder in (tmp_path / "out", tmp_path / "old"):
        with pytest.raises(UsageError, match="give a folder of its own"):
            check(folder, tmp_path / "out", tmp_path / "old")
    check(tmp_path / "kept", tmp_path / "out", None)
    check(None, tmp_path, None)
