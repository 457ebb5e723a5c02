"""`patchmark doctor --action`: the repository's workflow files, before they cost anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from core.errors import PatchmarkError
from core.programs import work_tree
from patchmark.action_asked import asked
from patchmark.action_checks import checks, lacks_on_enterprise, wrong
from patchmark.action_costs import costs
from patchmark.doctor import Check
from patchmark.enterprise import is_enterprise
from patchmark.settings import Flags, Settings, make
from patchmark.workflow_reading import FOLDER, Used, read_workflows


def examine(flags: Flags, environment: Mapping[str, str]) -> list[Check]:
    """Look at every workflow that uses patchmark. Never raises: what is wrong is a result.

    With a token GitHub is asked which secrets there are and what its settings allow.
    """
    try:
        # From any folder of the repository: GitHub looks in its root alone, and so does a run.
        root = work_tree(flags.repo or Path())
        settings = make(replace(flags, repo=root), environment)
        found, names = read_workflows(settings.repo)
    except PatchmarkError as error:
        return [wrong("configuration", str(error), "change what it names")]
    if not found:
        return [
            wrong("workflow", f"{root / FOLDER}: none uses patchmark", "patchmark init writes one")
        ]
    each = [check for used in found for check in _of_one(used, names, settings)]
    if is_enterprise(root):
        each += lacks_on_enterprise(found)
    return [*each, *asked(found, settings)]


def _of_one(used: Used, names: set[str], settings: Settings) -> Iterator[Check]:
    yield from checks(used, names)
    yield from costs(used, settings)
