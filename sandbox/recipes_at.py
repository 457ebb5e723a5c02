"""How a commit can be built, told from its files alone."""

from __future__ import annotations

from datetime import datetime

from core.git import Repository
from sandbox.ecosystems import recipes
from sandbox.facts import Facts, release_at
from sandbox.recipe import EnvironmentSettings, Recipe


def recipes_at(
    repository: Repository, settings: EnvironmentSettings, commit: str, committed_at: datetime
) -> list[Recipe]:
    """Ways to build a commit, best first; it takes no engine to know them."""
    at = "" if settings.workdir == "." else f"{settings.workdir.strip('/')}/"
    names = (entry.path for entry in repository.tree(commit))
    facts = Facts(
        frozenset(name.removeprefix(at) for name in names if name.startswith(at)),
        lambda path: repository.read(commit, f"{at}{path}"),
        committed_at,
        settings,
        release_at(repository, commit),
    )
    return recipes(facts)
