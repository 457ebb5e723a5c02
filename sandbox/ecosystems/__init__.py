"""The ecosystems that are known, one file each; see docs/ecosystems.md for adding one.

A file gives three things: `NAME`, `SUFFIXES` (of its source files) and `recipes(facts,
workflow)`, which yields ways to build a commit, best first, and nothing where the commit
holds no project of its kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol, cast

from sandbox.ci import Workflow, workflow
from sandbox.ecosystems import cmake, go, java, node, php, python, ruby, rust
from sandbox.ecosystems.custom import decided, plain
from sandbox.facts import Facts
from sandbox.recipe import Recipe


class Ecosystem(Protocol):
    """What each file here is."""

    NAME: str
    SUFFIXES: tuple[str, ...]

    def recipes(self, facts: Facts, workflow: Workflow) -> Iterator[Recipe]:
        """Ways to build a commit, best first."""
        ...


ECOSYSTEMS = tuple(cast(Ecosystem, e) for e in (python, node, go, rust, java, ruby, php, cmake))
_MOST = 3


def recipes(facts: Facts) -> list[Recipe]:
    """Ways to build a commit and to run its tests, best first; never none.

    Where several ecosystems fit, the one with the most source files comes first. What
    `patchmark.toml` decides is laid over each.
    """
    named = facts.settings.ecosystem
    ranked = sorted(ECOSYSTEMS, key=lambda one: -facts.count(one.SUFFIXES))
    wanted = [one for one in ranked if named in (None, one.NAME)]
    told = workflow(facts)
    found: list[Recipe] = []
    for one in wanted:
        for recipe in one.recipes(facts, told):
            if _differs(recipe, found):
                found.append(recipe)
    found = [_with_packages(recipe, told) for recipe in found[:_MOST]] or [plain()]
    return [decided(recipe, facts) for recipe in found]


def _differs(recipe: Recipe, others: list[Recipe]) -> bool:
    """Whether it does anything else than those before it, wherever it was found."""
    same = [replace(other, found_in=recipe.found_in) for other in others]
    return recipe not in same


def _with_packages(recipe: Recipe, told: Workflow) -> Recipe:
    """A recipe found in a CI file installs the system packages that this one does."""
    if not told.apt or recipe.found_in != told.path:
        return recipe
    return replace(recipe, apt=tuple(dict.fromkeys((*recipe.apt, *told.apt))))
