"""The files a run leaves behind for people and programs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.digest import Digest
from core.errors import UsageError
from core.report import Report
from reports import change_check_comment, trail
from reports.badge import badge
from reports.earlier import changes_of, earlier
from reports.html import page
from reports.junit import suites
from reports.markdown import summary
from reports.rows import table
from reports.trends import trends_of


def write(
    report: Report,
    folder: Path,
    followed: trail.Trail = trail.NONE,
    history: Sequence[Digest] = (),
) -> list[Path]:
    """Write report.md, .html, .json, .csv, junit.xml and badge.svg into `folder`; their paths.

    Runs of a `history` are shown beside this one, and the latest of them is compared with.

    Each file is replaced as a whole: a reader sees the old one or the new one. In the JSON,
    money is a string, so that no digit is lost. Raises UsageError where a file cannot be
    written.
    """
    before, sheet, about = earlier(report, history), table(report), report.change
    html = page(report, followed, trends_of(before), changes_of(report, before), sheet)
    latest = before[-1] if before else None
    comment = change_check_comment.comment(report, about) if about else summary(report, latest)
    texts: dict[str, Iterable[str]] = {
        "report.md": [comment],
        "report.html": [html],
        "report.json": as_json(report),
        "report.csv": [sheet],
        "junit.xml": [suites(report)],
        "badge.svg": [badge(report)],
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _replace(folder / name, text)
    except OSError as error:
        raise UsageError(f"{folder}: the report cannot be written: {error}") from error
    return [folder / name for name in texts]


def as_json(report: Report) -> Iterator[str]:
    """`report.json`, a task at a time: all patches of a large run are never in one text."""
    rest = report.model_copy(update={"tasks": (), "apart_tasks": ()}).model_dump_json(indent=2)
    for name, tasks in (("tasks", report.tasks), ("apart_tasks", report.apart_tasks)):
        # A break of a line is ours: within texts of JSON it is escaped.
        before, empty, rest = rest.partition(f'\n  "{name}": []')
        yield before
        yield empty.removesuffix("]")
        for number, task in enumerate(tasks):
            text = task.model_dump_json(indent=2).replace("\n", "\n    ")
            yield f"{',' if number else ''}\n    {text}"
        yield "\n  ]" if tasks else "]"
    yield f"{rest}\n"


def _replace(path: Path, parts: Iterable[str]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(part.encode() for part in parts)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)  # mkstemp gives 0600, and others have to read reports
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
