"""Round trips lose nothing: every task comes back from every format as it was."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import given as each
from support.any_tasks import tasks
from support.exported import clone, source

from core.errors import UsageError
from core.git import Repository
from core.types import Task
from patchmark.formats.carried import carried, restored
from patchmark.formats.registry import FORMATS

BOTH_WAYS = [name for name, one in FORMATS.items() if one.write and one.read]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return clone(tmp_path_factory.mktemp("repository"))


@pytest.mark.parametrize("name", BOTH_WAYS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@each(given_tasks=tasks())
def test_export_and_import_give_equal_tasks(
    name: str, repository: Repository, given_tasks: list[Task]
) -> None:
    one = FORMATS[name]
    assert one.write is not None
    assert one.read is not None
    folder, given = Path(tempfile.mkdtemp()), source(repository, given_tasks)
    try:
        with suppress(UsageError):  # of a format into which none of them fits
            left_out = {said.where for said in one.write(given, folder / "there")}
        assume((folder / "there").exists())
        found = one.read(folder / "there")
    finally:
        shutil.rmtree(folder)
    assert found.problems == ()
    assert {told.name: told.task for told in found.tasks} == {
        given.names[task.id]: task for task in given_tasks if given.names[task.id] not in left_out
    }


@settings(max_examples=50, deadline=None)
@each(tasks(most=1))
def test_what_was_changed_since_is_not_the_task_any_more(found: list[Task]) -> None:
    (task,) = found
    rest = {"gold_patch": task.gold_patch, "said": task.statement}
    extra = carried(task, rest)
    assert restored(extra, rest) == task
    assert restored(extra, {**rest, "said": f"{task.statement} more"}) is None
    assert restored(extra.replace('"schema_version": 1', '"schema_version": 2'), rest) is None
