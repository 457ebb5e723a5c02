"""Exported tasks in the tools they are exported for: the real fix counts, and nothing else does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.calc_repo import CalcRepo
from support.exported import source
from support.harbor import Harbor
from support.inspecting import played

from core.types import Task
from patchmark.formats import harbor, inspect_eval
from patchmark.formats.base import Source
from patchmark.formats.containers import image_name
from sandbox.docker import DockerEngine

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(shutil.which("docker") is None, reason="both tools call `docker`"),
]


@pytest.fixture
def given(engine: DockerEngine, calc: CalcRepo, task: Task) -> Source:
    """The tiny task."""
    return source(calc.repository, [task], engine=lambda: engine)


def test_harbors_oracle_scores_one_and_its_nop_agent_nothing(
    tmp_path: Path, engine: DockerEngine, given: Source
) -> None:
    assert harbor.write(given, tmp_path / "tasks") == []
    tool = Harbor(tmp_path / "harbor", engine.endpoint)
    try:
        begun = [tool.run(tmp_path / "tasks", agent) for agent in ("oracle", "nop")]
        (folder,) = (tmp_path / "tasks").iterdir()
        lint = tool.start("lint", folder)
        said, _ = lint.communicate()
        assert (lint.returncode, said) == (0, "")
        ended = [one.communicate()[0] for one in begun]
        (name,) = (name.replace("__", "/") for name in given.names.values())
        assert tool.rewards("oracle") == {name: 1}, ended[0]
        assert tool.rewards("nop") == {name: 0}, ended[1]
    finally:
        _remove(engine, given.tasks[0])


def test_inspect_scores_what_an_agent_did_what_a_model_answered_and_nothing(
    tmp_path: Path, engine: DockerEngine, given: Source
) -> None:
    (task,) = given.tasks
    tasks = [
        task.model_copy(update={"id": f"{n}" * 12, "statement": f"This is problem {n}."})
        for n in range(3)
    ]
    folder = tmp_path / "inspect"
    more = source(given.clone, tasks, engine=given.engine)
    try:
        assert inspect_eval.write(more, folder) == []
        fix = f"git apply <<'END'\n{task.gold_patch}END\ngit commit -qam done"
        answer = f"So:\n```diff\n{task.gold_patch}```\n"
        found = played(
            folder,
            engine.endpoint,
            {
                tasks[0].statement: [("bash", {"command": fix}), ("submit", {"answer": "done"})],
                tasks[1].statement: [("submit", {"answer": answer})],
                tasks[2].statement: [("submit", {"answer": ""})],
            },
        )
        names = [more.names[one.id] for one in tasks]
        assert found == {"status": "success", "scores": dict(zip(names, (1, 1, 0), strict=True))}
    finally:
        _remove(engine, task)


def _remove(engine: DockerEngine, task: Task) -> None:
    """What Harbor has made of the image, and the name that it was exported by."""
    name = image_name(task.image)
    layers = set(engine._api.inspect_image(name)["RootFS"]["Layers"])
    for image in engine._api.images():
        tags = [tag for tag in image["RepoTags"] or () if tag.startswith("hb__")]
        if tags and layers <= set(engine._api.inspect_image(tags[0])["RootFS"]["Layers"]):
            engine._api.remove_image(tags[0], force=True)
    engine.remove_image(name)
