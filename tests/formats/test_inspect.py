"""An Inspect task as it is written; tests/sandbox/test_other_harnesses.py runs one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support.exported import clone, source
from support.tasks import make_task

from patchmark.formats import inspect_eval
from patchmark.formats.problem import FRAME

TASKS = [make_task(1), make_task(2, statement="`sub` is wrong too.")]
NAME = "acme__shop-000000000001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inspect_eval.write(source(clone(tmp_path / "clone"), TASKS), tmp_path / "out")
    return tmp_path / "out"


def test_a_sample_has_what_inspect_takes(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "dataset.jsonl").read_text().splitlines()]
    assert [row["input"] for row in rows] == [f"{FRAME}{task.statement}" for task in TASKS]
    assert rows[0]["id"] == NAME
    assert rows[0]["target"] == TASKS[0].gold_patch
    kind, containers = rows[0]["sandbox"]
    assert kind == "docker"
    assert (folder / containers).is_file()
    assert json.loads((folder / "tasks" / NAME / "task.json").read_text())["id"] == TASKS[0].id


def test_both_containers_are_shut_in_and_the_models_has_no_tests(folder: Path) -> None:
    found = yaml.safe_load((folder / "tasks" / NAME / "compose.yaml").read_text())
    assert set(found["services"]) == {"default", "judge"}
    for service in found["services"].values():
        assert service["network_mode"] == "none"
        assert "volumes" not in service
        assert "build" not in service
    assert [name for name, one in found["services"].items() if one.get("x-default")] == ["default"]


def test_the_task_file_is_python(folder: Path) -> None:
    text = (folder / "task.py").read_text()
    compile(text, "task.py", "exec")
    assert "/logs/artifacts/patchmark.diff" in text
