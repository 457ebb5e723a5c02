"""`run.toml`: what a run folder was asked to do, with what versions, so that a stage alone
can go on with it and a reader knows how the numbers came about.
"""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from core.errors import StoreError
from core.git import Repository
from patchmark import __version__
from patchmark.settings import Settings

NAME = "run.toml"
_LIBRARIES = ("anthropic", "google-genai", "genai-prices", "docker", "pydantic")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The part of run.toml that later stages go by."""

    repo: Path
    models: tuple[str, ...]
    attempts: int
    max_tasks: int
    since: str
    until: str
    paths: str
    labels: str
    include_apart: bool
    rewrite_with: str
    probe: bool
    current_model: str
    margin: float | None
    head: str
    roots: tuple[str, ...]


def write(folder: Path, settings: Settings, repository: Repository) -> None:
    """Note what this run is asked to do. Raises StoreError for another repository's folder."""
    import tomli_w

    roots = _roots(repository)
    before = read(folder)
    if before is not None and before.roots != roots and not _is_deeper(repository, before):
        raise StoreError(f"{folder}: holds a run of another repository ({before.repo})")
    content = {
        "schema-version": 1,
        "asked": {
            "repo": str(settings.repo.absolute()),
            "models": list(settings.models),
            "attempts": settings.attempts,
            "max-tasks": settings.max_tasks,
            **_choice(settings),
            "validation-runs": settings.validation_runs,
            **({"budget-usd": str(settings.budget_usd)} if settings.budget_usd else {}),
            **({"replay": str(settings.replay.absolute())} if settings.replay else {}),
        },
        "repository": {"head": repository.head, "roots": list(roots)},
        "versions": _versions(),
        "last-started": datetime.now(UTC).replace(microsecond=0),
    }
    path = folder / NAME
    unfinished = path.with_suffix(".toml.new")
    unfinished.write_text(settings.redactor.text(tomli_w.dumps(content)), encoding="utf-8")
    unfinished.replace(path)


def read(folder: Path) -> Asked | None:
    """What the folder was asked last, None for a new one. Raises StoreError if unreadable."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        asked, repository = content["asked"], content["repository"]
        return Asked(
            repo=Path(asked["repo"]),
            models=tuple(asked["models"]),
            attempts=int(asked["attempts"]),
            max_tasks=int(asked["max-tasks"]),
            since=str(asked.get("since", "")),
            until=str(asked.get("until", "")),
            paths=",".join(asked.get("paths", ())),
            labels=",".join(asked.get("labels", ())),
            include_apart=bool(asked.get("include-apart", False)),
            rewrite_with=str(asked.get("rewrite-with", "")),
            probe=bool(asked.get("probe", False)),
            current_model=str(asked.get("current-model", "")),
            margin=float(asked["margin"]) if "margin" in asked else None,
            head=str(repository["head"]),
            roots=tuple(repository["roots"]),
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read: {error}") from error


def _is_deeper(repository: Repository, before: Asked) -> bool:
    """Whether a clone was completed, or cut, since: its roots are then others."""
    return any(repository.has(commit) for commit in (*before.roots, before.head))


def _choice(settings: Settings) -> dict[str, object]:
    choice = settings.choice
    all_of_it = {
        "since": choice.since.isoformat() if choice.since else "",
        "until": choice.until.isoformat() if choice.until else "",
        "paths": list(choice.paths),
        "labels": list(choice.labels),
        "include-apart": settings.include_apart,
        "rewrite-with": settings.rewrite_with or "",
        "probe": settings.probe,
        "current-model": settings.current_model or "",
        "margin": settings.margin,
    }
    return {name: value for name, value in all_of_it.items() if value}


def _roots(repository: Repository) -> tuple[str, ...]:
    return tuple(sorted(repository.text("rev-list", "--max-parents=0", "HEAD").split()))


def _versions() -> Mapping[str, str]:
    found = {"patchmark": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
