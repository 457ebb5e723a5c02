"""The exchanges on disk. A paid answer is never lost and never paid for twice.

Every file is written whole or not at all and is on disk when the call returns. Nothing is
ever deleted: an answer to another prompt is set aside under the hash of its request, and
comes back when that prompt does.
"""

from __future__ import annotations

import os
import threading
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import StoreError
from core.redact import Redactor
from core.types import Record
from models.exchange import Exchange, Failure, SentRequest, Slot, Waited
from models.provider import Request

R = TypeVar("R", Exchange, Failure, SentRequest)
M = TypeVar("M", bound=BaseModel)


class ExchangeStore:
    """An `exchanges` folder. Safe from many threads, one of them to a slot."""

    def __init__(self, folder: Path, redactor: Redactor):
        self.folder = folder
        self._redactor = redactor

    def answer(self, slot: Slot) -> Exchange | None:
        """The kept answer. Raises StoreError, naming the file, when it is damaged."""
        return _load(Exchange, self.path(slot), slot)

    def sent(self, slot: Slot) -> SentRequest | None:
        """The last request that was about to be sent."""
        return _load(SentRequest, self.path(slot, ".request"), slot)

    def failures(self, slot: Slot) -> list[Failure]:
        """All failed requests, oldest first."""
        paths = self.path(slot).parent.glob(f"{slot.stem}.failed-*.json")
        found = [_load(Failure, path, slot) for path in paths]
        return sorted((f for f in found if f is not None), key=lambda failure: failure.number)

    def path(self, slot: Slot, part: str = "") -> Path:
        """The file of a slot; `part` is "", ".request" or ".failed-N"."""
        return self.folder / slot.folder / f"{slot.stem}{part}.json"

    def names(self, slot: Slot) -> tuple[str, ...]:
        """The answer's and the failures' files, relative to the run folder."""
        parts = [f".failed-{failure.number}" for failure in self.failures(slot)]
        paths = [self.path(slot, part) for part in ["", *parts]]
        return tuple(
            path.relative_to(self.folder.parent).as_posix() for path in paths if path.exists()
        )

    def awaited(self, slot: Slot) -> str | None:
        """The batch that the last request was sent in, where that brought nothing yet."""
        sent = self.sent(slot)
        if sent is None or self.answer(slot) is not None or self._failed(slot, sent):
            return None
        return sent.batch

    def begin(
        self,
        slot: Slot,
        request: Request,
        key: str,
        now: datetime,
        waited: Waited,
        batch: str | None = None,
        worst: Decimal | None = None,
    ) -> SentRequest:
        """Keep a request that is about to be sent; it is on disk when this returns.

        Of a dialog only what was said last is kept: the rest stands in the turns before.
        """
        number = len(self.failures(slot)) + 1
        record = SentRequest(
            entrant=slot.entrant,
            task_id=slot.task_id,
            attempt=slot.attempt,
            turn=slot.turn,
            request_sha256=key,
            requested_model=request.model,
            batch=batch,
            number=number,
            request=request.model_copy(update={"turns": request.turns[-1:]}),
            sent_at=now,
            backoff_seconds=round(waited.backoff, 3),
            queued_seconds=round(waited.queued, 3),
            worst_usd=worst,
        )
        self._write(self.path(slot, ".request"), record)
        return record

    def keep_answer(self, slot: Slot, exchange: Exchange) -> Exchange:
        """Keep an answer; it is on disk when this returns, and returned as it is there."""
        return self._write(self.path(slot), exchange)

    def keep_failure(self, slot: Slot, failure: Failure) -> None:
        """Keep a failure; it is on disk when this returns."""
        self._write(self.path(slot, f".failed-{failure.number}"), failure)

    def recall(self, slot: Slot, sha256: str, now: datetime) -> Exchange | None:
        """The answer to exactly the request of this key, if it was ever paid for.

        What is there of another prompt is set aside. A request that was under way when a
        run was killed becomes a failure of unknown cost.
        """
        for other in self._hashes(slot) - {sha256}:
            self._rename(slot, "", aside(other))
        self._rename(slot, aside(sha256), "")
        answer = self.answer(slot)
        if answer is None:
            self._close_interrupted(slot, now)
        return answer

    def adopt(self, slot: Slot, source: ExchangeStore) -> None:
        """Copy a slot's answer and failures from another folder, so that this one is whole."""
        if source.folder.resolve() == self.folder.resolve():
            return
        failed = [f".failed-{failure.number}" for failure in source.failures(slot)]
        parts = [part for part in ["", *failed] if source.path(slot, part).exists()]
        contents = {part: self._adopted(source.path(slot, part)) for part in parts}
        if all(_same(self.path(slot, part), content) for part, content in contents.items()):
            return
        for other in self._hashes(slot):
            self._rename(slot, "", aside(other))
        for part, content in contents.items():
            write_durably(self.path(slot, part), content)

    def _hashes(self, slot: Slot) -> set[str | None]:
        kept = [self.answer(slot), self.sent(slot), *self.failures(slot)]
        return {record.request_sha256 for record in kept if record is not None}

    def _rename(self, slot: Slot, old: str, new: str) -> None:
        """Rename all files of a slot; done again from the start after a crash half way."""
        folder = self.path(slot).parent
        parts = [p.name.removeprefix(slot.stem + old) for p in folder.glob(f"{slot.stem}{old}.*")]
        moved = [part for part in sorted(parts) if not part.startswith(".aside-")]
        for part in moved:
            (folder / f"{slot.stem}{old}{part}").rename(free(folder / f"{slot.stem}{new}{part}"))
        if moved:
            _sync_folder(folder)

    def _close_interrupted(self, slot: Slot, now: datetime) -> None:
        sent = self.sent(slot)
        if sent is None or sent.batch is not None or self._failed(slot, sent):
            return  # what was sent in a batch goes on without us
        self.keep_failure(
            slot,
            Failure(
                **sent.model_dump(exclude={"request", "sent_at"}),
                served_model=None,
                error="the run ended while the answer was awaited",
                text="",
                usage=None,
                cost_usd=None,
                seconds=None,
                recorded_at=now,
            ),
        )

    def _failed(self, slot: Slot, sent: SentRequest) -> bool:
        return any(failure.number == sent.number for failure in self.failures(slot))

    def _write(self, path: Path, record: R) -> R:
        kept = self._redacted(record)
        write_durably(path, _text(kept))
        return kept

    def _redacted(self, record: R) -> R:
        kept = self._redactor.record(record)
        return record if kept is record else kept.model_copy(update={"redacted": True})

    def _adopted(self, path: Path) -> bytes:
        """Another store's file as this one keeps it: byte for byte, where it holds no secret."""
        content = path.read_bytes()
        if self._redactor.data(content) == content:
            return content
        if ".failed-" in path.name:
            return _text(self._redacted(parse(Failure, path)))
        return _text(self._redacted(parse(Exchange, path)))


def kept(path: Path) -> Exchange | Failure:
    """An answer or a failure, of a name that `names` gave. Raises StoreError, naming the file."""
    return parse(Failure, path) if ".failed-" in path.name else parse(Exchange, path)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; file and folder are on disk when this returns."""
    try:
        _make_folder(path.parent)
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _text(record: Record) -> bytes:
    return record.model_dump_json(indent=2).encode() + b"\n"


def _same(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


def aside(sha256: str | None) -> str:
    """What stands in the names of files of another question, by its hash."""
    return f".aside-{sha256[:16] if sha256 else 'unhashed'}"


def free(path: Path) -> Path:
    """The path, or the first one like it that does not exist yet."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}.{number}")
    return candidate


def _load(kind: type[R], path: Path, slot: Slot) -> R | None:
    if not path.exists():
        return None
    record = parse(kind, path)
    if (record.task_id, record.attempt, record.turn) != (slot.task_id, slot.attempt, slot.turn):
        raise StoreError(f"{path}: is about {record.task_id}.{record.attempt}.{record.turn}")
    return record


def parse(kind: type[M], path: Path) -> M:
    """A file of one record. Raises StoreError, naming the file, when it is damaged."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise StoreError(f"{path}: damaged: {what}") from error
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error}") from error
