"""Run folders written record by record, as a run would have left them; no engine is needed."""

from __future__ import annotations

from pathlib import Path

from support.repos import Repo

from core.git import Repository
from core.redact import NOTHING
from core.store import RunFolder
from core.types import Candidate
from patchmark import asked
from patchmark.settings import Flags, make
from reports.tally import Facts


def written(folder: Path, repo: Repo, facts: Facts) -> Path:
    """A finished run with these records, which asked for just that."""
    settings = make(
        Flags(
            repo=repo.path, out=folder, models=",".join(facts.entrants),
            attempts=facts.attempts, max_tasks=max(1, len(facts.tasks)),
        ),
        {},
    )  # fmt: skip
    with RunFolder(folder, NOTHING) as run:
        for task in facts.tasks:
            run.append(Candidate(**{name: getattr(task, name) for name in Candidate.model_fields}))
        for record in (
            *facts.dropped,
            *facts.tasks,
            *facts.patches.values(),
            *facts.verdicts.values(),
        ):
            run.append(record)
        asked.write(folder, settings, Repository(repo.path))
    for patch in facts.patches.values():
        for name in patch.exchanges:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'"{folder.name}"', encoding="utf-8")
    return folder
