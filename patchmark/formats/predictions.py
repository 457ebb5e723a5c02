"""Patches, one for each task and model: the predictions of SWE-bench."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from core.types import Patch
from models.spec import PREDICTIONS, check
from patchmark.formats.base import Format, Problem, Source
from patchmark.formats.reading import UnfitError, json_of, line_json, lines_of, text_of, whole
from patchmark.formats.writing import new_file

_LARGEST = 1 << 30
"""Bytes of a file that is one JSON value."""
_ODD = re.compile(r"[^A-Za-z0-9_.:/@-]+")


@dataclass(frozen=True)
class Prediction:
    """A patch as a file tells it."""

    where: str
    name: str
    """What others call the task."""
    model: str
    diff: str
    """Empty where there is none."""

    @property
    def entrant(self) -> str:
        """What its row of the report is called."""
        return f"{PREDICTIONS}:{_ODD.sub('-', self.model)}"


# --- reading ------------------------------------------------------------------------------


def read(path: Path) -> tuple[list[Prediction], list[Problem]]:
    """JSON Lines, a JSON list, or a JSON object by the tasks' names.

    Raises UsageError where nothing can be read at all.
    """
    found: dict[tuple[str, str], Prediction] = {}
    models: dict[str, str] = {}
    problems = []
    for where, item in _items(path):
        try:
            one = _prediction(where, *item(), path.stem)
        except UnfitError as error:
            problems.append(Problem(where, str(error)))
            continue
        called = models.setdefault(one.entrant, one.model)
        first = found.setdefault((one.name, one.entrant), one)
        if called != one.model:
            problems.append(Problem(where, f"{one.model!r} is called like {called!r} here"))
        elif first is not one:
            what = f"{one.name} of {one.model} stands at {first.where} already"
            problems.append(Problem(where, what))
    return [*found.values()], problems


def _prediction(where: str, value: object, key: str, stem: str) -> Prediction:
    """One of them; the file's name stands in for a model's that is not told."""
    if not isinstance(value, Mapping):
        raise UnfitError("an object with instance_id and model_patch was expected")
    name, diff = value.get("instance_id", key), value.get("model_patch", ...)
    model = value.get("model_name_or_path", stem)
    if not isinstance(name, str) or not name:
        raise UnfitError("it lacks instance_id, the name of a task")
    if key and name != key:
        raise UnfitError(f"instance_id {name!r} stands under {key!r}")
    if not isinstance(model, str):
        raise UnfitError("model_name_or_path: text was expected")
    if diff is not None and not isinstance(diff, str):
        raise UnfitError("model_patch: a git diff was expected, or null where there is none")
    one = Prediction(where, whole(name), whole(model), whole(diff or ""))
    try:
        check(one.entrant)
    except UsageError as error:
        raise UnfitError(f"model_name_or_path {model[:80]!r} is no usable name") from error
    return one


Item = tuple[str, Callable[[], tuple[object, str]]]
"""Where it stands, and what gives the value and the key that it stands under."""


def _items(path: Path) -> Iterator[Item]:
    if path.suffix != ".json":
        for number, line in lines_of(path):
            yield f"{path}:{number}", lambda at=number, raw=line: (line_json(raw, at), "")  # type: ignore[misc]
        return
    try:
        value = json_of(text_of(path, most=_LARGEST), path.name)
    except UnfitError as error:
        raise UsageError(f"{path}: {error}") from error
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}: {key}", lambda one=item, at=key: (one, at)  # type: ignore[misc]
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield f"{path}: item {number}", lambda one=item: (one, "")  # type: ignore[misc]
    else:
        raise UsageError(f"{path}: a list of predictions was expected, or an object of them")


# --- writing ------------------------------------------------------------------------------


def write(source: Source, to: Path) -> list[Problem]:
    """A file for each entrant and attempt: tools read a file as one model's only attempt.

    To a path that ends in .jsonl goes the only one there is.
    """
    files, problems = _files(source)
    if not files:
        raise UsageError("the run folder holds no patch of its tasks")
    if to.suffix == ".jsonl" and len(files) > 1:
        raise UsageError(f"--to {to}: there are {len(files)} entrants and attempts; name a folder")
    for name, patches in files.items():
        path = to if to.suffix == ".jsonl" else to / f"{name}.jsonl"
        new_file(path, "".join(f"{_line(source, patch)}\n" for patch in patches))
    return problems


def _files(source: Source) -> tuple[dict[str, list[Patch]], list[Problem]]:
    files: dict[str, list[Patch]] = {}
    problems = []
    order = {task.id: place for place, task in enumerate(source.tasks)}
    for patch in sorted(_of(source.patches, order), key=lambda p: (order[p.task_id], p.attempt)):
        if not patch.stop.final:
            what = f"{source.names[patch.task_id]}: no answer ({patch.stop.value})"
            problems.append(Problem(patch.entrant, what))
            continue
        files.setdefault(_file_name(patch), []).append(patch)
    return files, problems


def _file_name(patch: Patch) -> str:
    attempt = f".{patch.attempt}" if patch.attempt > 1 else ""
    name = _ODD.sub("-", model_of(patch)).replace("/", "__").replace(":", "-")
    return f"{name}{attempt}"


def _of(patches: Sequence[Patch], tasks: Mapping[str, int]) -> Iterable[Patch]:
    return (patch for patch in patches if patch.task_id in tasks)


def model_of(patch: Patch) -> str:
    """The model's name as others gave it, else the entrant's."""
    return patch.entrant.removeprefix(f"{PREDICTIONS}:")


def _line(source: Source, patch: Patch) -> str:
    row = {
        "instance_id": source.names[patch.task_id],
        "model_name_or_path": model_of(patch),
        "model_patch": patch.diff,
    }
    return json.dumps(row, ensure_ascii=False)


FORMAT = Format(
    name="predictions",
    about="patches as predictions of SWE-bench, a file for each entrant and attempt",
    write=write,
)
