"""`patchmark env --repair-with`: a model mends what detection could not find out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from core.redact import Redactor
from models.budget import OverBudgetError
from models.provider import AskFailedError
from models.repair import MOST_TURNS, Broken, Repairer, Turn
from patchmark.config import EnvironmentSection
from patchmark.run import Run
from sandbox.image import BrokenEnvironmentError
from sandbox.probe import Probed, probe
from sandbox.recipe import EnvironmentSettings, Recipe
from sandbox.workbench import Workbench

_NAME = "repaired.toml"
_MOST_FILES = 200


@dataclass(frozen=True)
class Repaired:
    """What a model found out, tried and true."""

    settings: EnvironmentSettings
    written: Mapping[str, Any]
    """The same as it stands in a patchmark.toml."""


def recorded(run: Run) -> Repaired | None:
    """What an earlier run found out; not asked for again."""
    path = run.folder.path / _NAME
    if not path.is_file():
        return None
    return _read(path.read_text(encoding="utf-8"), run.settings.environment)


def repair(run: Run, repairer: Repairer, failing: Probed) -> Repaired | None:
    """Ask until a recipe makes the tests of a commit run, or nothing is left to ask."""
    images = run.validator.images
    recipe = images.recipes(failing.commit, failing.committed_at)[0]
    # The addresses of a company's proxy and indexes are nothing for a model either.
    hidden = Redactor(run.settings.network.build_environment().values())
    broken = Broken(
        commit=failing.commit,
        recipe=_shown(recipe),
        trouble=hidden.text(failing.trouble),
        files=_root(run, failing.commit),
    )
    turns: list[Turn] = []
    with Workbench(images, failing.commit, recipe) as bench:
        while len(turns) < MOST_TURNS:
            try:
                step = repairer.next(broken, turns)
            except (AskFailedError, OverBudgetError) as error:
                run.show.tell(f"repair stopped: {error}")
                return None
            run.show.tell(f"repair, answer {len(turns) + 1}: {step.kind}")
            if step.kind == "command":
                done = bench.run(step.text)
                said = hidden.text(done.output)
                turns.append(Turn(step.answer, said, done.exit_code != 0))
            elif step.kind == "recipe":
                found, said = _tried(run, step.text, failing.commit, failing.committed_at)
                if found is not None:
                    _keep(run.folder.path / _NAME, found)
                    return found
                said = hidden.text(said)
                turns.append(Turn(step.answer, said, failed=True))
            else:
                turns.append(Turn(step.answer, step.text, failed=True))
    run.show.tell(f"repair gave up after {len(turns)} answers")
    return None


def _tried(run: Run, text: str, commit: str, committed_at: datetime) -> tuple[Repaired | None, str]:
    try:
        found = _read(text, run.settings.environment)
    except ValueError as error:
        return None, f"the recipe cannot be read: {error}"
    images = run.images(found.settings)
    try:
        probed = probe(run.engine, images, run.settings.limits, commit, committed_at)
    except BrokenEnvironmentError as error:
        return None, str(error)
    if probed.works:
        return found, ""
    return None, probed.trouble or f"no test passes: {dict(probed.tests)}"


def _read(text: str, before: EnvironmentSettings) -> Repaired:
    """Raises ValueError, which ValidationError and TOMLDecodeError are."""
    written = tomllib.loads(text)
    inner = written.get("environment")
    written = inner if isinstance(inner, dict) else written
    try:
        section = EnvironmentSection.model_validate(written)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise ValueError("; ".join(f"{p['loc']}: {p['msg']}" for p in problems)) from error
    given = {name: getattr(section, name) for name in section.model_fields_set}
    return Repaired(replace(before, **given), written)


def _keep(path: Path, found: Repaired) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_text(tomli_w.dumps(dict(found.written)), encoding="utf-8")
    part.replace(path)


def _shown(recipe: Recipe) -> str:
    origin = f"# found in {recipe.found_in}, {recipe.toolchain.name}"
    return "\n".join([origin, recipe.dependencies, recipe.install, "# tests", recipe.test])


def _root(run: Run, commit: str) -> Sequence[str]:
    names = {entry.path.partition("/")[0] for entry in run.repository.tree(commit)}
    return sorted(names)[:_MOST_FILES]
