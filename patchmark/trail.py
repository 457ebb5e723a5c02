"""From the run folder's exchanges to what a report shows of them, cut to bounds."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

from core.errors import StoreError
from core.types import Patch, Task, Verdict
from models.dialog import Call, Result, arguments_text
from models.exchange import Exchange, Failure
from models.exchange_store import kept
from patchmark.run import Run
from reports.trail import AttemptTrail, Spoken, Trail

_ALL_CHARACTERS = 12_000_000
"""Of all transcripts in one report, shared out evenly."""
_ATTEMPT_CHARACTERS = (2_000, 40_000)
_FEWEST_CHARACTERS = 300
"""Of what one request asked, or was answered."""
_FIRST_CALLS, _LAST_CALLS = 4, 16
"""How a long dialog begins, and how it ends; the middle stays in the run folder."""
_TEST_NAMES = 60


def trail_of(run: Run, wanted: Container[str]) -> Trail:
    """What is on disk of the attempts at these tasks, by id; nothing is asked anew."""
    tasks = [task for task in run.all_tasks() if task.id in wanted]
    patches, verdicts = run.patches(), run.verdicts()
    named = {task.id for task in tasks}
    keys = [key for key in patches if key[0] in named]
    least, most = _ATTEMPT_CHARACTERS
    room = max(least, min(most, _ALL_CHARACTERS // max(1, len(keys))))
    found = Trail(
        fail_to_pass=dict(map(_names, tasks)),
        attempts={
            key: _attempt(run.folder.path, patches[key], verdicts.get(key), room) for key in keys
        },
    )
    return run.settings.redactor.record(found)


def _names(task: Task) -> tuple[str, tuple[str, ...]]:
    return task.id, task.fail_to_pass[:_TEST_NAMES]


def _attempt(folder: Path, patch: Patch, verdict: Verdict | None, room: int) -> AttemptTrail:
    first, last = patch.exchanges[:_FIRST_CALLS], patch.exchanges[_FIRST_CALLS:]
    names = [*first, *last[-_LAST_CALLS:]]
    return AttemptTrail(
        calls=tuple(_spoken(folder, names, room // max(1, len(names)))),
        more_calls=len(patch.exchanges) - len(names),
        test_seconds=verdict.seconds if verdict else None,
        applied=verdict.applied if verdict else "",
        did=verdict.evidence if verdict else (),
    )


def _spoken(folder: Path, names: Iterable[str], room: int) -> Iterator[Spoken]:
    before: datetime | None = None
    for name in names:
        try:
            record = kept(_below(folder, name))
        except StoreError:
            yield Spoken(asked="", answered="", error="this file cannot be read", file=name)
            continue
        yield _told(record, name, before, max(_FEWEST_CHARACTERS, room // 2))
        before = record.recorded_at


def _below(folder: Path, name: str) -> Path:
    if not name.startswith("exchanges/") or ".." in PurePosixPath(name).parts:
        raise StoreError(f"{name}: is no file of this run")
    return folder / name


def _told(record: Exchange | Failure, name: str, before: datetime | None, room: int) -> Spoken:
    answered = record.text
    asked = ""
    if isinstance(record, Exchange):
        answered = "\n".join([record.text, *map(_call, record.calls)]).strip()
        asked = _question(record)
    question, less = cut(asked, room)
    answer, more = cut(answered, room)
    return Spoken(
        asked=question,
        answered=answer,
        left_out=less + more,
        error=record.error if isinstance(record, Failure) else "",
        waited=record.backoff_seconds + record.queued_seconds,
        worked=_worked(record, before),
        first_token=record.first_token_seconds if isinstance(record, Exchange) else None,
        seconds=record.seconds,
        input_tokens=record.usage.input_tokens if record.usage else None,
        output_tokens=record.usage.output_tokens if record.usage else None,
        cost_usd=record.cost_usd,
        file=name,
    )


def _question(exchange: Exchange) -> str:
    """What was said last; nothing where a recording does not hold it."""
    request = exchange.request
    if request is None:
        return ""
    if not request.turns:
        return request.user
    turn = request.turns[-1]
    return "\n".join([*map(_result, turn.results), turn.reply]).strip()


def _call(call: Call) -> str:
    values = list(call.arguments.values())
    words = str(values[0]) if len(values) == 1 else arguments_text(call)
    return f"▸ {call.name}: {words}"


def _result(result: Result) -> str:
    return f"◂ {result.call.name}{' failed' if result.failed else ''}: {result.content}"


def _worked(record: Exchange | Failure, before: datetime | None) -> float:
    """What the clock says passed since the answer before and was no waiting."""
    if before is None or record.seconds is None:
        return 0
    took = record.seconds + record.backoff_seconds + record.queued_seconds
    return max(0.0, (record.recorded_at - before - timedelta(seconds=took)).total_seconds())


def cut(text: str, room: int) -> tuple[str, int]:
    """A text's beginning and end within `room` characters, and how many are left out."""
    less = len(text) - room
    if less <= 0:
        return text, 0
    head = room * 2 // 3
    parts: Sequence[str] = (text[:head], text[len(text) - (room - head) :])
    return f"\n[… {less:,} characters left out …]\n".join(parts), less
