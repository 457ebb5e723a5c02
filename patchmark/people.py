"""A form that people fill in: the same pairs that a model judges, as blind, in one order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import UsageError
from core.opinion import PEOPLE, Opinion
from core.redact import Redactor
from core.types import Stop
from models.review import Pair, better_of, rubric


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    pair: str
    better: Literal["A", "B", "tie", ""]


def write_form(path: Path, pairs: Sequence[Pair], redactor: Redactor) -> int:
    """Write a form, a line a pair, to a file that is not there; returns how many pairs."""
    by_id = {pair.id: pair for pair in pairs}
    lines = [json.dumps({"rubric": rubric().splitlines()})]
    # By their hashes: an order that says nothing of authors or tasks.
    for number, pair in sorted(by_id.items()):
        a, b = pair.shown(1)
        lines.append(
            json.dumps(
                {"pair": number, "better": "", "problem": pair.statement, "A": a, "B": b},
                ensure_ascii=False,
            )
        )
    content = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    try:
        with path.open("xb") as file:
            file.write(redactor.data(content))
    except OSError as error:
        raise UsageError(f"--rubric {path}: cannot be written: {error}") from error
    return len(by_id)


def read_form(path: Path, pairs: Sequence[Pair]) -> list[Opinion]:
    """What a person filled in, of the pairs that there are now. Raises UsageError with the line."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--rubric {path}: cannot be read: {error}") from error
    found: dict[str, _Line] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or (number == 1 and '"rubric"' in line):
            continue
        try:
            one = _Line.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(f"--rubric {path}:{number}: {where}: {first['msg']}") from error
        found[one.pair] = one
    return [
        _opinion(pair, said.better)
        for pair in pairs
        if (said := found.get(pair.id)) is not None and said.better != ""
    ]


def _opinion(pair: Pair, said: Literal["A", "B", "tie"]) -> Opinion:
    first = pair.first(1)
    return Opinion(
        judge=PEOPLE,
        task_id=pair.task.id,
        entrant=pair.patch.entrant,
        attempt=pair.patch.attempt,
        order=1,
        pair=pair.id,
        first=first,
        stop=Stop.ANSWERED,
        better=better_of(said, first),
    )
