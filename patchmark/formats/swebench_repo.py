"""Task repositories of SWE-bench 5: `sweb.yaml`, and seven files for each task."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from core.diff import split
from core.errors import EngineError, UsageError
from core.types import Task
from patchmark.formats.base import Format, Problem, Read, Source, Told
from patchmark.formats.carried import EXTRA, carried, restored
from patchmark.formats.harness import RESULTS, Graded, graded
from patchmark.formats.names import full_slug, is_name
from patchmark.formats.problem import problem_statement
from patchmark.formats.reading import UnfitError, json_of, text_of
from patchmark.formats.rows import tests_of, version_of
from patchmark.formats.writing import new_file
from sandbox.base import USER
from sandbox.engine import Engine, File
from sandbox.tars import pack

_EXTRA = f"{EXTRA}.json"
_KEYS = (
    "instance_id", "repo", "version", "base_commit", "split", "image", "log_parser", "eval_type",
)  # fmt: skip
_FILES = (
    "task.yaml", "tests.json", "problem_statement.md", "gold.patch", "test.patch", "eval.sh",
    "Dockerfile",
)  # fmt: skip
_IMAGE = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*")
# Its containers work as root in /testbed, and are given a command but no entrypoint. Git would
# not work there otherwise, for the files belong to somebody else.
_DOCKERFILE = """FROM {image}
ENTRYPOINT []
USER root
RUN ln -sfn /repo /testbed && git config --system --add safe.directory '*'
"""
_EVAL = """#!/bin/bash
set -uxo pipefail
cd /testbed
{reset}
git apply --verbose - <<'{end}'
{test_patch}{end}
{left_out}
chown -R {user}:{user} /repo/.
cat > /tmp/patchmark-tests.sh <<'{end}'
{command}
{end}
as_user=""
command -v setpriv && as_user="setpriv --reuid={user} --regid={user} --clear-groups"
: '>>>>> Start Test Output'
env {variables} $as_user sh /tmp/patchmark-tests.sh
: '>>>>> End Test Output'
"""


def image_name(name: str) -> str:
    """The one image that the harness looks for. Raises UnfitError where none can be called so."""
    image = f"sweb.eval.x86_64.{name}".lower().replace("__", "_1776_")
    if not _IMAGE.fullmatch(image):
        raise UnfitError("no image can have its name, and the harness knows no other")
    return f"swebench/{image}:latest"


# --- writing ------------------------------------------------------------------------------


def write(source: Source, to: Path) -> list[Problem]:
    """A folder a task, and on the local engine an image for each, as the harness looks for it."""
    problems: list[Problem] = []
    written: list[Task] = []
    for task in source.tasks:
        name = source.names[task.id]
        try:
            files = _files(source, task, name)
        except UnfitError as error:
            problems.append(Problem(name, str(error)))
            continue
        for file, text in files.items():
            new_file(to / "tasks" / name / file, text)
        written.append(task)
    if not written:
        what = "; ".join(str(problem) for problem in problems)
        raise UsageError(f"not one task can be graded by SWE-bench: {what}")
    sweb = {"datasets": [full_slug(source.repository)], "splits": ["test"]}
    new_file(to / "sweb.yaml", yaml.safe_dump(sweb, sort_keys=False))
    return [*problems, *_images(source, written)]


def _files(source: Source, task: Task, name: str) -> dict[str, str]:
    how = graded(task)
    kept = source.kept.get(task.id, {})
    about = {
        "instance_id": name,
        "repo": full_slug(source.repository),
        "version": kept.get("version") or version_of(source, task),
        "base_commit": task.base_commit,
        "split": "test",
        "datasets": [full_slug(source.repository)],
        "image": image_name(name),
        "log_parser": how.parser,
        "eval_type": "pass_and_fail",
    }
    tests = {"FAIL_TO_PASS": how.fail_to_pass, "PASS_TO_PASS": how.pass_to_pass}
    files = {
        "task.yaml": yaml.safe_dump(about, sort_keys=False, allow_unicode=True),
        "tests.json": json.dumps(tests, indent=2, ensure_ascii=False) + "\n",
        "problem_statement.md": problem_statement(task),
        "gold.patch": task.gold_patch,
        "test.patch": task.test_patch,
        "eval.sh": _eval(task, how),
        "Dockerfile": _DOCKERFILE.format(image=task.image),
    }
    if kept.get("hints_text"):
        files["hints.md"] = kept["hints_text"]
    return {**files, _EXTRA: carried(task, _elsewhere(files, task.base_commit)) + "\n"}


def _elsewhere(files: dict[str, str], base_commit: str) -> dict[str, str]:
    return {
        "base_commit": base_commit,
        "gold_patch": files["gold.patch"],
        "test_patch": files["test.patch"],
        "problem_statement": files["problem_statement.md"],
        "tests": files["tests.json"],
    }


def _eval(task: Task, how: Graded) -> str:
    end = "PATCHMARK_END"
    while end in task.test_patch or end in how.command:
        end += "_"
    fixed = {
        "HOME": "/home/patchmark", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0",
        "PATCHMARK_RESULTS": RESULTS, **task.environment.fixed,
    }  # fmt: skip
    paths = sorted({path for section in split(task.test_patch) for path in section.paths})
    resets = (f"git checkout -q HEAD -- {p} || rm -rf -- {p}" for p in map(shlex.quote, paths))
    return _EVAL.format(
        reset="\n".join(resets),
        end=end,
        test_patch=task.test_patch if task.test_patch.endswith("\n") else f"{task.test_patch}\n",
        left_out=f"rm -rf -- {shlex.join(task.left_out)}" if task.left_out else ":",
        user=USER,
        command=how.command,
        variables=" ".join(f"{name}={shlex.quote(value)}" for name, value in fixed.items()),
    )


def _images(source: Source, tasks: Sequence[Task]) -> Iterator[Problem]:
    try:
        engine = source.engine()
    except EngineError as error:
        yield Problem("images", f"none were made, so nothing can be graded yet: {error}")
        return
    for task in tasks:
        name = source.names[task.id]
        if trouble := _image(engine, task, image_name(name)):
            yield Problem(name, f"it has no image, so it cannot be graded yet: {trouble}")


def _image(engine: Engine, task: Task, tag: str) -> str | None:
    if engine.image_id(task.image) is None:
        return f"{task.image[:19]} is gone; run `patchmark validate` and export again"
    dockerfile = _DOCKERFILE.format(image=task.image).encode()
    context = pack({"Dockerfile": File(content=dockerfile)})
    return engine.build_dockerfile(context, "Dockerfile", tag)


# --- reading ------------------------------------------------------------------------------


def read(path: Path) -> Read:
    """All tasks of a repository, or the one of a task's own folder."""
    found: list[Told] = []
    problems: list[Problem] = []
    for folder in _folders(path):
        try:
            found.append(_told(folder))
        except UnfitError as error:
            problems.append(Problem(str(folder), str(error)))
    return Read(tuple(found), tuple(problems))


def _folders(path: Path) -> list[Path]:
    if (path / "task.yaml").exists():
        return [path.absolute()]
    tasks = path / "tasks"
    if tasks.is_symlink() or not tasks.is_dir():
        raise UsageError(f"{path}: a folder with tasks/ was expected, or one with a task.yaml")
    return sorted(one for one in tasks.absolute().iterdir() if one.is_symlink() or one.is_dir())


def _told(folder: Path) -> Told:
    if folder.is_symlink():
        raise UnfitError("is a link; a folder of its own was expected")
    missing = [name for name in _FILES if not (folder / name).exists()]
    if missing:
        raise UnfitError(f"it lacks {', '.join(missing)}")
    files = {name: text_of(folder / name, below=folder) for name in _FILES}
    about = _about(files["task.yaml"])
    if about["instance_id"] != folder.name or not is_name(folder.name):
        name = about["instance_id"][:80]
        raise UnfitError(f"instance_id {name!r}: the folder's name was expected")
    if about["split"] == "deprecated":
        raise UnfitError("it is deprecated")
    tests = json_of(files["tests.json"], "tests.json")
    if not isinstance(tests, dict) or not {"FAIL_TO_PASS", "PASS_TO_PASS"} <= tests.keys():
        raise UnfitError("tests.json: an object with FAIL_TO_PASS and PASS_TO_PASS was expected")
    kept = {"version": about["version"], "hints_text": _optional(folder, "hints.md")}
    elsewhere = _elsewhere(files, about["base_commit"])
    return Told(
        where=str(folder),
        name=folder.name,
        repository=about["repo"],
        base_commit=about["base_commit"],
        gold_patch=files["gold.patch"],
        test_patch=files["test.patch"],
        statement=files["problem_statement.md"],
        fail_to_pass=tests_of(tests["FAIL_TO_PASS"], "FAIL_TO_PASS"),
        pass_to_pass=tests_of(tests["PASS_TO_PASS"], "PASS_TO_PASS"),
        kept={name: text for name, text in kept.items() if text},
        task=restored(_optional(folder, _EXTRA), elsewhere),
    )


def _optional(folder: Path, name: str) -> str:
    path = folder / name
    return text_of(path, below=folder) if path.exists() or path.is_symlink() else ""


def _about(text: str) -> dict[str, str]:
    try:
        about: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        raise UnfitError(f"task.yaml: YAML was expected: {said}") from error
    if not isinstance(about, dict):
        raise UnfitError("task.yaml: keys and values were expected")
    missing = [key for key in _KEYS if about.get(key) is None]
    if missing:
        raise UnfitError(f"task.yaml lacks {', '.join(missing)}")
    if odd := [key for key in _KEYS if not isinstance(about[key], str | int | float)]:
        raise UnfitError(f"task.yaml: {', '.join(odd)}: text was expected")
    return {key: str(about[key]) for key in _KEYS}


FORMAT = Format(
    name="swebench-repo",
    about="a task repository of SWE-bench 5, and the images that its harness looks for",
    write=write,
    read=read,
)
