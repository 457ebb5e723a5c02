"""`patchmark merge`: several run folders of one repository → one, with one report."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from core.attempts import Key
from core.confinement import Confinement
from core.errors import InfrastructureError, StoreError, UsageError
from core.git import Repository
from core.opinion import Opinion, opinion_key
from core.store import RunFolder
from core.types import Candidate, Dropped, Patch, Probe, Record, Task, Verdict
from models.batch_store import pledged
from models.budget import Budget
from models.exchange_store import write_durably
from patchmark import asked, imported, partial
from patchmark.commands import errors, known, to_report
from patchmark.mining import together
from patchmark.options import (
    ConfigFile,
    FailIfWorseThan,
    FailUnder,
    Json,
    MaxCostPerSolve,
    Repo,
)
from patchmark.pipeline import finish
from patchmark.progress import Show
from patchmark.recording import record
from patchmark.run import Run
from patchmark.secrets import redactor_for
from patchmark.settings import Flags, make
from patchmark.sharding import parse
from patchmark.under_test import open_repository, refuse_tracked

EPILOG = "Example: `patchmark merge shard-1 shard-2 --out all`"
R = TypeVar("R", bound=Record)


def merge(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    out: Annotated[Path, typer.Option(help="A new run folder for all of them.")],
    expect: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Shards there should be; lost folders are named."),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Do not exit with 3 where a shard is missing.")
    ] = False,
    repo: Repo = None,
    fail_under: FailUnder = None,
    fail_if_worse_than: FailIfWorseThan = None,
    max_cost_per_solve: MaxCostPerSolve = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Put runs together: shards of one comparison, or the runs of several weeks.

    Where two hold the same attempt, the one that could be scored counts, else the later named.
    The folders given stay as they are.
    """
    missing = join(runs, out, repo, config=config, expect=expect)
    flags = Flags(
        out=out, repo=repo, config=config, fail_under=fail_under,
        fail_if_worse_than=fail_if_worse_than, max_cost_per_solve=max_cost_per_solve,
    )  # fmt: skip
    code = to_report(known(flags), finish, as_json=as_json)
    raise typer.Exit(InfrastructureError.exit_code if missing and not allow_missing else code)


@dataclass(frozen=True)
class _Shard:
    """One of the folders."""

    folder: RunFolder
    asked: asked.Asked

    @cached_property
    def patches(self) -> Mapping[Key, Patch]:
        """The latest of each attempt, read when it is looked at."""
        return self.folder.attempts(Patch)

    @cached_property
    def verdicts(self) -> Mapping[Key, Verdict]:
        """Likewise."""
        return self.folder.attempts(Verdict)


def join(
    runs: Sequence[Path],
    out: Path,
    repo: Path | None,
    *,
    config: Path | None = None,
    expect: int | None = None,
) -> tuple[int, ...]:
    """Write the merged folder; returns the shards that are missing.

    Where so many shards are expected, folders may be missing or empty. Raises UsageError for
    folders that do not belong together or an `out` that is not new, StoreError for what cannot
    be read.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--out {out}: is not empty; name a new folder")
    redactor = redactor_for(os.environ)
    with ExitStack() as stack:
        paths = dict.fromkeys(run.resolve() for run in runs)
        there = [p for p in paths if expect is None or (p / asked.NAME).exists()]
        if not there:
            raise UsageError(f"not one of {len(paths)} folders is a run folder")
        shards = [_opened(path, stack) for path in there]
        split = _split(shards, expect)
        flags = replace(_flags(shards, out, repo, sharded=bool(split.of)), config=config)
        settings = make(flags, os.environ)
        repository = open_repository(settings.repo)
        refuse_tracked(repository, out)
        _check(shards)
        merged = stack.enter_context(RunFolder(out, redactor))
        unused = _unused(shards, flags, repository)
        chosen = _chosen(shards)
        merged.append_all(
            each
            for each in _records(shards, chosen)
            if not isinstance(each, Task) or each.id not in unused
        )
        _exchanges(shards, chosen, merged)
        asked.write(merged.path, settings, repository)
        if split.of:
            together([shard.folder.path for shard in shards], merged.path)
        imported.together([shard.folder.path for shard in shards], merged.path, redactor)
        partial.write(merged.path, split)
    return split.missing


def _split(shards: Sequence[_Shard], expect: int | None) -> partial.Partial:
    """What is left undone by all of them. Raises UsageError for shards of several splits."""
    parts = [parse(shard.asked.shard) for shard in shards if shard.asked.shard]
    splits = {part.of for part in parts} | ({expect} if expect else set())
    if len(splits) > 1 or (parts and len(parts) < len(shards)) or (expect and not parts):
        names = ", ".join(shard.asked.shard or "no shard" for shard in shards)
        wanted = f"; expected were {expect}" if expect else ""
        raise UsageError(f"shards of one run are merged without anything else: {names}{wanted}")
    of = max(splits, default=0)
    limits = [partial.read(shard.folder.path).minutes for shard in shards]
    return partial.Partial(
        minutes=max((minutes for minutes in limits if minutes is not None), default=None),
        of=of,
        missing=tuple(sorted({*range(1, of + 1)} - {part.number for part in parts})),
    )


def _unused(shards: Sequence[_Shard], flags: Flags, repository: Repository) -> set[str]:
    """Tasks that a shard has proven beyond its share, as it does while others are under way.

    Among those of all shards they would take the place of tasks that models were asked about.
    """
    proven, used = set[str](), set[str]()
    for shard in shards:
        if shard.asked.shard:
            folder = shard.folder
            of_it = known(Flags(out=folder.path, repo=flags.repo, config=flags.config))
            run = Run(of_it, folder, repository, Budget(None), Show(errors(), Decimal))
            proven |= {task.id for task in folder.read(Task)}
            used |= {task.id for task in run.all_tasks()}
    return proven - used


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


def _flags(shards: Sequence[_Shard], out: Path, repo: Path | None, *, sharded: bool) -> Flags:
    """What a run would have been asked that did all of this."""
    first = shards[0].asked
    for shard in shards:
        if not {*shard.asked.roots} & {*first.roots}:
            raise UsageError(f"{shard.folder.path}: a run of another repository")
        if shard.asked.rewrite_with != first.rewrite_with:
            raise UsageError(f"{shard.folder.path}: statements were rewritten by someone else")
        if sharded and _choice(shard.asked) != _choice(first):
            raise UsageError(f"{shard.folder.path}: a shard of a run that was to use other tasks")
    models = dict.fromkeys(name for shard in shards for name in shard.asked.models)
    tasks = {task.id for shard in shards for task in shard.folder.read(Task)}
    since, until, paths, labels, most = _choice(first) if sharded else ("", "", "", "", 0)
    return Flags(
        since=since or None,
        until=until or None,
        paths=paths or None,
        labels=labels or None,
        current_model=first.current_model or None,
        margin=first.margin,
        repo=repo or first.repo,
        out=out,
        models=",".join(models),
        attempts=max(shard.asked.attempts for shard in shards),
        max_tasks=most or max(1, len(tasks)),
        include_apart=any(shard.asked.include_apart for shard in shards),
        rewrite_with=first.rewrite_with,
        probe=any(shard.asked.probe for shard in shards),
    )


def _choice(what: asked.Asked) -> tuple[str, str, str, str, int]:
    return (what.since, what.until, what.paths, what.labels, what.max_tasks)


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


def _records(shards: Sequence[_Shard], chosen: Mapping[Key, _Shard]) -> Iterator[Record]:
    """All that the merged folder holds, each thing once."""
    yield from _latest(shards, Candidate, lambda one: one.fix_commit)
    yield from _latest(shards, Dropped, lambda one: (one.commit, one.stage))
    yield from _latest(shards, Task, lambda one: (one.id, one.statement_source))
    yield from _latest(shards, Probe, lambda one: (one.task_id, one.entrant))
    yield from _latest(shards, Opinion, opinion_key)
    yield from _latest(shards, Confinement, lambda one: one)
    for key, shard in chosen.items():
        yield shard.patches[key]
        if key in shard.verdicts:
            yield shard.verdicts[key]


def _latest(shards: Sequence[_Shard], kind: type[R], key: Callable[[R], Hashable]) -> Iterable[R]:
    found: dict[Hashable, R] = {}
    for shard in shards:
        found.update(shard.folder.latest(kind, key))
    return found.values()


def _chosen(shards: Sequence[_Shard]) -> dict[Key, _Shard]:
    """Whose each attempt is: the last of those where it could be scored, else the last."""
    best: dict[Key, tuple[bool, _Shard]] = {}
    for shard in shards:
        for key in shard.patches:
            verdict = shard.verdicts.get(key)
            scored = verdict is not None and verdict.outcome.scored
            if key not in best or scored >= best[key][0]:
                best[key] = (scored, shard)
    return {key: shard for key, (_, shard) in best.items()}


def _exchanges(shards: Sequence[_Shard], chosen: Mapping[Key, _Shard], merged: RunFolder) -> None:
    """Questions and answers of all; of the same attempt those of the one that counts."""
    for shard in shards:
        record(shard.folder.exchanges, merged.path)
    for key, shard in chosen.items():
        for name in shard.patches[key].exchanges:
            source, target = shard.folder.path / name, merged.path / name
            inside = source.resolve().is_relative_to(shard.folder.exchanges.resolve())
            if inside and source.is_file():
                content = source.read_bytes()
                if not target.is_file() or target.read_bytes() != content:
                    write_durably(target, content)
