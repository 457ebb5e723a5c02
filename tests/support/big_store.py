"""A run folder of any size, as a run of that many verdicts leaves it. Invented, and the same each
time; written without a wait for the disk, so that a large one is made in a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from support.big_report import Writer, task_of
from support.report_data import CODES, HELD, START, drop, patch, verdict

from core.git import Repository
from core.outcomes import Stop
from core.store import FILES
from core.types import Call, Candidate, DropReason, Patch, Record, Task, Usage
from models.exchange import Exchange, SentRequest, Slot
from models.provider import Request
from patchmark import asked
from patchmark.settings import Flags, Settings, make
from sandbox.judge import verdict_key

BASELINES = ("reference", "empty")
ATTEMPTS = 3
_TESTS = 200
"""That must keep passing, of each task."""
_STOPS = {"N": Stop.REFUSED, "A": Stop.MISPLACED}


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    verdicts: int
    models: int = 9
    transcripts: float = 0.1
    """The share of the models' attempts whose requests and answers were kept."""
    characters: int = 30_000
    """Of the prompt in each of them; the answer is a third as long."""

    @property
    def names(self) -> list[str]:
        """All entrants."""
        return [*BASELINES, *(f"openai:model-{n}" for n in range(1, self.models + 1))]

    @property
    def tasks(self) -> int:
        """With which it is that many verdicts, rounded up."""
        return -(-self.verdicts // (ATTEMPTS * len(self.names)))


def big_store(folder: Path, repo: Path, size: Size, first: int = 0) -> Path:
    """A finished run over the tasks from number `first` on."""
    folder.mkdir(parents=True)
    writer = Writer(7 + first)
    flags = Flags(repo=repo, out=folder, models=",".join(size.names), attempts=ATTEMPTS,
                  max_tasks=size.tasks)  # fmt: skip
    settings = make(flags, {"OPENAI_API_KEY": "a key that is never used"})
    files = {kind: (folder / name).open("wb") for kind, name in FILES.items()}
    try:
        for number in range(first, first + size.tasks):
            _write(files, _of_task(number, writer, size, settings, folder))
        for number in range(8 * size.tasks):
            _write(files, [drop(number, DropReason.NO_TESTS, "mine", writer.prose(60))])
        _write(files, [HELD])
    finally:
        for file in files.values():
            file.close()
    asked.write(folder, settings, Repository(repo))
    return folder


def _write(files: Mapping[type[Record], BinaryIO], records: Iterable[Record]) -> None:
    for record in records:
        files[type(record)].write(record.model_dump_json().encode() + b"\n")


def _of_task(
    number: int, writer: Writer, size: Size, settings: Settings, folder: Path
) -> Iterator[Record]:
    made = task_of(number, writer)
    task = made.model_copy(
        update={
            "committed_at": START - timedelta(hours=7 * number + 3),
            "pass_to_pass": tuple(f"tests/test_part_{n % 9}.py::test_{n}" for n in range(_TESTS)),
        }
    )
    yield Candidate(**{name: getattr(task, name) for name in Candidate.model_fields})
    yield task
    for name in size.names:
        for attempt in range(1, ATTEMPTS + 1):
            letter = _letter(name, writer)
            answer = _answer(task, name, attempt, letter, writer)
            if name not in BASELINES and writer.random.random() < size.transcripts:
                answer = answer.model_copy(
                    update={"exchanges": _exchange(folder, task, answer, writer, size.characters)}
                )
            yield answer
            yield verdict(
                task, name, letter, attempt, key=verdict_key(task, answer, settings.limits),
                applied="exact", seconds=writer.random.uniform(2, 40),
            )  # fmt: skip


def _letter(name: str, writer: Writer) -> str:
    if name in BASELINES:
        return "P" if name == "reference" else "F"
    rate = 30 + 7 * int(name.rpartition("-")[2])
    letter = writer.random.choices("PFRNAT", (rate, 40, 8, 2, 3, 1))[0]
    assert letter in CODES
    return letter


def _answer(task: Task, name: str, attempt: int, letter: str, writer: Writer) -> Patch:
    if name in BASELINES:
        text = task.gold_patch if name == "reference" else ""
        return patch(
            task, name, attempt, diff=text, cost_usd=Decimal(0), seconds=None,
            first_token_seconds=None,
        )  # fmt: skip
    seconds = writer.random.uniform(5, 200)
    stop = _STOPS.get(letter, Stop.ANSWERED)
    return patch(
        task, name, attempt, stop=stop,
        diff=writer.patch(task.source_files) if stop is Stop.ANSWERED else "",
        cost_usd=Decimal(f"{writer.random.uniform(0.01, 0.4):.6f}"), seconds=seconds,
        first_token_seconds=seconds / 8,
        usage=Usage(input_tokens=9_000, output_tokens=700),
        calls=(Call(seconds=seconds, first_token_seconds=seconds / 8, output_tokens=700),),
    )  # fmt: skip


def _exchange(
    folder: Path, task: Task, answer: Patch, writer: Writer, characters: int
) -> tuple[str, ...]:
    """The files of one question and its answer; their names below the run folder."""
    slot = Slot(answer.entrant, task.id, answer.attempt)
    told = f"{task.title}\n\n{task.statement}\n\n"
    code = "\n".join(writer.code(3_900))
    code *= characters // len(code) + 1
    request = Request(
        provider="openai", model=answer.entrant, system="You mend bugs.",
        user=told + code[:characters], max_output_tokens=16_000,
    )  # fmt: skip
    sent = SentRequest(
        entrant=answer.entrant, task_id=task.id, attempt=answer.attempt, turn=1,
        request_sha256="0" * 64, requested_model=answer.entrant, number=1, request=request,
        sent_at=START, worst_usd=Decimal(1),
    )  # fmt: skip
    kept = sent.model_dump(exclude={"number", "sent_at"})
    done = Exchange(
        **kept, fiction=None, served_model=answer.entrant, text=code[: characters // 3],
        finish="stop", usage=answer.usage, first_token_seconds=answer.first_token_seconds,
        seconds=answer.seconds, cost_usd=answer.cost_usd, recorded_at=START,
    )  # fmt: skip
    path = folder / "exchanges" / slot.folder / f"{slot.stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(done.model_dump_json(indent=2).encode() + b"\n")
    path.with_suffix(".request.json").write_bytes(sent.model_dump_json(indent=2).encode() + b"\n")
    return (path.relative_to(folder).as_posix(),)
