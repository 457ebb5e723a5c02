"""The sample repository that ships with patchmark, as the demo lays it out."""

from __future__ import annotations

from pathlib import Path

import patchmark
from patchmark.demo import import_history

FOLDER = Path(patchmark.__file__).parent / "sample"
EXCHANGES = FOLDER / "exchanges"
ISSUES = FOLDER / "issues.json"
MODELS = "reference,empty,replay:careful,replay:hasty"


def sample(tmp_path: Path) -> Path:
    """The repository, imported anew."""
    repository = tmp_path / "sundial"
    import_history(FOLDER / "history.fast-export", repository)
    return repository


def asked(repository: Path, out: Path, tasks: int = 3) -> list[str | Path]:
    """Arguments of a run over its three newest tasks with the recorded answers."""
    return [
        "run", "--repo", repository, "--out", out, "--models", MODELS, "--replay", EXCHANGES,
        "--issues", ISSUES, "--since", "2025-08-01", "--max-tasks", str(tasks),
    ]  # fmt: skip
