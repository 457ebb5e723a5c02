"""An Inspect task: `task.py`, a data set, and two containers a sample, one of which judges."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from core.types import Task
from patchmark.formats.base import Format, Problem, Source
from patchmark.formats.containers import (
    DIFF,
    KEEP_GIT,
    RUN_JUDGE,
    TAKE_DIFF,
    image_name,
    name_images,
)
from patchmark.formats.problem import FRAME, problem_statement
from patchmark.formats.writing import new_bytes, new_file
from sandbox.engine import Limits
from sandbox.portable import portable_judge


def write(source: Source, to: Path) -> list[Problem]:
    """A folder that `inspect eval` can be started in."""
    template = files("patchmark") / "formats" / "templates" / "inspect_task.py.txt"
    new_file(to / "task.py", template.read_text(encoding="utf-8").replace("{diff}", DIFF))
    new_bytes(to / "judge.pyz", portable_judge())
    new_file(to / "diff.sh", TAKE_DIFF)
    new_file(to / "judge.sh", f"{RUN_JUDGE} /tests/patch --seconds {Limits.seconds:g}\n")
    rows = (json.dumps(_sample(source, task), ensure_ascii=False) for task in source.tasks)
    new_file(to / "dataset.jsonl", "".join(f"{row}\n" for row in rows))
    for task in source.tasks:
        folder = to / "tasks" / source.names[task.id]
        new_file(folder / "task.json", task.model_dump_json())
        new_file(folder / "compose.yaml", yaml.safe_dump(_containers(task), sort_keys=False))
    return [*name_images(source)]


def _sample(source: Source, task: Task) -> dict[str, Any]:
    name = source.names[task.id]
    return {
        "id": name,
        "input": f"{FRAME}{problem_statement(task)}",
        "target": task.gold_patch,
        "setup": f"#!/bin/sh\n{KEEP_GIT}\n",
        "sandbox": ["docker", f"tasks/{name}/compose.yaml"],
        "metadata": {
            "title": task.title,
            "base_commit": task.base_commit,
            "languages": [*task.difficulty.languages],
            "changed_files": task.difficulty.files,
            "changed_lines": task.difficulty.lines,
            "seconds": Limits.seconds,
        },
    }


def _containers(task: Task) -> dict[str, Any]:
    limits = Limits(cpus=task.environment.cpus)
    one = {
        "image": image_name(task.image),
        "x-local": True,
        "init": True,
        "entrypoint": [],
        "command": "sleep infinity",
        "working_dir": "/repo",
        "network_mode": "none",
        "cpus": limits.cpus,
        "mem_limit": f"{limits.memory_mib}m",
        "pids_limit": limits.processes,
        "security_opt": ["no-new-privileges:true"],
    }
    return {"services": {"default": {**one, "x-default": True}, "judge": {**one}}}


FORMAT = Format(
    name="inspect",
    about="an Inspect task with its data set and containers",
    write=write,
)
