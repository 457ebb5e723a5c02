"""`patchmark import`: tasks that were mined elsewhere become candidates of a new run folder."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from core.errors import RepositoryError, UsageError
from core.git import Repository
from core.patches import why_not
from core.types import Candidate
from patchmark import imported
from patchmark.commands import errors, known
from patchmark.exporting import complain, format_named, listed, say
from patchmark.formats.base import Problem, Read, Told
from patchmark.formats.foreign import candidate_of
from patchmark.formats.reading import UnfitError
from patchmark.imported import Claim, Imported
from patchmark.options import ConfigFile
from patchmark.progress import Show
from patchmark.run import opened
from patchmark.settings import Flags, Settings
from patchmark.sources import name_of
from patchmark.under_test import open_repository
from reports.numbers import counted

EPILOG = "Example: `patchmark import --format swebench rows.jsonl --repo clone --out my-run`"


@dataclass
class Clone:
    """A repository of this machine, and the tasks that are about it."""

    path: Path
    repository: Repository
    told: list[Told] = field(default_factory=list)

    @property
    def name(self) -> str:
        """`owner/name`, else the folder's name."""
        return name_of(self.repository, self.path)


def import_(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file or folder.")],
    format_name: Annotated[str, typer.Option("--format", metavar="NAME", help=listed("read"))],
    out: Annotated[Path, typer.Option(help="A new run folder.")],
    repo: Annotated[
        Path, typer.Option(help="A clone of the tasks' repository, or a folder of clones.")
    ] = Path(),
    config: ConfigFile = None,
) -> None:
    """Read tasks that were mined elsewhere; `patchmark run` then proves each anew and goes on.

    Of a folder of clones, each repository that tasks are about gets a run folder of its own
    below `--out`.
    """
    found = _read(format_name, path)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--out {out}: is not empty; name a new folder")
    clones = _clones(repo)
    problems = [*found.problems, *_placed(found.tasks, clones, repo)]
    used = [clone for clone in clones if clone.told]
    words = []
    for clone in used:
        folder = out if len(used) == 1 else out / clone.name.replace("/", "__")
        done, more = _import(clone, folder, config)
        problems += more
        words += [done] if done else []
    raise typer.Exit(say(problems, "\n".join(words or ["nothing was imported"])))


def _read(format_name: str, path: Path) -> Read:
    one = format_named(format_name, "read")
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    found = one.read(path) if one.read else Read(())
    if not found.tasks:
        complain(found.problems)
        raise UsageError(f"{path}: holds no task that can be read as {one.name}")
    return found


def _next(settings: Settings, candidates: Collection[Candidate]) -> str:
    """What was imported, and the command that goes on with it."""
    apart = sum(bool(settings.choice.apart(candidate)) for candidate in candidates)
    flag = " --include-apart" if apart else ""
    why = f", {apart} of them kept apart for what their statements say" if apart else ""
    told = f"{settings.out}: {counted(len(candidates), 'task')} to be proven{why}"
    command = f"patchmark run --repo {settings.repo} --out {settings.out}"
    return f"{told}\nnext: {command} --max-tasks {len(candidates)}{flag}"


def _clones(repo: Path) -> list[Clone]:
    """The repository there, else those in the folder. Raises UsageError where there is none."""
    try:
        return [Clone(repo, open_repository(repo))]
    except RepositoryError as error:
        inside = sorted(repo.iterdir()) if repo.is_dir() else []
        clones = [clone for path in inside for clone in _clone(path)]
        if not clones:
            raise UsageError(f"--repo {repo}: {error}") from error
        return clones


def _clone(path: Path) -> Iterator[Clone]:
    if path.is_dir() and ((path / ".git").exists() or (path / "HEAD").exists()):
        try:
            yield Clone(path, open_repository(path))
        except RepositoryError:
            return


def _placed(tasks: Sequence[Told], clones: Sequence[Clone], repo: Path) -> list[Problem]:
    """Give each task to the clone that holds its commit; what has none is left out."""
    problems = []
    for told in tasks:
        likely = sorted(clones, key=lambda clone: not _is_called(clone, told.repository))
        best = next((one for one in likely if one.repository.has(told.base_commit)), None)
        if best is None:
            commit = told.base_commit[:12]
            what = f"{told.repository or told.name}: no clone at {repo} holds its commit {commit}"
            problems.append(Problem(told.where, what))
        else:
            best.told.append(told)
    return problems


def _is_called(clone: Clone, name: str) -> bool:
    return clone.name == name or clone.path.absolute().name == name.rpartition("/")[2]


def _import(clone: Clone, folder: Path, config: Path | None) -> tuple[str, list[Problem]]:
    """Write the run folder of one repository; returns what is to be said of it, if anything."""
    flags = Flags(repo=clone.path, out=folder, config=config, max_tasks=len(clone.told))
    settings = known(flags)
    candidates, claims, problems = _candidates(clone, settings)
    if not candidates:
        return "", problems
    with opened(settings, lambda budget: Show(errors(), lambda: budget.spent)) as run:
        imported.write(run.folder.path, Imported(tasks=claims), settings.redactor)
        for candidate in candidates.values():
            run.folder.append(candidate)
    return _next(settings, candidates.values()), problems


def _candidates(
    clone: Clone, settings: Settings
) -> tuple[dict[str, Candidate], dict[str, Claim], list[Problem]]:
    """What is to be proven and what was said of it, by ids, and what is wrong with the rest."""
    candidates: dict[str, Candidate] = {}
    claims: dict[str, Claim] = {}
    problems = []
    for told in clone.told:
        try:
            candidate = candidate_of(told, settings.path_rules, _day(clone, told))
            _fits(clone.repository, candidate)
        except UnfitError as error:
            problems.append(Problem(told.where, f"{told.name}: {error}"))
            continue
        if candidate.id in candidates:
            first = claims[candidate.id].where
            problems.append(Problem(told.where, f"{told.name}: the task of {first} once more"))
            continue
        candidates[candidate.id], claims[candidate.id] = candidate, _claim(told)
    return candidates, claims, problems


def _day(clone: Clone, told: Told) -> datetime:
    """When its base was committed: as of then its dependencies are installed."""
    seconds = clone.repository.text("show", "-s", "--format=%ct", told.base_commit)
    return datetime.fromtimestamp(int(seconds), UTC)


def _fits(repository: Repository, candidate: Candidate) -> None:
    for what, diff in _patches(candidate).items():
        if why := why_not(repository, candidate.base_commit, diff):
            raise UnfitError(f"{what} does not apply to {candidate.base_commit[:12]}: {why}")


def _patches(candidate: Candidate) -> Mapping[str, str]:
    return {"the patch": candidate.gold_patch, "the test patch": candidate.test_patch}


def _claim(told: Told) -> Claim:
    return Claim(
        name=told.name,
        where=told.where,
        fail_to_pass=told.fail_to_pass,
        pass_to_pass=told.pass_to_pass,
        kept=dict(told.kept),
    )
