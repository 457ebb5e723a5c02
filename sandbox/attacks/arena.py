"""A proven task of a sample repository, and the judge before whom attacks are tried."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.errors import InfrastructureError
from core.git import Repository, clean_environment, git_command
from core.outcomes import Stop
from core.types import Candidate, Patch, StatementSource, Task, Verdict
from sandbox.attacks.sample import Sample
from sandbox.engine import Engine
from sandbox.image import Images
from sandbox.judge import Judge
from sandbox.recipe import EnvironmentSettings
from sandbox.validate import Validator

_COMMITTED_AT = datetime(2025, 6, 15, tzinfo=UTC)
_WHO = "patchmark <patchmark@localhost>"

MakeImages = Callable[[Repository], Images]


@dataclass(frozen=True)
class Arena:
    """Where patches of one sample are judged."""

    judge: Judge
    task: Task

    def judged(self, diff: str) -> Verdict:
        """How a patch ends; an empty one is judged like the others.

        Raises EngineError when the engine is gone.
        """
        patch = Patch(
            task_id=self.task.id,
            entrant="attacker",
            attempt=1,
            diff=diff,
            stop=Stop.ANSWERED,
            cost_usd=None,
            usage=None,
            seconds=None,
        )
        return self.judge.judge(self.task, patch)


@contextmanager
def arena(engine: Engine, sample: Sample, folder: Path, images: MakeImages) -> Iterator[Arena]:
    """A sample, built and proven in a folder of its own; its image goes at the end.

    Raises InfrastructureError where it cannot be built or proven.
    """
    repository = _repository(sample, folder)
    limits = sample.limits
    validator = Validator(engine, images(repository), EnvironmentSettings(), limits, runs=1)
    task = _proven(validator, sample, repository)
    try:
        yield Arena(Judge(engine, limits), task)
    finally:
        engine.remove_image(task.image)


def _proven(validator: Validator, sample: Sample, repository: Repository) -> Task:
    candidate = Candidate(
        id=uuid.uuid5(uuid.NAMESPACE_OID, sample.name).hex[:12],
        base_commit=repository.head,
        fix_commit=repository.head,
        committed_at=_COMMITTED_AT,
        title="add() subtracts",
        statement="add(2, 3) is -1",
        statement_source=StatementSource.COMMIT_MESSAGE,
        gold_patch=sample.diff(sample.fix),
        test_patch=sample.diff(sample.tests),
        source_files=tuple(sample.fix),
        test_files=tuple(sample.tests),
    )
    proven = validator.validate(candidate)
    if not isinstance(proven, Task):
        raise InfrastructureError(f"the {sample.name} sample cannot be run: {proven.detail}")
    return proven


def _repository(sample: Sample, folder: Path) -> Repository:
    """The root is always the same, so builds share a cache; HEAD never, so each has its image."""
    folder.mkdir(parents=True)
    _git(folder, ("init", "--quiet", "--initial-branch=main"), "")
    first = _commit(sample.files)
    second = _commit({"only.txt": uuid.uuid4().hex})
    _git(folder, ("fast-import", "--quiet"), first + second)
    return Repository(folder)


def _git(folder: Path, arguments: tuple[str, ...], stream: str) -> None:
    subprocess.run(
        git_command(*arguments, directory=folder),
        input=stream.encode(),
        check=True,
        env=clean_environment(),
    )


def _commit(files: Mapping[str, str]) -> str:
    """A commit of ASCII files on main, as `git fast-import` reads it."""
    when = int(_COMMITTED_AT.timestamp())
    made = "".join(
        f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files.items()
    )
    return f"commit refs/heads/main\ncommitter {_WHO} {when} +0000\ndata 4\nbase\n{made}\n"
