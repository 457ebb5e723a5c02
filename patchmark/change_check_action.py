"""`command: change-check` of the Action: which two versions, of whose pull request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from patchmark.change_check import Wish, prepared
from patchmark.choosing import names
from patchmark.events import Event, payload_of
from patchmark.settings import Flags, Settings
from patchmark.under_test import open_repository

if TYPE_CHECKING:
    from patchmark.action_inputs import ActionInputs

COMMAND = "change-check"
_TAKEN = (
    "--repo", "--out", "--max-tasks", "--since", "--until", "--paths", "--labels", "--models",
    "--budget-usd", "--margin", "--replay", "--config", "--time-limit",
)  # fmt: skip
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_FORK = (
    "the pull request is from a fork: a change check would spend this repository's money on what a "
    "stranger writes. Push its commits to a branch of this repository to have them checked"
)


class IdleError(Exception):
    """There is nothing to compare; says why."""


@dataclass(frozen=True)
class Versions:
    """The two sides of a pull request, full commit ids."""

    base: str
    head: str


def versions(inputs: ActionInputs, event: Event, environment: Mapping[str, str]) -> Versions:
    """Of the pull request that started the workflow, as they were then.

    Raises IdleError where there is none, or where its head is gone; UsageError for a checkout
    that lacks the history.
    """
    if event.pull_request is None:
        raise IdleError(
            "a change check compares the two sides of a pull request, and there is none"
        )
    if event.pull_request.fork:
        raise IdleError(_FORK)
    payload = payload_of(environment).get("pull_request")
    both = [_sha(payload, side) for side in ("base", "head")]
    if not all(both):
        raise IdleError(f"the event `{event.name}` does not tell the pull request's two commits")
    repository = open_repository(Path(inputs.repo_path))
    if not repository.has(both[1]):
        if repository.is_shallow:
            raise UsageError("the checkout lacks the history: give actions/checkout fetch-depth: 0")
        raise IdleError(
            f"the head {both[1][:12]} is in no branch of this repository any more: it was pushed "
            "over, or its branch deleted"
        )
    return Versions(*both)


def _sha(payload: Any, side: str) -> str:
    part = payload.get(side) if isinstance(payload, dict) else None
    sha = part.get("sha") if isinstance(part, dict) else None
    return sha if isinstance(sha, str) and _SHA.fullmatch(sha) else ""


def with_models(
    inputs: ActionInputs, sides: Versions, environment: Mapping[str, str]
) -> ActionInputs:
    """The inputs with the models that are asked, to know whose keys that takes."""
    flags = Flags(
        repo=Path(inputs.repo_path),
        out=Path(inputs.run_folder),
        config=Path(inputs.config) if inputs.config else None,
        models=inputs.models or None,
    )
    wish = Wish(base=sides.base, head=sides.head, globs=names(inputs.guidance))
    settings: Settings = prepared(flags, wish, environment)
    return replace(
        inputs,
        models=",".join(settings.models),
        rewrite_with=settings.rewrite_with or "",
        judge_model="",
    )


def arguments(inputs: ActionInputs, sides: Versions) -> list[str]:
    """The command line of the check; the models are those that the inputs named."""
    flags = {**inputs.flags(), "--guidance": inputs.guidance}
    taken = (*_TAKEN, "--guidance")
    given = [f"{name}={value}" for name, value in flags.items() if value and name in taken]
    return ["check-change", f"--base={sides.base}", f"--head={sides.head}", *given]
