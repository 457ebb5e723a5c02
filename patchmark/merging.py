"""`patchmark merge`: several run folders of one repository → one, with one report."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from core.confinement import Confinement
from core.errors import StoreError, UsageError
from core.opinion import Opinion
from core.store import RunFolder
from core.types import Candidate, Dropped, Patch, Probe, Record, Task, Verdict
from models.batch_store import pledged
from models.exchange_store import write_durably
from patchmark import asked
from patchmark.commands import known, to_report
from patchmark.options import ConfigFile, Json, Repo
from patchmark.pipeline import finish
from patchmark.recording import record
from patchmark.run import opinion_key
from patchmark.secrets import redactor_for
from patchmark.settings import Flags, make
from patchmark.under_test import open_repository, refuse_tracked

EPILOG = "Example: `patchmark merge shard-1 shard-2 --out all`"
R = TypeVar("R", bound=Record)
_Key = tuple[str, str, int]
"""Task, entrant, attempt."""


def merge(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    out: Annotated[Path, typer.Option(help="A new run folder for all of them.")],
    repo: Repo = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Put runs together: shards of one comparison, or the runs of several weeks.

    Where two hold the same attempt, the one that could be scored counts, else the later named.
    The folders given stay as they are.
    """
    join(runs, out, repo)
    settings = known(Flags(out=out, repo=repo, config=config))
    raise typer.Exit(to_report(settings, finish, as_json=as_json))


@dataclass(frozen=True)
class _Shard:
    """One of the folders."""

    folder: RunFolder
    asked: asked.Asked

    def attempts(self) -> dict[_Key, tuple[Patch, Verdict | None]]:
        """The latest of each."""
        verdicts = self.folder.latest(Verdict, _key)
        patches = self.folder.latest(Patch, _key).values()
        found = ((patch, verdicts.get(_key(patch))) for patch in patches)
        return {_key(patch): (patch, verdict) for patch, verdict in found}


def join(runs: Sequence[Path], out: Path, repo: Path | None) -> None:
    """Write the merged folder.

    Raises UsageError for folders that do not belong together or an `out` that is not new,
    StoreError for what cannot be read.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"--out {out}: is not empty; name a new folder")
    redactor = redactor_for(os.environ)
    with ExitStack() as stack:
        shards = [_opened(path, stack) for path in dict.fromkeys(run.resolve() for run in runs)]
        flags = _flags(shards, out, repo)
        settings = make(flags, os.environ)
        repository = open_repository(settings.repo)
        refuse_tracked(repository, out)
        _check(shards)
        merged = stack.enter_context(RunFolder(out, redactor))
        for each in _records(shards):
            merged.append(each)
        _exchanges(shards, merged)
        asked.write(merged.path, settings, repository)


def _opened(path: Path, stack: ExitStack) -> _Shard:
    what = asked.read(path) if path.is_dir() else None
    if what is None:
        raise UsageError(f"{path}: not a run folder; it has no {asked.NAME}")
    link = next((p for p in path.rglob("*") if p.is_symlink()), None)
    if link is not None:
        raise StoreError(f"{link}: is a link; a run folder has none")
    if pledged(path / "exchanges"):
        raise UsageError(f"{path}: answers are awaited from a batch; finish that run first")
    return _Shard(stack.enter_context(RunFolder(path, redactor_for(os.environ))), what)


def _flags(shards: Sequence[_Shard], out: Path, repo: Path | None) -> Flags:
    """What a run would have been asked that did all of this."""
    first = shards[0].asked
    for shard in shards:
        if not {*shard.asked.roots} & {*first.roots}:
            raise UsageError(f"{shard.folder.path}: a run of another repository")
        if shard.asked.rewrite_with != first.rewrite_with:
            raise UsageError(f"{shard.folder.path}: statements were rewritten by someone else")
    models = dict.fromkeys(name for shard in shards for name in shard.asked.models)
    tasks = {task.id for shard in shards for task in shard.folder.read(Task)}
    return Flags(
        repo=repo or first.repo,
        out=out,
        models=",".join(models),
        attempts=max(shard.asked.attempts for shard in shards),
        max_tasks=max(1, len(tasks)),
        include_apart=any(shard.asked.include_apart for shard in shards),
        rewrite_with=first.rewrite_with,
        probe=any(shard.asked.probe for shard in shards),
    )


def _check(shards: Sequence[_Shard]) -> None:
    """Raise UsageError where a task means two things: its verdicts cannot stand side by side."""
    proven: dict[tuple[str, str], tuple[str, Path]] = {}
    for shard in shards:
        latest = shard.folder.latest(Task, lambda task: (task.id, task.statement_source.value))
        for task in latest.values():
            name = (task.id, task.statement_source.value)
            key, path = proven.setdefault(name, (task.key, shard.folder.path))
            if key != task.key:
                raise UsageError(
                    f"{shard.folder.path}: task {task.id} was proven in another way than in "
                    f"{path}; merge runs of the same settings and version"
                )


def _records(shards: Sequence[_Shard]) -> Iterator[Record]:
    """All that the merged folder holds, each thing once."""
    yield from _latest(shards, Candidate, lambda one: one.fix_commit)
    yield from _latest(shards, Dropped, lambda one: (one.commit, one.stage))
    yield from _latest(shards, Task, lambda one: (one.id, one.statement_source))
    yield from _latest(shards, Probe, lambda one: (one.task_id, one.entrant))
    yield from _latest(shards, Opinion, opinion_key)
    yield from _latest(shards, Confinement, lambda one: one)
    for _, patch, verdict in _chosen(shards):
        yield patch
        if verdict is not None:
            yield verdict


def _latest(shards: Sequence[_Shard], kind: type[R], key: Callable[[R], Hashable]) -> Iterable[R]:
    found: dict[Hashable, R] = {}
    for shard in shards:
        found.update(shard.folder.latest(kind, key))
    return found.values()


def _chosen(shards: Sequence[_Shard]) -> list[tuple[_Shard, Patch, Verdict | None]]:
    """Each attempt once: the last of those that could be scored, else the last."""
    best: dict[_Key, tuple[bool, _Shard, Patch, Verdict | None]] = {}
    for shard in shards:
        for key, (patch, verdict) in shard.attempts().items():
            scored = verdict is not None and verdict.outcome.scored
            if key not in best or scored >= best[key][0]:
                best[key] = (scored, shard, patch, verdict)
    return [(shard, patch, verdict) for _, shard, patch, verdict in best.values()]


def _exchanges(shards: Sequence[_Shard], merged: RunFolder) -> None:
    """Questions and answers of all; of the same attempt those of the one that counts."""
    for shard in shards:
        record(shard.folder.exchanges, merged.path)
    for shard, patch, _ in _chosen(shards):
        for name in patch.exchanges:
            source, target = shard.folder.path / name, merged.path / name
            inside = source.resolve().is_relative_to(shard.folder.exchanges.resolve())
            if inside and source.is_file():
                write_durably(target, source.read_bytes())


def _key(one: Patch | Verdict) -> _Key:
    return (one.task_id, one.entrant, one.attempt)
